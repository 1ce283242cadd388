import { askProgram } from '../../provision/ask-program.ts'
import { findProgram } from '../../provision/find-program.ts'
import { sha256Of } from '../../provision/identify.ts'
import { compilerTool, type Missing, type Tool } from '../../provision/missing-tools.ts'
import type { ProgramSearch, ProvidedEdge } from '../edge.ts'

export const varnishTool: Tool = {
  name: 'Varnish',
  packages: { apt: 'varnish', dnf: 'varnish', pacman: 'varnish', apk: 'varnish', zypper: 'varnish', brew: 'varnish' },
  services: ['varnish', 'varnishncsa'],
}

/** VCL 4.1, and parameters that the edge is started with, came with this release. */
const oldestVersion = [6, 0] as const

/** Finds Varnish, its two companions and a C compiler; says which of them is missing. */
export async function findVarnish(options: ProgramSearch): Promise<ProvidedEdge | Missing> {
  const [varnishd, varnishadm, varnishstat] = ['varnishd', 'varnishadm', 'varnishstat'].map(
    (name) => findProgram(name, options.env, options.folders),
  )
  if (!varnishd) return { tools: [varnishTool], because: 'Varnish is not installed' }
  if (!varnishadm || !varnishstat) {
    const absent = varnishadm ? 'varnishstat' : 'varnishadm'
    return {
      tools: [varnishTool],
      because: `${varnishd} is here, but ${absent}, which comes with it, is not`,
    }
  }
  const compiler =
    findProgram('gcc', options.env, options.folders) ??
    findProgram('cc', options.env, options.folders)
  if (!compiler)
    return {
      tools: [compilerTool],
      because: 'there is no C compiler, which Varnish needs for each VCL',
    }
  const known = await options.identities.of('varnish-1', varnishd, () =>
    identify(varnishd, options.signal),
  )
  if (!known) return { tools: [varnishTool], because: `${varnishd} does not say that it is Varnish` }
  if (isTooOld(known.version)) {
    return {
      tools: [varnishTool],
      because: `${varnishd} is Varnish ${known.version}, and ${oldestVersion.join('.')} or later is needed`,
    }
  }
  // varnishd calls the compiler for each VCL.
  return { path: varnishd, ...known, companions: { varnishadm, varnishstat, compiler } }
}

async function identify(varnishd: string, signal?: AbortSignal) {
  const asked = await askProgram(varnishd, ['-V'], signal)
  const version = /varnish-(\d+\.\d+\.\d+)/.exec(asked.said ?? '')?.[1]
  return version === undefined ? null : { version, sha256: await sha256Of(varnishd) }
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1])
}
