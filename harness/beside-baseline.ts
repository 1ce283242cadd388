/**
 * `--baseline-server-bin`: the candidate and the current release, run in turn under the same conditions, then
 * side by side. Verdict and exit code are the candidate's.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { configDifferences } from './config-differences.ts'
import { interruptionOf, UsageError } from './errors.ts'
import { besideBaseline, type BesideBaseline } from './report/baseline.ts'
import { baselinePage } from './report/baseline-page.ts'
import { repetitionsOf } from './report/repetitions.ts'
import type { Result } from './report/result.ts'

export type SideName = 'baseline' | 'candidate'

/** One run to be made. */
export interface SideRun {
  side: SideName
  /** From 1. */
  round: number
  /** Of this run. */
  runId: string
  /** Where its folder goes: the baseline's below the candidate's of the same round. */
  out: string
}

export interface BesideOptions {
  rounds: number
  out: string
  newRunId(): string
  run(asked: SideRun): Promise<Result>
  signal: AbortSignal
}

export interface Beside {
  compared: BesideBaseline
  /** The run of the candidate that its verdict is from: the worst. */
  decisive: Result
  exitCode: number
  /** Where the comparison was written, as JSON and as a page. */
  page: string
}

/** Alternates who comes first, so that a machine that slows down does not speak against one side. */
export async function runBesideBaseline({ rounds, out, newRunId, run, signal }: BesideOptions): Promise<Beside | null> {
  const results: Record<SideName, Result[]> = { baseline: [], candidate: [] }
  for (let round = 1; round <= rounds && !signal.aborted; round += 1) {
    const runId = newRunId()
    const asked: Record<SideName, SideRun> = {
      candidate: { side: 'candidate', round, runId, out },
      baseline: { side: 'baseline', round, runId: newRunId(), out: path.join(out, runId, 'baseline') },
    }
    const order: SideName[] = round % 2 === 1 ? ['baseline', 'candidate'] : ['candidate', 'baseline']
    for (const side of order) {
      if (signal.aborted) break
      const result = await run(asked[side]).catch((error: unknown) => refused(error, side))
      // One that was cut short says nothing beside one that was not; of the candidate it stands for itself.
      if (!signal.aborted || (side === 'candidate' && results.candidate.length === 0)) results[side].push(result)
    }
  }
  return results.candidate.length === 0 ? null : concluded(results, out, signal)
}

/** Which of the two binaries a sentence speaks of. */
function refused(error: unknown, side: SideName): never {
  if (side === 'baseline' && error instanceof UsageError) throw new UsageError(`The baseline could not be run: ${error.message.replaceAll('--server-bin', '--baseline-server-bin')}`, { cause: error })
  throw error
}

async function concluded({ baseline, candidate }: Record<SideName, Result[]>, out: string, signal: AbortSignal): Promise<Beside> {
  const compared = besideBaseline(baseline, candidate)
  if (compared.rounds > 0) {
    const run = path.join(out, candidate[0]!.runId)
    compared.differently.push(...(await configDifferences(path.join(run, 'baseline', baseline[0]!.runId), run)))
  }
  const { exitCode: code } = repetitionsOf(candidate)
  const decisive = candidate.find(({ exitCode }) => exitCode === code) ?? candidate[0]!
  const folder = path.join(out, candidate.at(-1)!.runId)
  await mkdir(folder, { recursive: true })
  const page = path.join(folder, 'beside-baseline.html')
  await writeFile(page, baselinePage(compared, decisive))
  await writeFile(path.join(folder, 'beside-baseline.json'), JSON.stringify(compared, null, 2))
  return { compared, decisive, exitCode: interruptionOf(signal)?.exitCode ?? code, page }
}
