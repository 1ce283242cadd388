import { inFrontOfStreams, type Variant } from './variant.ts'
import type { JsonObject } from '../confine/json.ts'

/** `encode gzip` with `minimum_length 1`: small answers and event streams are compressed as well. */
export const eagerCompression: Variant = {
  id: 'eager-compression',
  words: 'with compression of whatever length',
  change: (config) => inFrontOfStreams(config, [{ handler: 'encode', encodings: { gzip: {} }, minimum_length: 1 }]) as JsonObject,
  trace: { kind: 'header', asked: { 'accept-encoding': 'gzip' }, name: 'content-encoding', value: 'gzip' },
}
