import type { RunProgram } from '../confine/run-program.ts'
import { findProgram } from './find-program.ts'
import { identifyCaddy } from './identify.ts'
import type { IdentityCache } from './identity-cache.ts'
import { caddyTool, type Missing } from './missing-tools.ts'
import type { ProvidedServer } from './server-binary.ts'

/** The Caddy that ends TLS in front of the cache. */
export interface ProvidedCaddy {
  path: string
  version: string
  sha256: string
  /** Where it came from, for the report: the server binary itself, or a caddy found or installed. */
  source: string
  /** How it is run over a file; on this host unless told. */
  run?: RunProgram
}

interface SearchOptions {
  server: ProvidedServer
  env: NodeJS.ProcessEnv
  identities: IdentityCache
  /** Searched after PATH; default: where package managers put servers. */
  folders?: readonly string[] | undefined
  signal?: AbortSignal | undefined
}

const neededModules = ['http.handlers.reverse_proxy', 'tls.issuance.internal']

/** The production server is a whole Caddy, so it serves where it is there; else `caddy` in PATH. */
export async function findCaddy(options: SearchOptions): Promise<ProvidedCaddy | Missing> {
  const { server, env, identities, folders, signal } = options
  if (server.kind === 'production') {
    const { path, sha256, caddyVersion } = server
    return { path, sha256, version: caddyVersion, source: 'the server binary' }
  }
  const path = findProgram('caddy', env, folders)
  if (!path) return missing('Caddy is not installed')
  let because = ''
  const identity = await identities.of('caddy-2', path, async () => {
    const found = await identifyCaddy(path, signal)
    if (!found.ok) because = found.because
    return found.ok ? found.identity : null
  })
  if (!identity) return missing(`${path} ${because}`)
  const absent = neededModules.find((name) => !identity.modules.includes(name))
  if (absent !== undefined) return missing(`${path} is Caddy without its standard module ${absent}`)
  return { path, version: identity.caddyVersion, sha256: identity.sha256, source: path }
}

function missing(because: string): Missing {
  return { tools: [caddyTool], because: `${because} (it ends TLS in front of the cache)` }
}
