import { askProgram } from '../../provision/ask-program.ts'
import { findProgram } from '../../provision/find-program.ts'
import { sha256Of } from '../../provision/identify.ts'
import type { Missing, Tool } from '../../provision/missing-tools.ts'
import type { ProgramSearch, ProvidedEdge } from '../edge.ts'

const nginxTool: Tool = {
  name: 'nginx',
  packages: { apt: 'nginx', dnf: 'nginx', pacman: 'nginx', apk: 'nginx', zypper: 'nginx', brew: 'nginx' },
  services: ['nginx'],
}

/** `-e`, by which errors are told before the configuration is read, came with 1.19.5. */
const oldestVersion = [1, 20] as const

/** Finds nginx, or says that it is missing. */
export async function findNginx({ env, identities, folders, signal }: ProgramSearch): Promise<ProvidedEdge | Missing> {
  const nginx = findProgram('nginx', env, folders)
  if (!nginx) return missing('nginx is not installed')
  const known = await identities.of('nginx-1', nginx, async () => {
    const asked = await askProgram(nginx, ['-v'], signal)
    const version = /nginx version: \S+?\/(\d+\.\d+\.\d+)/.exec(asked.said ?? '')?.[1]
    return version === undefined ? null : { version, sha256: await sha256Of(nginx) }
  })
  if (!known) return missing(`${nginx} does not say that it is nginx`)
  if (isTooOld(known.version)) return missing(`${nginx} is nginx ${known.version}, and ${oldestVersion.join('.')} or later is needed`)
  return { path: nginx, ...known, companions: {} }
}

function missing(because: string): Missing {
  return { tools: [nginxTool], because }
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1])
}
