import { homedir } from 'node:os'
import path from 'node:path'

/** The folder for what is kept between runs; a relative XDG_CACHE_HOME is to be ignored (XDG). */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const configured = env['XDG_CACHE_HOME'] ?? ''
  const base = path.isAbsolute(configured)
    ? configured
    : path.join(env['HOME'] || homedir(), '.cache')
  return path.join(base, 'durable-streams-simulator')
}
