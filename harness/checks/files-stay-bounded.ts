/**
 * With more live streams than file handles, nothing fails and the process's open data files stay
 * near the setting.
 */
import { limitsOf, type Check } from '../check.ts'
import type { HistoryEvent, Outcome } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { fail, notApplicable, pass, unknown } from '../verdict.ts'
import { recommendFileHandles } from './recommend-file-handles.ts'

interface Limits {
  /** Data files open beyond the setting: the metadata store, readers at work, one being swapped. */
  slack: number
}

/** One pass over all streams at one setting. */
interface Round {
  label: string
  streams: number
  maxFileHandles: number | null
  filesMax: number
  samples: number
  appends: number[]
  errors: number
  /** Acknowledged in this round and missing in a later read. */
  lost: Set<string>
  firstAtMs: number
  lastAtMs: number
}

interface State {
  limits: Limits
  setting: number | null
  applicable: boolean
  rounds: Round[]
  acknowledged: Map<string, { record: string; atMs: number; round: Round }[]>
}

export const filesStayBoundedCheck: Check<State, Partial<Limits>> = {
  id: 'files-stay-bounded',
  title: 'Open files stay near max_file_handles, and nothing fails',
  init: (limits) => ({ limits: limitsOf({ slack: 24 }, limits), setting: null, applicable: true, rounds: [], acknowledged: new Map() }),
  step(state, event) {
    if (event.kind === 'ok' && (event.op === 'append' || event.op === 'read')) findLost(state, event)
    if (event.kind !== 'sample') return
    if (event.name === 'max-file-handles') state.setting = event.value
    if (event.name === 'no-file-handle-pool') state.applicable = false
    if (event.name === 'churn-streams') begin(state, event.label ?? '', event.value)
    const round = state.rounds.at(-1)
    if (round !== undefined && round.label === event.label) keep(round, event)
  },
  finish(state) {
    if (!state.applicable) return notApplicable('This origin has no bounded pool of file handles.')
    const { rounds } = state
    const examined = rounds.reduce((sum, round) => sum + round.samples, 0)
    const failing = rounds.filter((round) => round.errors > 0)
    if (failing.length > 0) {
      const evidence = failing.map((round) => `${round.label}: ${plural(round.errors, 'operation')} failed on ${plural(round.streams, 'stream')}`)
      const errors = failing.reduce((sum, round) => sum + round.errors, 0)
      return fail(examined, `${plural(errors, 'operation')} failed with more streams than file handles.`, evidence, 'files-stay-bounded/errors/no-expiry/pressure/origin')
    }
    const over = rounds.filter((round) => round.maxFileHandles !== null && round.filesMax > round.maxFileHandles + state.limits.slack)
    if (over.length > 0) {
      const round = over[0]!
      const evidence = over.map((r) => `${r.label}: ${number(r.filesMax)} data files open at max_file_handles ${number(r.maxFileHandles!)}, with ${plural(r.streams, 'stream')}`)
      const figures = { value: round.filesMax, unit: 'files', limit: round.maxFileHandles! + state.limits.slack }
      return fail(examined, `${number(round.filesMax)} data files were open at max_file_handles ${number(round.maxFileHandles ?? 0)} (round "${round.label}"), where ${number(figures.limit)} are allowed.`, evidence, 'files-stay-bounded/leak/no-expiry/pressure/origin', figures)
    }
    if (examined === 0) return unknown('The open files of the origin could not be read on this host.')
    const evidence = rounds.map((r) => `${r.label}: at most ${number(r.filesMax)} data files open, ${plural(r.appends.length, 'append')}, none failed`)
    const settings = [...new Set(rounds.map((r) => r.maxFileHandles ?? 0))].toSorted((a, b) => a - b)
    const streams = Math.max(...rounds.map((r) => r.streams))
    return pass(examined, `With ${plural(streams, 'stream')} nothing failed at max_file_handles ${settings.map(number).join(', ')}, and open data files stayed within ${state.limits.slack} of it.`, { evidence })
  },
  measure(state) {
    if (!state.applicable) return {}
    const settings = new Set(state.rounds.map((round) => round.maxFileHandles))
    const fileHandles = [...settings].map((setting) => figuresOf(state.rounds.filter((round) => round.maxFileHandles === setting)))
    const advice = recommendFileHandles(fileHandles)
    return { fileHandles, ...(advice === null ? {} : { fileHandlesRecommended: advice }) }
  },
}

function begin(state: State, label: string, streams: number): void {
  const empty = { filesMax: 0, samples: 0, appends: [], errors: 0, lost: new Set<string>(), firstAtMs: 0, lastAtMs: 0 }
  state.rounds.push({ label, streams, maxFileHandles: state.setting, ...empty })
}

/** Every read is of a whole stream: what was acknowledged before it was sent must be in it. */
function findLost({ acknowledged, rounds }: State, event: Outcome & { atMs: number }): void {
  const current = rounds.at(-1)
  const known = acknowledged.get(event.stream) ?? []
  if (event.append && current !== undefined) {
    acknowledged.set(event.stream, [...known, { record: event.append.record, atMs: event.atMs, round: current }])
  }
  if (!event.read) return
  const seen = new Set(event.read.records)
  for (const { record, atMs, round } of known) if (atMs < event.invokedAtMs && !seen.has(record)) round.lost.add(record)
}

function keep(round: Round, event: HistoryEvent & { kind: 'sample' }): void {
  if (event.name === 'open-data-files') {
    round.filesMax = Math.max(round.filesMax, event.value)
    round.samples += 1
  }
  const operation = /^churn-(\w+)-(ok|fail|info)-ms$/.exec(event.name)
  if (!operation) return
  round.firstAtMs ||= event.atMs
  round.lastAtMs = event.atMs
  if (operation[2] !== 'ok') round.errors += 1
  else if (operation[1] === 'append') round.appends.push(event.value)
}

/** Of several passes at one setting the worst of what can go wrong, and the best of what others slow down. */
function figuresOf(passes: Round[]) {
  const sum = (of: (round: Round) => number) => passes.reduce((total, round) => total + of(round), 0)
  const best = passes.toSorted((a, b) => appendsPerSecond(b) - appendsPerSecond(a))[0]!
  const sorted = best.appends.toSorted((a, b) => a - b)
  return {
    maxFileHandles: best.maxFileHandles ?? 0,
    streams: best.streams,
    errors: sum((round) => round.errors),
    lost: sum((round) => round.lost.size),
    openFilesMax: Math.max(...passes.map((round) => round.filesMax)),
    appendsPerSecond: appendsPerSecond(best),
    p99Ms: sorted[Math.floor((sorted.length - 1) * 0.99)] ?? 0,
  }
}

function appendsPerSecond({ appends, firstAtMs, lastAtMs }: Round): number {
  return appends.length / Math.max(0.001, (lastAtMs - firstAtMs) / 1000)
}
