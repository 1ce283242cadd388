/**
 * A stream that was made is there, with its content type, its lifetime and its closed state; one
 * that was deleted stays gone (PROTOCOL.md 4.1: closure is durable; 5.4, 5.5).
 */
import type { Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { plural } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { Findings } from './findings.ts'
import { keepLedger, newLedger, since, type Ledger, type StreamEntry } from './stream-ledger.ts'

interface State {
  ledger: Ledger
  startMs: number | null
  examined: number
  wrong: Findings
  /** Of the streams that were wrong, for the sentence. */
  kinds: Set<string>
  invariants: Set<Invariant>
}

export const everyStreamStillExistsCheck: Check<State, object> = {
  id: 'every-stream-still-exists',
  title: 'Every stream is there with its type, lifetime and closed state',
  init: () => ({ ledger: newLedger(), startMs: null, examined: 0, wrong: new Findings(), kinds: new Set(), invariants: new Set() }),
  step(state, event) {
    state.startMs ??= event.atMs
    keepLedger(state.ledger, event)
    const answered = event.kind === 'ok' || event.kind === 'fail'
    if (answered && event.status !== undefined && (event.op === 'read' || event.op === 'head')) examine(state, event)
  },
  finish(state) {
    const { count, counted, evidence, fingerprint } = state.wrong
    if (count > 0) {
      const because = `${counted} ${count === 1 ? 'stream was not what it' : 'streams were not what they'} had been: ${[...state.invariants].map((one) => invariantWords[one]).join(', ')} (${[...state.kinds].slice(0, 4).join(', ')}).`
      return fail(state.examined, because, evidence, fingerprint!, { value: count, unit: 'streams', limit: 0 })
    }
    const because = `${plural(state.ledger.made, 'stream')} kept existence, type, lifetime and closed state in ${plural(state.examined, 'look')}.`
    return pass(state.examined, because)
  },
}

function examine(state: State, event: Outcome & { atMs: number }): void {
  const entry = state.ledger.streams.get(event.stream)
  if (!entry || entry.uncertain || entry.incarnation !== event.incarnation) return
  if (event.invokedAtMs < entry.createdAtMs || (entry.deletedAtMs ?? 0) > event.invokedAtMs) return
  state.examined += 1
  for (const [invariant, what] of differences(entry, event)) note(state, entry, event, invariant, what)
}

type Invariant = 'undead' | 'gone' | 'type' | 'closed' | 'lifetime'

const invariantWords: Record<Invariant, string> = {
  undead: 'deleted and back',
  gone: 'gone',
  type: 'of another type',
  closed: 'not as open or closed as before',
  lifetime: 'of another lifetime',
}

function* differences(entry: StreamEntry, event: Outcome): Generator<[Invariant, string]> {
  if (entry.deletedAtMs !== null) {
    if (event.status === 200) yield ['undead', 'was deleted and is readable again']
    return
  }
  if (event.status !== 200) {
    yield ['gone', `answered ${event.status}`]
    return
  }
  const headers = event.headers ?? {}
  const type = headers['content-type'] ?? ''
  if (normalized(type) !== normalized(entry.contentType)) yield ['type', `content type is "${type}", was "${entry.contentType}"`]
  const closed = headers['stream-closed'] === 'true'
  const wasClosed = entry.closedAtMs !== null && entry.closedAtMs < event.invokedAtMs
  if (wasClosed && !closed) yield ['closed', 'was closed and is open again']
  if (!wasClosed && closed && entry.closedAtMs === null) yield ['closed', 'was open and is closed']
  if (event.op === 'head') yield* lifetimeDifferences(entry, headers)
}

function* lifetimeDifferences(entry: StreamEntry, headers: Record<string, string>): Generator<[Invariant, string]> {
  const ttl = headers['stream-ttl']
  // HEAD may leave the lifetime out (5.5, optional); what it says must be right.
  if (ttl !== undefined && entry.ttlSeconds !== null && Number(ttl) !== entry.ttlSeconds) {
    yield ['lifetime', `Stream-TTL is ${ttl}, was ${entry.ttlSeconds}`]
  }
  const expires = headers['stream-expires-at']
  if (expires === undefined || entry.expiresAt === null) return
  if (Math.abs(Date.parse(expires) - Date.parse(entry.expiresAt)) >= 1_000) {
    yield ['lifetime', `Stream-Expires-At is ${expires}, was ${entry.expiresAt}`]
  }
}

function normalized(contentType: string): string {
  return contentType.toLowerCase().replaceAll(' ', '')
}

function note(state: State, entry: StreamEntry, event: Outcome & { atMs: number }, invariant: Invariant, what: string): void {
  const { lastFault } = state.ledger
  state.kinds.add(entry.kind)
  state.invariants.add(invariant)
  const when = since(state.startMs ?? 0, event.atMs)
  state.wrong.note(
    `${entry.name} ${invariant}`,
    `every-stream-still-exists/${invariant}/${entry.kind}/${lastFault}/${event.via}`,
    () => `${entry.name} (${entry.kind}) ${what}: ${event.op.toUpperCase()} through ${event.via} at ${when}${lastFault === 'none' ? '' : `, after a ${lastFault}`}`,
  )
}
