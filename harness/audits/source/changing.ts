/** Values that differ with every run or request: the time, random numbers and ids. Pure. */
import type { Evaluator } from './evaluate.ts'
import type { Value } from './values.ts'

const ofRuntime = new Set(['Date now', 'Math random', 'performance now', 'crypto randomUUID', 'crypto getRandomValues'])
const packages = new Set(['uuid', 'nanoid', 'ulid', 'ulidx', 'cuid', '@paralleldrive/cuid2', 'short-uuid', 'crypto'])

export function isChanging(value: Value, evaluator: Evaluator, depth = 0): boolean {
  if (depth > 8) return false
  const inner = (one: Value) => isChanging(one, evaluator, depth + 1)
  switch (value.kind) {
    case 'text':
      return value.parts.some((part) => typeof part !== 'string' && inner(part.hole))
    case 'either':
      return value.values.every(inner)
    case 'member':
      return inner(value.of)
    case 'function':
      return inner(evaluator.call(value, [], false))
    case 'made':
      return value.of.kind === 'member' ? inner(value.of.of) : value.of.kind === 'external' && isSource(value.of.package, value.of.path, value.by, value.node?.arguments.length ?? 0)
    default:
      return false
  }
}

function isSource(from: string, path: readonly string[], by: 'call' | 'new', args: number): boolean {
  if (from !== '') return packages.has(from) && path.at(-1) !== 'createHash' && path.at(-1) !== 'createHmac'
  const name = (path[0] === 'globalThis' || path[0] === 'window' ? path.slice(1) : path).join(' ')
  return ofRuntime.has(name) || (name === 'Date' && by === 'new' && args === 0)
}
