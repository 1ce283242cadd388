/**
 * One issue for each distinct failure, never one a night: what has to be opened, written anew, closed or
 * opened again, from this night's results and the issues there are. Pure; nothing here changes anything.
 */
import { capsuleOf } from './capsule-name.ts'
import { failuresOf, seenAgain } from './failures.ts'
import { stateIn, stateKey, type IssueState } from './issue-state.ts'
import { bodyOf, comments, titleOf, type SeenFailure, type Where } from './issue-text.ts'
import { subjectOf } from './nights.ts'
import type { Result } from './result.ts'

/** What the plan needs of an issue, as GitHub's REST API has it. */
export interface Issue {
  number: number
  state: 'open' | 'closed'
  stateReason: string | null
  body: string | null
  labels: string[]
}

/** One change. All but `open` name the issue's number. */
export type Action =
  | { do: 'open'; key: string; title: string; body: string; labels: string[] }
  | { do: 'update'; key: string; number: number; body?: string; labels?: string[]; state?: 'open' | 'closed'; stateReason?: string; comment?: string }
  /** Nothing is changed, and why. */
  | { do: 'leave'; key: string; number: number | null; because: string }

export interface Night {
  result: Result
  /** The names of the capsules in the run's folder. */
  capsules: string[]
}

export interface PlanOptions extends Where {
  label: string
  /** So many issues are opened a night; the rest waits, and is told. */
  openMax: number
}

export const knownLabel = 'known-failure'

/** The changes that one night asks for, in the order in which they are to be made. */
export function planIssues(nights: readonly Night[], issues: readonly Issue[], options: PlanOptions): Action[] {
  const { kept, duplicates } = oneEach(issues)
  const failing = failingTonight(nights)
  const isWaived = (seen: SeenFailure[]) => seen.every(({ failure }) => failure.waived !== null)
  const news = [...failing].filter(([key]) => !kept.has(key))
  const opened = news.filter(([, seen]) => !isWaived(seen))
  return [
    ...duplicates,
    ...[...kept].map(([key, one]) => {
      const seen = failing.get(key) ?? []
      return seen.length > 0 && isWaived(seen) ? waived(key, one.issue.number) : changed(key, one, seen, nights, options)
    }),
    ...news.filter(([, seen]) => isWaived(seen)).map(([key]) => waived(key, null)),
    ...opened.slice(0, options.openMax).map(([key, seen]) => fresh(key, seen, nights, options)),
    ...opened.slice(options.openMax).map(([key]): Action => ({ do: 'leave', key, number: null, because: `${options.openMax} issues are opened a night; this one waits` })),
  ]
}

function waived(key: string, number: number | null): Action {
  return { do: 'leave', key, number, because: 'it fails, and its rows are waived' }
}

interface Known {
  issue: Issue
  state: IssueState
}

/** Of several issues of one failure the oldest open one goes on, else the newest closed one that is no duplicate. */
function oneEach(issues: readonly Issue[]): { kept: Map<string, Known>; duplicates: Action[] } {
  const all = issues.flatMap((issue) => {
    const state = stateIn(issue.body)
    return state ? [{ issue, state }] : []
  })
  const groups = [...Map.groupBy(all, ({ state }) => stateKey(state))].map(([key, group]) => {
    const open = group.filter(({ issue }) => issue.state === 'open').toSorted((a, b) => a.issue.number - b.issue.number)
    const closed = group.toSorted((a, b) => Number(isUnwanted(a.issue)) - Number(isUnwanted(b.issue)) || b.issue.number - a.issue.number)
    return { key, kept: open[0] ?? closed[0]!, others: open.slice(1) }
  })
  const duplicates = groups.flatMap(({ key, kept, others }) =>
    others.map(({ issue }): Action => ({ do: 'update', key, number: issue.number, state: 'closed', stateReason: 'not_planned', comment: comments.duplicate(kept.issue.number) })),
  )
  return { kept: new Map(groups.map(({ key, kept }) => [key, kept])), duplicates }
}

function isUnwanted({ stateReason }: Issue): boolean {
  return stateReason === 'not_planned' || stateReason === 'duplicate'
}

/** By issue, one entry a scenario; what is new and severe first. */
function failingTonight(nights: readonly Night[]): Map<string, SeenFailure[]> {
  const seen = nights.flatMap(({ result, capsules }) =>
    failuresOf(result).map((failure) => {
      const name = capsuleOf(result, failure)
      const { kind, version, label } = result.subject
      const judged = `${kind} server ${version}${kind === 'production' ? `, ${label}` : ''}`
      const one: SeenFailure = { failure, runId: result.runId, judged, capsule: name !== null && capsules.includes(name) ? name : null }
      return { key: stateKey({ fingerprint: failure.fingerprint, series: subjectOf(result) }), one }
    }),
  )
  return new Map([...Map.groupBy(seen, ({ key }) => key)].map(([key, all]) => [key, all.map(({ one }) => one)]))
}

function fresh(key: string, seen: SeenFailure[], nights: readonly Night[], options: PlanOptions): Action {
  const [fingerprint, series] = JSON.parse(key) as [string, string]
  const runs = runsOf(series, nights)
  const startedAt = startOf(runs)
  const scenarios = seen.map(({ failure }) => ({ id: failure.scenario, known: failure.known !== null, passes: 0 }))
  const state: IssueState = { v: 1, fingerprint, series, scenarios, firstSeen: startedAt, lastSeen: startedAt, nightsFailed: 1, runs: runs.map(({ runId }) => runId) }
  return { do: 'open', key, title: titleOf(seen[0]!.failure), body: bodyOf(state, seen, options), labels: [options.label, ...(isKnown(state) ? [knownLabel] : [])] }
}

function runsOf(series: string, nights: readonly Night[]): Result[] {
  return nights.map(({ result }) => result).filter((result) => subjectOf(result) === series)
}

function startOf(runs: readonly Result[]): string {
  return runs.map(({ startedAt }) => startedAt).toSorted()[0]!
}

/** Every scenario in which it fails; one that is healed says nothing. */
function isKnown({ scenarios }: IssueState): boolean {
  const failing = scenarios.filter(({ passes }) => passes === 0)
  return (failing.length > 0 ? failing : scenarios).every(({ known }) => known)
}

function changed(key: string, known: Known, seen: SeenFailure[], nights: readonly Night[], options: PlanOptions): Action {
  const { issue, state } = known
  const runs = runsOf(state.series, nights)
  const leave = (because: string): Action => ({ do: 'leave', key, number: issue.number, because })
  if (runs.length === 0) return leave('this night has no run of its series')
  if (runs.every(({ runId }) => state.runs.includes(runId))) return leave('this night is counted already')
  if (seen.length > 0 && issue.state === 'closed' && isUnwanted(issue)) return leave('it fails, and its issue was closed as not planned')
  if (seen.length > 0) return stillFails(key, known, seen, runs, options)
  if (issue.state === 'closed') return leave('it is closed, and does not fail')
  return mayPass(key, known, runs, options)
}

function stillFails(key: string, { issue, state }: Known, seen: SeenFailure[], runs: readonly Result[], options: PlanOptions): Action {
  const failing = new Map(seen.map((one) => [one.failure.scenario, one.failure.known !== null]))
  const before = new Map(state.scenarios.map((scenario) => [scenario.id, scenario]))
  const others = afterTonight(state, runs).filter(({ id }) => !failing.has(id))
  const next: IssueState = {
    ...state,
    scenarios: [...[...failing].map(([id, known]) => ({ id, known, passes: 0 })), ...others],
    lastSeen: startOf(runs),
    nightsFailed: state.nightsFailed + 1,
    runs: runs.map(({ runId }) => runId),
  }
  const runId = seen[0]!.runId
  const isBack = issue.state === 'closed' || state.scenarios.every(({ passes }) => passes > 0)
  const added = [...failing.keys()].filter((id) => !before.has(id))
  const comment = isBack ? comments.failsAgain(runId) : added.length > 0 ? comments.alsoIn(added, runId) : null
  return {
    do: 'update',
    key,
    number: issue.number,
    body: bodyOf(next, seen, options),
    ...labelsOf(issue, next, options),
    ...(issue.state === 'closed' ? { state: 'open' as const } : {}),
    ...(comment === null ? {} : { comment }),
  }
}

/** The scenarios as this night leaves them: those that were judged and passed count one night more. */
function afterTonight(state: IssueState, runs: readonly Result[]): IssueState['scenarios'] {
  return state.scenarios.map((scenario) => {
    const seen = runs.map((run) => seenAgain(run, { scenario: scenario.id, fingerprint: state.fingerprint }))
    if (seen.includes('failed') || !seen.includes('passed')) return scenario
    return { ...scenario, passes: scenario.passes + 1 }
  })
}

/** It fails nowhere tonight; whether it passes is another matter. */
function mayPass(key: string, { issue, state }: Known, runs: readonly Result[], options: PlanOptions): Action {
  const scenarios = afterTonight(state, runs)
  const passes = (all: IssueState['scenarios']) => Math.min(...all.map((scenario) => scenario.passes))
  const [before, now] = [passes(state.scenarios), passes(scenarios)]
  if (JSON.stringify(scenarios) === JSON.stringify(state.scenarios)) return { do: 'leave', key, number: issue.number, because: 'nobody looked tonight: not seen is not fixed' }
  const next: IssueState = { ...state, scenarios, runs: runs.map(({ runId }) => runId) }
  const runId = runs[0]!.runId
  const body = bodyOf(next, [], options)
  const known = state.scenarios.some((scenario) => scenario.known)
  if (now >= options.closeAfter) {
    return { do: 'update', key, number: issue.number, body, state: 'closed', stateReason: 'completed', comment: comments.closed(options.closeAfter, runId, known) }
  }
  const isFirst = before === 0 && now > 0
  return { do: 'update', key, number: issue.number, body, ...(isFirst ? { comment: comments.passes(options.closeAfter, runId, known) } : {}) }
}

/** Only where they change; what people have added stays. */
function labelsOf(issue: Issue, next: IssueState, { label }: PlanOptions): { labels?: string[] } {
  const others = issue.labels.filter((name) => name !== knownLabel && name !== label)
  const labels = [...others, label, ...(isKnown(next) ? [knownLabel] : [])]
  return labels.toSorted().join('\n') === issue.labels.toSorted().join('\n') ? {} : { labels }
}

/** A line for each change, for the job's log. */
export function actionLine(action: Action): string {
  const [fingerprint] = JSON.parse(action.key) as [string, string]
  if (action.do === 'open') return `open: ${action.title} [${action.labels.join(', ')}]`
  if (action.do === 'leave') return `leave${action.number === null ? '' : ` #${action.number}`}: ${fingerprint}: ${action.because}`
  const what = action.state === 'closed' ? 'close' : action.state === 'open' ? 'open again' : 'update'
  return `${what} #${action.number}: ${fingerprint}${action.comment === undefined ? '' : ', with a comment'}`
}
