/** A scenario as a file: its plain value, a line a step with what it means, to be read, kept and run. */
import { isObject, type Json, type JsonObject } from '../confine/json.ts'
import { duration, plural } from '../report/figures.ts'
import { neutralise } from '../report/neutralise.ts'
import type { Scenario } from '../scenario.ts'
import { stepWords } from '../step-words.ts'
import { isStep } from './concrete.ts'
import type { Rate, Shrunk } from './shrink-capsule.ts'

export interface SourceOptions {
  shrunk: Shrunk
  /** What it was found in. */
  from: Scenario
  fingerprint: string
  /** The command that runs it. */
  command: string
  /** The way from the file's folder to `harness/`. */
  harness: string
}

/** The text of the file `<id>.ts`. */
export function scenarioSource({ shrunk, from, fingerprint, command, harness }: SourceOptions): string {
  const { scenario, stepsBefore, steps, rate, rateBefore, because, trials, tookMs, isWhole } = shrunk
  const { id, title, why, proves, timeoutMs, world, runs, asks, checks } = scenario
  const more = rate === null ? ' Whether the last one fails as often was not seen.' : ''
  return `import { defineScenario } from '${harness}/scenario.ts'

// Shrunk from ${from.id}: ${stepsBefore} steps to ${steps}, in ${duration(tookMs)} and ${trials} trials${isWhole ? '' : '; there was no time to look for less'}.${more}
// Fails in ${rateWords(rate ?? rateBefore)}: ${oneComment(fingerprint)}
// ${oneComment(because)}
// ${oneComment(command)}
// To keep it, copy it to scenarios/${id}.ts, and import from '../harness/scenario.ts'.
export default defineScenario({
  id: ${text(id)},
  title: ${text(title.endsWith('(shrunk)') ? title : `${title} (shrunk)`)},
  why: ${text(why)},
  proves: ${inline(proves)},
  timeoutMs: ${inline(timeoutMs)},
  world: ${inline(world as unknown as Json)},
  runs: ${text(runs)},${asks === undefined ? '' : `\n  asks: ${text(asks)},`}
  steps: ${list(scenario.steps as unknown as Json[], '  ')},
  healed: ${list(scenario.healed as unknown as Json[], '  ')},
  checks: ${list(checks.map(withoutBound) as unknown as Json[], '  ')},
})
`
}

export function rateWords({ failed, of }: Rate): string {
  return `${failed} of ${plural(of, 'run')}`
}

/** The run says how old an answer may be. */
function withoutBound({ limits: { staleMs: _bound, ...limits }, ...spec }: Scenario['checks'][number]) {
  return { ...spec, limits }
}

/** An element a line; steps that hold others over several, and each behind what it does. */
function list(values: readonly Json[], indent: string): string {
  if (values.length === 0) return '[]'
  const inner = `${indent}  `
  return `[\n${values.map((value) => `${comment(value, inner)}${inner}${element(value, inner)},\n`).join('')}${indent}]`
}

function comment(value: Json, indent: string): string {
  if (!isStep(value)) return ''
  const words = stepWords(value, (sized) => sized as number)
  return words === null ? '' : `${indent}// ${oneComment(words)}\n`
}

function element(value: Json, indent: string): string {
  if (!isObject(value) || !Object.values(value).some(isLong)) return inline(value)
  const fields = Object.entries(value).map(([name, field]) => `${indent}  ${key(name)}: ${isLong(field) ? list(field as Json[], `${indent}  `) : inline(field)},\n`)
  return `{\n${fields.join('')}${indent}}`
}

/** A list of steps, moves, lines or looks. */
function isLong(value: Json): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isObject)
}

/** A plain value as it is written in this project's files. */
function inline(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (typeof value === 'string') return text(value)
  if (typeof value === 'number') return String(value).replace(/(?<=\d)(?=(\d{3})+$)/g, '_')
  if (!isObject(value)) return String(value)
  const fields = Object.entries(value as JsonObject).map(([name, field]) => `${key(name)}: ${inline(field)}`)
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : text(name)
}

function text(value: string): string {
  return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** A capsule may come from anybody: nothing of it ends the comment that it stands in. */
function oneComment(words: string): string {
  return neutralise(words).replaceAll(/[\r\n\u2028\u2029]+/g, ' ').slice(0, 600)
}
