/** Every variant of the origin by its id. */
import type { JsonObject } from './confine/json.ts'
import { accessLog } from './variants/access-log.ts'
import { adminApi } from './variants/admin-api.ts'
import { basicAuth } from './variants/basic-auth.ts'
import { compression } from './variants/compression.ts'
import { eagerCompression } from './variants/eager-compression.ts'
import { forwardAuth } from './variants/forward-auth.ts'
import { logRotation } from './variants/log-rotation.ts'
import { metrics } from './variants/metrics.ts'
import { requestLimit } from './variants/request-limit.ts'
import type { Variant, VariantPlace } from './variants/variant.ts'

const all: readonly Variant[] = [accessLog, adminApi, basicAuth, compression, eagerCompression, forwardAuth, logRotation, metrics, requestLimit]

/** The variant with this id. Throws TypeError where there is none. */
export function variantById(id: string): Variant {
  const variant = all.find((candidate) => candidate.id === id)
  if (!variant) throw new TypeError(`no variant is called "${id}"; there are: ${all.map((one) => one.id).join(', ')}`)
  return variant
}

/** The configuration with all of these switched on, one after another. */
export function withVariants(config: JsonObject, ids: readonly string[], place: VariantPlace): JsonObject {
  return ids.map(variantById).reduce((changed, variant) => variant.change(changed, place), config)
}
