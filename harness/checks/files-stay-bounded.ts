/**
 * With more live streams than file handles, nothing fails and the process's open data files stay
 * near the setting.
 */
import { limitsOf, type Check } from '../check.ts'
import type { HistoryEvent } from '../history.ts'
import { fail, notApplicable, pass, unknown } from '../verdict.ts'

interface Limits {
  /** Data files open beyond the setting: the metadata store, readers at work, one being swapped. */
  slack: number
}

interface Round {
  streams: number
  maxFileHandles: number | null
  filesMax: number
  samples: number
  appends: number[]
  errors: number
  firstAtMs: number
  lastAtMs: number
}

interface State {
  limits: Limits
  setting: number | null
  applicable: boolean
  rounds: Map<string, Round>
}

export const filesStayBoundedCheck: Check<State, Partial<Limits>> = {
  id: 'files-stay-bounded',
  title: 'Open files stay near max_file_handles, and nothing fails',
  init: (limits) => ({ limits: limitsOf({ slack: 24 }, limits), setting: null, applicable: true, rounds: new Map() }),
  step(state, event) {
    if (event.kind !== 'sample') return
    if (event.name === 'max-file-handles') state.setting = event.value
    if (event.name === 'no-file-handle-pool') state.applicable = false
    if (event.name === 'churn-streams') begin(state, event.label ?? '', event.value)
    const round = state.rounds.get(event.label ?? '')
    if (round) keep(round, event)
  },
  finish(state) {
    if (!state.applicable) return notApplicable('This origin has no bounded pool of file handles.')
    const rounds = [...state.rounds]
    const examined = rounds.reduce((sum, [, round]) => sum + round.samples, 0)
    const failing = rounds.filter(([, round]) => round.errors > 0)
    if (failing.length > 0) {
      const evidence = failing.map(([label, round]) => `${label}: ${round.errors} operations failed on ${round.streams} streams`)
      return fail(examined, `Operations failed with more streams than file handles.`, evidence, 'files-stay-bounded/errors/no-expiry/pressure/origin')
    }
    const over = rounds.filter(([, round]) => round.maxFileHandles !== null && round.filesMax > round.maxFileHandles + state.limits.slack)
    if (over.length > 0) {
      const [label, round] = over[0]!
      const evidence = over.map(([name, r]) => `${name}: ${r.filesMax} data files open at max_file_handles ${r.maxFileHandles}, with ${r.streams} streams`)
      const figures = { value: round.filesMax, unit: 'files', limit: round.maxFileHandles! + state.limits.slack }
      return fail(examined, `${label}: ${round.filesMax} data files were open at max_file_handles ${round.maxFileHandles}.`, evidence, 'files-stay-bounded/leak/no-expiry/pressure/origin', figures)
    }
    if (examined === 0) return unknown('The open files of the origin could not be read on this host.')
    const evidence = rounds.map(([name, r]) => `${name}: at most ${r.filesMax} data files open, ${r.appends.length} appends, none failed`)
    return pass(examined, `Open data files stayed within ${state.limits.slack} of the setting at ${rounds.length} settings.`, { evidence })
  },
  measure: (state) => (state.applicable ? { fileHandles: [...state.rounds.values()].map(figuresOf) } : {}),
}

function begin(state: State, label: string, streams: number): void {
  const empty = { filesMax: 0, samples: 0, appends: [], errors: 0, firstAtMs: 0, lastAtMs: 0 }
  state.rounds.set(label, { streams, maxFileHandles: state.setting, ...empty })
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

function figuresOf(round: Round) {
  const sorted = round.appends.toSorted((a, b) => a - b)
  const seconds = Math.max(0.001, (round.lastAtMs - round.firstAtMs) / 1000)
  return {
    maxFileHandles: round.maxFileHandles ?? 0,
    streams: round.streams,
    errors: round.errors,
    lost: 0,
    openFilesMax: round.filesMax,
    appendsPerSecond: round.appends.length / seconds,
    p99Ms: sorted[Math.floor((sorted.length - 1) * 0.99)] ?? 0,
  }
}
