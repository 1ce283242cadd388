/** The runs that are kept, a line each, the newest first. Pure. */
import { duration, instant } from './figures.ts'
import { verdictTitle } from './groups.ts'
import { neutralise } from './neutralise.ts'
import type { Result } from './result.ts'
import { failedScenarios } from './repetitions.ts'

/** A run's folder; without a result where another version of the simulator wrote it, or none. */
export interface KeptRun {
  name: string
  result: Result | null
  bytes: number
}

export function runListLines(runs: readonly KeptRun[]): string[] {
  if (runs.length === 0) return ['No run is kept here.']
  return runs.map(({ name, result, bytes }) => neutralise(`${name}  ${sizeOf(bytes).padStart(6)}  ${result === null ? 'a result that this version cannot read' : runWords(result)}`))
}

function runWords(result: Result): string {
  const failed = failedScenarios(result)
  const { kind, version } = result.subject
  const what = failed.length === 0 ? '' : `; not passed: ${failed.slice(0, 4).join(', ')}${failed.length > 4 ? ` and ${failed.length - 4} more` : ''}`
  return `${verdictTitle(result).padEnd(9)} score ${String(result.score).padStart(3)}, ${kind} ${version}, ${result.profile}, ${instant(result.startedAt)}, ${duration(result.durationMs)}${what}`
}

function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${Math.round(bytes / 1e6)} MB`
}
