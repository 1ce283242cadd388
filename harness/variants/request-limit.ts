import type { JsonObject } from '../confine/json.ts'
import { inFrontOfStreams, type Variant } from './variant.ts'

const maxBytes = 64 * 1024

/** `request_body { max_size 64KiB }` in front of the streams. */
export const requestLimit: Variant = {
  id: 'request-limit',
  words: 'with a limit on requests',
  change: (config) => inFrontOfStreams(config, [{ handler: 'request_body', max_size: maxBytes }]) as JsonObject,
  trace: { kind: 'too-large', bytes: maxBytes + 1, status: 413 },
}
