/** A shrunk schedule as a scenario file: one line a move, to be read, kept and run. */
import type { CheckSpec } from '../check-spec.ts'
import { duration } from '../report/figures.ts'
import type { Scenario } from '../scenario.ts'
import type { Move } from '../schedule/moves.ts'

export interface Shrunk {
  id: string
  /** What it was found in. */
  from: Scenario
  spec: CheckSpec
  moves: readonly Move[]
  /** How many moves the path had. */
  movesBefore: number
  /** What the check said of it, in one line. */
  because: string
  /** What reproduces it, beside the file: '--vcl my.vcl'. */
  flags: string
  /** The way from the file's folder to `harness/`. */
  harness: string
  tookMs: number
}

/** The text of the file `<id>.ts`. */
export function scenarioSource({ id, from, spec, moves, movesBefore, because, flags, harness, tookMs }: Shrunk): string {
  const constructor = spec.check.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const rows = spec.rows ?? from.proves
  const { staleMs: _bound, ...limits } = spec.limits
  return `import { defineScenario } from '${harness}/scenario.ts'
import { schedule } from '${harness}/steps/schedule.ts'
import { ${constructor} } from '${harness}/checks.ts'

// Shrunk from ${from.id}: ${movesBefore} moves to ${moves.length}, in ${duration(tookMs)}.
// ${because}
// npm run simulate -- <this file>${flags === '' ? '' : ` ${flags}`}
export default defineScenario({
  id: '${id}',
  title: ${quoted(`${from.title} (shrunk)`)},
  why: ${quoted(from.why)},
  proves: [${rows.map(quoted).join(', ')}],
  timeoutMs: { quick: 60_000, full: 60_000 },
  world: ${oneLine(from.world)},
  runs: 'beside-others',
  steps: [
    schedule({
      moves: [
${moves.map((move) => `        ${oneLine(move)},`).join('\n')}
      ],
    }),
  ],
  checks: [${constructor}(${oneLine(limits)}, [${rows.map(quoted).join(', ')}])],
})
`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** A plain value as it is written in this project's files. */
function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${oneLine(field)}`)
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}
