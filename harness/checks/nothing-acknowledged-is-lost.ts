/** Every append that was acknowledged before a read began is in that read, whatever the stream was. */
import { limitsOf, type Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { isExcepted, type Excepting } from './excepted.ts'
import { Findings } from './findings.ts'
import { keepTime, type RecordTimes } from './record-times.ts'
import { keepLedger, newLedger, since, staleAllowanceMs, type Ledger, type StreamEntry } from './stream-ledger.ts'

interface Limits extends Excepting {
  /** What a read through the cache may miss of writes made at the origin. */
  staleMs: number
}

/** What one stream lost, at the read that found it first. */
interface Loss {
  kind: string
  fault: string
  records: number
  /** The first one, and where it was missing. */
  line: string
}

interface State {
  limits: Limits
  ledger: Ledger
  /** When the records of each stream were acknowledged. */
  acknowledged: Map<string, RecordTimes>
  startMs: number | null
  reads: number
  recordsExpected: number
  lost: Findings
  losses: Map<string, Loss>
  /** Streams that were written and never read back: nothing is known of them. */
  unread: Set<string>
  /** Kinds of stream by what became of their creates and appends. */
  accepted: Set<string>
  refused: Set<string>
}

export const nothingAcknowledgedIsLostCheck: Check<State, Partial<Limits>> = {
  id: 'nothing-acknowledged-is-lost',
  title: 'Every acknowledged append is read back',
  init: (limits) => ({
    limits: limitsOf({ staleMs: 1_000, except: '' }, limits),
    ledger: newLedger(),
    acknowledged: new Map(),
    startMs: null,
    reads: 0,
    recordsExpected: 0,
    lost: new Findings(),
    losses: new Map(),
    unread: new Set(),
    accepted: new Set(),
    refused: new Set(),
  }),
  step(state, event) {
    state.startMs ??= event.atMs
    const gone = keepLedger(state.ledger, event)
    if (gone && state.ledger.streams.get(gone.name)?.incarnation !== gone.incarnation) forget(state, gone.name)
    if (event.kind === 'ok') keepAcknowledged(state, event)
    if (event.kind === 'ok' || event.kind === 'fail') keepAcceptance(state, event)
    if ((event.kind === 'ok' || event.kind === 'fail') && event.op === 'read' && event.status !== undefined) examine(state, event)
  },
  finish(state) {
    const { count, fingerprint } = state.lost
    if (count > 0) {
      const evidence = [...state.losses].map(([stream, loss]) => `${stream} (${loss.kind}) lost ${plural(loss.records, 'append')}: ${loss.line}`)
      return fail(state.recordsExpected, whatWasLost(state), evidence, fingerprint!, { value: count, unit: 'appends', limit: 0 })
    }
    const unread = [...state.unread]
    if (unread.length > 0 && state.reads > 0) {
      return unknown(`${unread.length} written streams were never read back.`, unread.slice(0, 5), state.recordsExpected)
    }
    const neverAccepted = [...state.refused.difference(state.accepted)]
    if (neverAccepted.length > 0) {
      return unknown(`Nothing was accepted for streams of the kind ${neverAccepted.join(', ')}, so that nothing is known of them.`, neverAccepted, state.recordsExpected)
    }
    const because = `All ${number(state.recordsExpected)} expectations of acknowledged appends were met in ${plural(state.reads, 'read')}.`
    return pass(state.recordsExpected, because, { value: 0, unit: 'appends', limit: 0 })
  },
  measure: (state) => ({ durability: { lost: state.lost.count } }),
}

/** `48 acknowledged appends of 4 streams (ttl, ttl-json) were missing when read back after a stop and a kill.` */
function whatWasLost({ lost, losses }: State): string {
  const all = [...losses.values()]
  const kinds = [...new Set(all.map((loss) => loss.kind))]
  const named = kinds.length > kindsNamedMax ? `${number(kinds.length)} kinds` : kinds.join(', ')
  const faults = [...new Set(all.map((loss) => loss.fault))].filter((fault) => fault !== 'none')
  const after = faults.length === 0 ? '' : ` after ${faults.map((fault) => `a ${fault}`).join(' and ')}`
  const appends = `${lost.counted} acknowledged append${lost.count === 1 ? '' : 's'}`
  return `${appends} of ${plural(losses.size, 'stream')} (${named}) ${lost.count === 1 ? 'was' : 'were'} missing when read back${after}.`
}

const kindsNamedMax = 4

function keepAcknowledged(state: State, event: Outcome & { atMs: number }): void {
  if (event.op === 'delete') forget(state, event.stream)
  const entry = state.ledger.streams.get(event.stream)
  if (!event.append || (entry && entry.deletedAtMs !== null)) return
  if (isExcepted(state.limits, event.stream)) return
  state.unread.add(event.stream)
  if (entry?.incarnation !== event.incarnation) return
  keepTime(state.acknowledged, event.stream, event.append.record, event.atMs)
}

/** A kind of stream that takes no append at all would otherwise have nothing to lose. */
function keepAcceptance({ limits, ledger, accepted, refused }: State, event: Outcome): void {
  if ((event.op !== 'append' && event.op !== 'create') || isExcepted(limits, event.stream)) return
  const kind = event.create?.streamKind ?? ledger.streams.get(event.stream)?.kind
  if (kind === undefined) return
  if (event.kind === 'fail') refused.add(`${kind} (${event.op})`)
  else accepted.add(`${kind} (${event.op})`)
}

/** Nothing more is expected of a stream that was deleted, or of its former life. */
function forget(state: State, stream: string): void {
  state.acknowledged.delete(stream)
  state.unread.delete(stream)
}

function examine(state: State, event: Outcome & { atMs: number }): void {
  const entry = state.ledger.streams.get(event.stream)
  if (!entry || entry.incarnation !== event.incarnation || entry.deletedAtMs !== null || entry.uncertain) return
  state.reads += 1
  state.unread.delete(event.stream)
  const present = event.read?.records ?? []
  const visibleBefore = event.invokedAtMs - staleAllowanceMs(event.via, state.limits.staleMs)
  const expected = state.acknowledged.get(event.stream)?.upTo(visibleBefore, present)
  state.recordsExpected += (expected?.count ?? 0) + entry.inherits.length
  for (const [record, ackAtMs] of expected?.absent ?? []) note(state, entry, event, record, ackAtMs)
  const inherited = new Set(entry.inherits).difference(new Set(entry.inherits.length > 0 ? present : []))
  for (const record of inherited) note(state, entry, event, record, entry.createdAtMs)
}

function note(state: State, entry: StreamEntry, event: Outcome & { atMs: number }, record: string, ackAtMs: number): void {
  const { lastFault } = state.ledger
  const known = state.lost.count
  state.lost.note(`${entry.name} ${record}`, `nothing-acknowledged-is-lost/lost/${entry.kind}/${lastFault}/${event.via}`, () => record)
  if (state.lost.count === known) return
  const loss = state.losses.get(entry.name)
  if (loss) loss.records += 1
  else state.losses.set(entry.name, { kind: entry.kind, fault: lastFault, records: 1, line: lineOf(state, event, record, ackAtMs) })
}

function lineOf(state: State, event: Outcome & { atMs: number }, record: string, ackAtMs: number): string {
  const start = state.startMs ?? 0
  const { lastFault } = state.ledger
  const after = lastFault === 'none' ? '' : `, after a ${lastFault}`
  const status = event.status === 200 ? '' : `, answered ${event.status}`
  return `${record} was acknowledged at ${since(start, ackAtMs)}, missing at ${since(start, event.atMs)} through ${event.via}${status}${after}`
}
