/** Builds small histories for the checks' tests and lets a check judge them. */
import { checkById } from '../../harness/checks.ts'
import type { EventBody, HistoryEvent, Operation, Outcome } from '../../harness/history.ts'
import type { Verdict } from '../../harness/verdict.ts'

/** The verdict of a check on events given as [milliseconds, body]. */
export function judge(id: string, limits: object, events: [number, EventBody][]): Verdict {
  const check = checkById(id)
  const state: unknown = check.init(limits)
  events
    .toSorted((a, b) => a[0] - b[0])
    .forEach(([atMs, body], index) => {
      check.step(state, { ...body, seq: index + 1, atMs, scenario: 'test' } as HistoryEvent)
    })
  return check.finish(state)
}

let ids = 0

type Given = Partial<Outcome> & Pick<Operation, 'op'>

/** An operation's invoke at `fromMs` and its outcome at `toMs`. */
export function operation(fromMs: number, toMs: number, given: Given): [number, EventBody][] {
  ids += 1
  const base = { id: ids, actor: 'a', stream: 's', incarnation: 1, via: 'origin' as const, ...given }
  const { status: _status, headers: _headers, read: _read, kind: _kind, ...sent } = base
  const kind = given.kind ?? 'ok'
  return [
    [fromMs, { ...sent, kind: 'invoke' } as EventBody],
    [toMs, { status: 200, ...base, kind, invokedAtMs: fromMs } as EventBody],
  ]
}

export function created(atMs: number, more: Partial<NonNullable<Operation['create']>> = {}): [number, EventBody][] {
  const create = { streamKind: 'no-expiry', contentType: 'text/plain', ...more }
  return operation(atMs, atMs + 1, { op: 'create', status: 201, create })
}

export function appended(fromMs: number, toMs: number, record: string, kind: 'ok' | 'fail' | 'info' = 'ok') {
  return operation(fromMs, toMs, { op: 'append', kind, append: { record, bytes: 10 } })
}

export function read(fromMs: number, toMs: number, records: string[], more: Partial<Outcome> = {}) {
  const back = {
    records,
    damaged: [],
    bytes: records.length * 10,
    sha256: '',
    nextOffset: 'x',
    upToDate: true,
    closed: false,
  }
  const headers = { 'content-type': 'text/plain' }
  return operation(fromMs, toMs, { op: 'read', mode: 'catch-up', read: back, headers, ...more })
}

export function killed(atMs: number, inFlight: number, acknowledgedSinceStart: number): [number, EventBody][] {
  return [[atMs, { kind: 'lifecycle', hop: 'origin', what: 'killed', inFlight, acknowledgedSinceStart }]]
}

export function started(atMs: number, tookMs: number): [number, EventBody][] {
  return [[atMs, { kind: 'lifecycle', hop: 'origin', what: 'started', tookMs }]]
}
