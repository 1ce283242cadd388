import { inFrontOfStreams, type Variant } from './variant.ts'
import type { JsonObject } from '../confine/json.ts'

/** `encode zstd gzip`, as the Caddyfile's directive means it. */
export const compression: Variant = {
  id: 'compression',
  words: 'with compression',
  change: (config) => inFrontOfStreams(config, [{ handler: 'encode', encodings: { gzip: {}, zstd: {} }, prefer: ['zstd', 'gzip'] }]) as JsonObject,
  trace: { kind: 'header', asked: { 'accept-encoding': 'gzip' }, name: 'content-encoding', value: 'gzip' },
}
