/**
 * What a CI job ends with after one or more runs. Unknown is no success, and neither is the reference
 * server. A soak judges one row alone: by that row it is taken, where its run's own verdict says only
 * that the rest was not run. Pure.
 */
import { exitCodes } from '../errors.ts'
import { headline, judgesTwin, waiverSentence, type ChecklistRow } from './groups.ts'
import { verdictCodes, worstCode } from './repetitions.ts'
import type { Result } from './result.ts'

export type FailOn = 'unknown' | 'failure'

export interface Gate {
  exitCode: number
  /** A sentence for each run, then one for all. */
  lines: string[]
}

/**
 * `failOn: 'failure'` lets pass, loudly, what could not be judged; never what failed, nor a run whose
 * process did not end with a verdict (`endedWith`, where it is known: a killed one leaves a result that
 * says unknown).
 */
export function gateOf(results: readonly Result[], failOn: FailOn, endedWith?: number): Gate {
  const codes = results.map(codeOf)
  if (endedWith !== undefined && !verdictCodes.includes(endedWith)) {
    const lines = results.map((result) => `${result.runId} (${result.profile}): ${words(result)}`)
    return { exitCode: endedWith, lines: [...lines, `The simulation itself ended with ${endedWith}: see the end of its log.`] }
  }
  const lines = results.map((result, index) => `${result.runId} (${result.profile}), counted as ${codes[index]}: ${words(result)}`)
  const worst = worstCode(codes)
  if (worst === exitCodes.ready) return { exitCode: worst, lines: [...lines, 'Everything that was asked was seen to hold.'] }
  if (worst !== exitCodes.unknown || failOn === 'unknown') return { exitCode: worst, lines: [...lines, endings[worst] ?? `A run ended with ${worst}, so that this job is red.`] }
  return { exitCode: exitCodes.ready, lines: [...lines, 'NOT A SUCCESS: something could not be judged; the job is green only because it was told to fail on failures alone.'] }
}

const endings: Record<number, string> = {
  [exitCodes.notReady]: 'Something failed, so that this job is red. A known failure is a failure.',
  [exitCodes.unknown]: 'Something could not be judged, and unknown is no success, so that this job is red.',
}

/** Rows that are red and that this run is there for. */
export function redRows({ checklist, profile }: Result): string[] {
  return checklist.filter((row) => row.verdict === 'fail' && !row.waived && (row.required || (profile === 'soak' && row.id === 'soak'))).map(({ id }) => id)
}

function codeOf(result: Result): number {
  const { exitCode } = result
  if (exitCode !== exitCodes.unknown && exitCode !== exitCodes.ready) return exitCode
  if (redRows(result).length > 0) return exitCodes.notReady
  return exitCode === exitCodes.unknown && soakHolds(result) ? exitCodes.ready : exitCode
}

/** On the production server, unbroken, and to its end; or its owner waives it. */
function soakHolds(result: Result): boolean {
  const { profile, subject, scenarios } = result
  const row = soakRow(result)
  const passed = row?.verdict === 'pass' && scenarios.every(({ verdict }) => verdict === 'pass')
  return profile === 'soak' && subject.kind === 'production' && !judgesTwin(result) && scenarios.length > 0 && (passed || row?.waived !== undefined)
}

function soakRow({ checklist }: Result): ChecklistRow | undefined {
  return checklist.find(({ id }) => id === 'soak')
}

function words(result: Result): string {
  const red = redRows(result)
  const server = result.subject.kind === 'reference' ? ' THE REFERENCE SERVER WAS JUDGED, NOT THE PRODUCTION SERVER.' : ''
  const row = soakRow(result)
  if (soakHolds(result)) return row!.waived ? `the soak does not hold, which is waived. ${waiverSentence(row!, result)} Seen: ${row!.because}` : `the soak holds: ${row!.because}`
  return `${headline(result)}${red.length === 0 || result.because.includes(red[0]!) ? '' : ` Red: ${red.join(', ')}.`}${server}`
}
