import type { JsonObject } from '../confine/json.ts'
import { butForPreflights, inFrontOfStreams, type Variant } from './variant.ts'

const account = {
  username: 'simulation',
  // bcrypt of 'simulation' at the lowest cost: what is measured is not the hash.
  password: '$2b$04$1.Oks8w.fKzSAe0xPSwWI.91K9Mm1.6TECN5ZWFDnOzib.69TC8Ve',
}
const http_basic = { accounts: [account], hash: { algorithm: 'bcrypt' }, hash_cache: {} }

/** `basic_auth` in front of the streams. */
export const basicAuth: Variant = {
  id: 'basic-auth',
  words: 'with basic authentication',
  change: (config) => inFrontOfStreams(config, [butForPreflights([{ handler: 'authentication', providers: { http_basic } }])]) as JsonObject,
  headers: { authorization: `Basic ${Buffer.from('simulation:simulation').toString('base64')}` },
  trace: { kind: 'stranger', status: 401 },
}
