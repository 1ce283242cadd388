import { objectAt, type JsonObject } from '../confine/json.ts'
import { withServers, type Variant } from './variant.ts'

/** The smallest file that Caddy's writer rotates, in MiB; it keeps few of them. */
const rotated = { roll_size_mb: 1, roll_keep: 3, roll_gzip: false }

/** An access log that is rotated again and again. */
export const logRotation: Variant = {
  id: 'log-rotation',
  words: 'with an access log that is rotated',
  change: (config, { folder }) => withAccessLog(config, { output: 'file', filename: `${folder}/access.log`, ...rotated }),
  trace: { kind: 'files', beginning: 'access', atLeast: 2, text: '"uri":' },
}

/** The configuration with an access log of all servers, by this writer. */
export function withAccessLog(config: JsonObject, writer: JsonObject): JsonObject {
  const name = 'operator'
  const logging = objectAt(config, 'logging')
  const log = { writer, encoder: { format: 'json' }, include: [`http.log.access.${name}`] }
  return {
    ...withServers(config, (server) => ({ ...server, logs: { ...objectAt(server, 'logs'), default_logger_name: name } })),
    logging: { ...logging, logs: { ...objectAt(logging, 'logs'), [name]: log } },
  }
}
