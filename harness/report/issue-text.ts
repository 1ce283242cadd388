/** What an issue of a failure says. All that came from a server stands in code, where nothing acts. Pure. */
import type { Failure } from './failures.ts'
import { instant, plural } from './figures.ts'
import { markerOf, type IssueState } from './issue-state.ts'
import { codeBlock, codeSpan, text } from './markdown-text.ts'
import { clip, neutralise } from './neutralise.ts'
import { readableEvidence, shortened } from './readable-evidence.ts'

/** GitHub's limits. */
export const bodyCharactersMax = 65_536
export const titleCharactersMax = 256

/** A failure of this night, in the run that saw it. */
export interface SeenFailure {
  failure: Failure
  runId: string
  /** 'production server 0.3.1, release 0.3.1' */
  judged: string
  /** The capsule that replays it, by its name; null where none was kept. */
  capsule: string | null
}

export interface Where {
  /** The page of the CI run; null outside of CI. */
  runUrl: string | null
  /** Nights in a row until an issue is closed. */
  closeAfter: number
}

export function titleOf({ check, fingerprint }: Failure): string {
  const rest = fingerprint.split('/').slice(1).filter((part) => part !== 'any' && part !== 'none')
  return clip(neutralise(`Simulation: ${check}${rest.length === 0 ? '' : ` (${rest.join(', ')})`}`), titleCharactersMax - 40)
}

/** The hidden state comes first: however long the rest is, it is there. */
export function bodyOf(state: IssueState, seen: readonly SeenFailure[], where: Where): string {
  const head = [markerOf(state), '', ...summaryOf(state, seen)]
  const foot = ['', '---', ...footOf(where)]
  let room = bodyCharactersMax - lengthOf(head) - lengthOf(foot) - 200
  const parts: string[] = []
  for (const [index, part] of seen.map(detailsOf).entries()) {
    if (lengthOf(part) > room) return [...head, ...parts, '', `${plural(seen.length - index, 'scenario')} more: see the report.`, ...foot].join('\n')
    room -= lengthOf(part)
    parts.push(...part)
  }
  return [...head, ...parts, ...foot].join('\n')
}

function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, 0)
}

function summaryOf(state: IssueState, seen: readonly SeenFailure[]): string[] {
  const known = state.scenarios.every((scenario) => scenario.known)
  return [
    `**${text(seen[0]?.failure.title ?? state.fingerprint)}**`,
    '',
    `- Fingerprint: ${codeSpan(state.fingerprint)}`,
    `- Judged: ${text(state.series)}${seen[0] ? `, ${text(seen[0].judged)}` : ''}`,
    `- Failed in ${plural(state.nightsFailed, 'night')}, first ${text(instant(state.firstSeen))}, last ${text(instant(state.lastSeen))}`,
    ...state.scenarios.slice(0, scenariosShownMax).map((scenario) => `- ${codeSpan(scenario.id)}: ${scenario.passes === 0 ? `fails${scenario.known ? '; known of this server version' : ''}` : `passed in the last ${plural(scenario.passes, 'night')}`}`),
    ...(state.scenarios.length > scenariosShownMax ? [`- and ${plural(state.scenarios.length - scenariosShownMax, 'scenario')} more`] : []),
    ...(known ? ['', 'The ledger of expected failures has it. It stays red: an entry tells old from new, and turns nothing green.'] : []),
  ]
}

const scenariosShownMax = 50
const evidenceMax = 8
const lineCharactersMax = 1_500

function detailsOf({ failure, runId, capsule }: SeenFailure): string[] {
  const { known } = failure
  return [
    '',
    `### ${text(failure.scenario)}`,
    '',
    ...codeBlock([clip(shortened(failure.because), lineCharactersMax), ...failure.evidence.slice(0, evidenceMax).map((line) => clip(readableEvidence(line), lineCharactersMax))]),
    ...(known ? ['', `Known: ${text(known.why)}${known.issue === null ? '' : ` Reported: ${codeSpan(known.issue)}`}`] : []),
    ...(failure.reproduce === '' ? [] : ['', 'Repeat it:', ...codeBlock([clip(failure.reproduce, lineCharactersMax)], 'sh')]),
    ...(capsule === null ? [] : ['', 'Or replay its capsule, which lies among the artifacts of the run:', ...codeBlock([`npm run simulate -- --replay ${capsule}`], 'sh')]),
    '',
    `Run ${codeSpan(runId)}.`,
  ]
}

function footOf({ runUrl, closeAfter }: Where): string[] {
  return [
    ...(runUrl === null ? [] : [`Report, capsules and logs: ${runUrl}`, '']),
    `This text is written anew each night; write into comments. The issue is closed after ${plural(closeAfter, 'night')} in a row in which its failure was seen to pass, and opened again if it comes back; one that a person closes as "not planned" is left alone.`,
  ]
}

export const comments = {
  failsAgain: (runId: string) => `Fails again, in run ${codeSpan(runId)}.`,
  alsoIn: (scenarios: readonly string[], runId: string) => `Now also in ${scenarios.map(codeSpan).join(', ')}, in run ${codeSpan(runId)}.`,
  passes: (closeAfter: number, runId: string, isKnown: boolean) => `Passed in run ${codeSpan(runId)}.${ledgerHint(isKnown)} This is the first night; after ${closeAfter} in a row the issue is closed.`,
  closed: (closeAfter: number, runId: string, isKnown: boolean) => `Passed in ${plural(closeAfter, 'night')} in a row, the last time in run ${codeSpan(runId)}.${ledgerHint(isKnown)} Closed.`,
  duplicate: (of: number) => `The same failure as #${of}, which goes on.`,
}

function ledgerHint(isKnown: boolean): string {
  return isKnown ? ' If it is fixed upstream, its entry can be removed from the ledger of expected failures.' : ''
}
