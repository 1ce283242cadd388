/**
 * A run of so many operations without its servers: `program.ts FOLDER OPERATIONS`. Everything from the
 * recorder on is the harness's own: events are judged as they come and written into the history, then
 * the result is concluded, saved and rendered. Prints one line of JSON.
 */
import { concludeAll, type GatheredFacts } from '../../harness/conclude.ts'
import {
  aliveUntilExpiry,
  everyStreamStillExists,
  expiredIsGone,
  killsHitAWorkingServer,
  liveReadersEnd,
  nothingAcknowledgedIsLost,
  nothingIsTorn,
  nothingIsTwice,
  orderIsKept,
  readyWithin,
} from '../../harness/checks.ts'
import type { Assertions } from '../../harness/check-spec.ts'
import { monotonicMs } from '../../harness/clock.ts'
import { gatherHarness, gatherHost } from '../../harness/gather-environment.ts'
import { HistoryFile } from '../../harness/history-file.ts'
import { Recorder, Sequence } from '../../harness/recorder.ts'
import { schemaVersion, type Result } from '../../harness/report/result.ts'
import { RunJudge } from '../../harness/run-judge.ts'
import { saveResult } from '../../harness/save-result.ts'
import { playOperations } from './play.ts'

export interface Played {
  /** The operations themselves: how fast the harness can take them. */
  playMs: number
  /** From the last event to the result and the report on the disk. */
  finishMs: number
  residentMaxKb: number
}

/** Every check that has to do with operations. */
const asserts: Assertions = {
  id: 'million-operations',
  title: 'A million operations that no server answered',
  why: 'What a long run costs the harness itself.',
  proves: ['durability-crash'],
  checks: [
    killsHitAWorkingServer(),
    nothingAcknowledgedIsLost(),
    nothingIsTwice(),
    nothingIsTorn(),
    orderIsKept(),
    everyStreamStillExists(),
    readyWithin(),
    aliveUntilExpiry(),
    expiredIsGone(),
    liveReadersEnd(),
  ],
}
const facts: GatheredFacts = { audits: [], originKind: 'reference', partial: true, twins: [], reproduceOptions: '' }

const [folder, operations] = process.argv.slice(2)
process.stdout.write(`${JSON.stringify(await playRun(folder!, Number(operations)))}\n`)

async function playRun(folder: string, count: number): Promise<Played> {
  const environment = { harness: await gatherHarness(), host: await gatherHost() }
  const history = new HistoryFile(folder)
  const judge = new RunJudge()
  const sequence = new Sequence()
  const run = new Recorder('', sequence, [judge, history])
  const scenario = new Recorder(asserts.id, sequence, [judge, history])
  run.record({ kind: 'run', phase: 'begin', facts })
  scenario.record({ kind: 'scenario', phase: 'begin', asserts })
  const beginMs = monotonicMs()
  await playOperations(scenario, count)
  const lastMs = monotonicMs()
  scenario.record({ kind: 'scenario', phase: 'end', stoppedBecause: null })
  run.record({ kind: 'run', phase: 'end', interruptedBecause: null })
  await history.close()
  await saveResult(folder, resultOf(judge, environment))
  const playMs = lastMs - beginMs
  return { playMs, finishMs: monotonicMs() - lastMs, residentMaxKb: process.resourceUsage().maxRSS }
}

function resultOf({ scenarios }: RunJudge, { harness, host }: Pick<Result, 'harness'> & { host: Awaited<ReturnType<typeof gatherHost>> }): Result {
  return {
    schemaVersion,
    runId: 'played',
    ...concludeAll({ ...facts, scenarios, notRun: [] }, null),
    scope: ['Judged: no server; the operations were played.'],
    banners: [],
    harness,
    subject: { kind: 'reference', version: 'none', sha256: null, label: 'played', hops: [], fileChanges: [] },
    runtime: 'processes',
    profile: 'full',
    seed: 1,
    startedAt: new Date().toISOString(),
    durationMs: 0,
    host: { ...host, readersMax: 0, readersMaxBecause: '' },
    options: {},
    scenarios,
    notRun: [],
    expectedFailures: [],
  }
}
