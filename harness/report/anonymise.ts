/** A result without what belongs to the machine it was made on: to be shown to others. */
import type { Result } from './result.ts'

/** Where absolute paths of a machine begin; paths of URLs begin elsewhere. */
const machinePath = /(?<![\w./:])\/(?:Users|etc|home|mnt|opt|private|proc|root|run|srv|tmp|usr|var|work)\/[^\s"'`;,()]*/g

/**
 * The result with absolute paths cut to their last part, the names in `names` (host, user) taken
 * out, the kernel's version left out, and measured numbers rounded to what anybody reads.
 */
export function anonymised(result: Result, names: readonly string[]): Result {
  const { out: _out, serverBin: _serverBin, ...options } = result.options
  const own = names.filter((name) => name !== '').map((name) => new RegExp(`(?<![\\w-])${name.replace(/[^\w-]/g, '\\$&')}(?![\\w-])`, 'g'))
  const shown = { ...result, options, host: { ...result.host, kernel: result.host.kernel.split(' ')[0]! } }
  return mapped(shown, (text) => own.reduce((rest, name) => rest.replace(name, 'this-host'), text.replace(machinePath, lastPart))) as Result
}

function lastPart(file: string): string {
  const parts = file.split('/').filter(Boolean)
  return `…/${parts.at(-1) ?? ''}`
}

function mapped(value: unknown, text: (value: string) => string): unknown {
  if (typeof value === 'string') return text(value)
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toFixed(4))
  if (Array.isArray(value)) return value.map((item) => mapped(item, text))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapped(inner, text)]))
}
