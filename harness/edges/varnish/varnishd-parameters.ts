/** Parameters of varnishd that a VCL asks for in its first comments. */
import { UsageError } from '../../errors.ts'

export interface VarnishdParameter {
  readonly name: string
  readonly value: string
}

/** Parameters that would run a program, load code or open the way to inline C. */
const forbidden = new Set(['cc_command', 'cc_warnings', 'vmod_path', 'vcl_path', 'vcc_feature'])
const forbiddenPrefix = 'vcc_allow_'

/**
 * Reads lines of the form `// varnishd -p name=value` (or with `#`) before the first line of code.
 * A VCL can so say which settings of the program it was written for.
 *
 * @throws UsageError for a malformed line or a parameter that reaches outside.
 */
export function parseVarnishdParameters(source: string, file = 'the VCL'): VarnishdParameter[] {
  const parameters: VarnishdParameter[] = []
  for (const [index, line] of source.split('\n').entries()) {
    const text = line.trim()
    if (text !== '' && !/^(\/\/|#)/.test(text)) break
    const asked = /^(?:\/\/|#)\s*varnishd\s+(.*)$/.exec(text)?.[1]
    if (asked !== undefined) parameters.push(parse(asked, `${file}:${index + 1}`))
  }
  return parameters
}

function parse(asked: string, place: string): VarnishdParameter {
  const [, name, value] = /^-p\s+([a-z][a-z0-9_]*)=([\w.,+:-]+)\s*$/.exec(asked) ?? []
  if (name === undefined || value === undefined) {
    throw new UsageError(
      `${place}: "varnishd ${asked}" is not of the form "varnishd -p name=value".`,
    )
  }
  if (forbidden.has(name) || name.startsWith(forbiddenPrefix)) {
    throw new UsageError(`${place}: the parameter "${name}" is not allowed in a simulation.`)
  }
  return { name, value }
}

/** What varnishd does with answers that say nothing of it, 120 s unless the VCL's comments set another. */
export function varnishdDefaults(source: string): { ttlSeconds: number } {
  const given = parseVarnishdParameters(source).find(({ name }) => name === 'default_ttl')?.value
  const seconds = Number.parseFloat(given ?? '')
  return { ttlSeconds: Number.isNaN(seconds) ? 120 : seconds }
}
