/** Which program says what a Caddyfile means: the production server where it is at hand, else a plain Caddy. */
import { adaptCaddyfile, readSources, type AdaptedCaddyfile } from '../confine/caddyfile.ts'
import { variablesFor } from '../confine/environment.ts'
import { adaptWithStandIn } from '../confine/stand-in.ts'
import { UsageError } from '../errors.ts'
import { findProgram } from './find-program.ts'
import { provisionServer } from './provision.ts'

export interface Adapted extends AdaptedCaddyfile {
  /** What read it, where that is not the production server; null where it is. */
  standIn: string | null
}

/** Nothing is downloaded for this. @throws UsageError for a file that is wrong, and where there is no program */
export async function adaptWherePossible(file: string, options: { serverBin?: string | undefined; env: NodeJS.ProcessEnv }): Promise<Adapted> {
  const env = { ...options.env, DURABLE_STREAMS_SERVER_DOWNLOAD: 'off' }
  const server = await provisionServer({ origin: 'auto', serverBin: options.serverBin, env })
  const environment = variablesFor(readSources(file).variables.map(({ name }) => name), options.env)
  if (server.kind === 'production') return { ...(await adaptCaddyfile({ caddyPath: server.path, file, environment })), standIn: null }
  const caddy = findProgram('caddy', options.env)
  if (!caddy) throw new UsageError(`--caddyfile ${file} is read by the server itself or by any Caddy 2, and neither is here: give the server with --server-bin PATH, or install caddy.`)
  return { ...(await adaptWithStandIn({ caddyPath: caddy, file, environment })), standIn: caddy }
}
