import { defineScenario } from '../harness/scenario.ts'
import { readCopiedStreams } from '../harness/steps/read-copied-streams.ts'
import { start, stop } from '../harness/steps/start-stop.ts'
import { copiedStreamsAreWhole, readyWithin } from '../harness/checks.ts'

export default defineScenario({
  id: 'copied-data-dir-opens',
  title: "A copy of production's data_dir opens, and every stream in it is whole",
  why: 'In the night of an incident one must know what is on the disk, before anything touches it.',
  proves: ['persistence-data-dir', 'ops-restart'],
  timeoutMs: { quick: 1_800_000, full: 1_800_000 },
  world: { hops: ['origin'], copiedDataDir: true },
  runs: 'alone',
  asks: 'data-dir-from',
  steps: [readCopiedStreams(), stop('origin'), start('origin', { label: 'the copy, after a stop' })],
  healed: [readCopiedStreams()],
  checks: [copiedStreamsAreWhole({}, ['persistence-data-dir']), readyWithin({ readyMs: 10_000 }, ['ops-restart'])],
})
