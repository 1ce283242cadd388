/** The scenario file of an imported log: a plain value, to be kept and changed by hand. */
import { duration, number } from '../report/figures.ts'
import type { Imported } from './import-log.ts'

export interface ScenarioSourceOptions {
  id: string
  found: Imported
  /** As the step is to find it. */
  recording: string
  speed: number
  via: 'origin' | 'edge' | 'tls'
  /** The way from the scenario's folder to `harness/`. */
  harness: string
}

const spareMs = 120_000
const heldMsMin = 100

export function scenarioSource({ id, found, recording, speed, via, harness }: ScenarioSourceOptions): string {
  const hops = { origin: "['origin']", edge: "['origin', 'edge']", tls: "['origin', 'edge', 'tls']" }[via]
  // The server's limit then is the limit of the replay: at ten times the speed, a tenth of it.
  const heldMs = found.longPollMs === null ? null : Math.max(heldMsMin, Math.round(found.longPollMs / speed))
  const origin = heldMs === null ? '' : `, origin: { longPollTimeoutMs: ${heldMs} }`
  const timeoutMs = Math.ceil(found.spanMs / speed + spareMs)
  const title = `What production was asked in ${duration(found.spanMs)} is answered as it was then`
  return `import { defineScenario } from '${harness}/scenario.ts'
import { replay } from '${harness}/steps/replay.ts'
import { answersAreAsRecorded } from '${harness}/checks.ts'

// ${number(found.requests)} requests of ${number(found.streams)} streams, ${number(found.streamsBefore)} of which were there before.
export default defineScenario({
  id: '${id}',
  title: '${title}',
  why: 'An incident that can be run again can be understood, and is known to be over.',
  proves: ['incident-replay'],
  timeoutMs: { quick: ${timeoutMs}, full: ${timeoutMs} },
  world: { hops: ${hops}${origin} },
  runs: 'alone',
  asks: 'by-name',
  steps: [replay({ recording: ${JSON.stringify(recording)}, via: '${via}', speed: ${speed} })],
  checks: [answersAreAsRecorded({ driftMax: 0 })],
})
`
}
