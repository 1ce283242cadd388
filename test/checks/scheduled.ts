/**
 * A path as an origin with a clock would keep it, and answers as a cache would give them: exact where a
 * history only knows intervals. Times are milliseconds.
 */
import type { Answer, Claim, EventBody, Outcome, ReadMode, Upstream } from '../../harness/history.ts'
import { judge } from './judging.ts'

export type Write = { op: 'create' | 'append' | 'close' | 'delete'; via: 'edge' | 'origin'; fromMs: number; atMs: number; ackMs: number }

export interface State {
  exists: boolean
  life: number
  records: number
  closed: boolean
}

export const stream = 'p'
export const nothing: State = { exists: false, life: 0, records: 0, closed: false }
export const offset = (records: number) => `o${records}`

/** What a write makes of a state; null where the origin refuses it. */
export function applied(state: State, { op }: Pick<Write, 'op'>): State | null {
  if (op === 'create') return state.exists ? null : { exists: true, life: state.life + 1, records: 0, closed: false }
  if (!state.exists) return null
  if (op === 'delete') return { ...nothing, life: state.life }
  if (state.closed) return null
  return op === 'append' ? { ...state, records: state.records + 1 } : { ...state, closed: true }
}

/** The states of a path, each from the moment on at which the origin handled a write. */
export function statesOf(writes: readonly Write[]): { fromMs: number; state: State; by: Write | null }[] {
  const states: { fromMs: number; state: State; by: Write | null }[] = [{ fromMs: -Infinity, state: nothing, by: null }]
  for (const write of writes) {
    const next = applied(states.at(-1)!.state, write)
    if (next) states.push({ fromMs: write.atMs, state: next, by: write })
  }
  return states
}

/** The history of the writes, as their outcomes tell it. */
export function written(writes: readonly Write[]): [number, EventBody][] {
  let state = nothing
  return writes.flatMap((write, id) => {
    const next = applied(state, write)
    state = next ?? state
    const outcome: Outcome = {
      kind: next ? 'ok' : 'fail',
      op: write.op,
      id,
      actor: 'w',
      stream,
      incarnation: state.life,
      via: write.via,
      invokedAtMs: write.fromMs,
      status: next ? (write.op === 'create' ? 201 : 204) : 404,
      headers: { 'stream-next-offset': offset(state.records) },
      ...(write.op === 'create' ? { create: { streamKind: 'k', contentType: 'text/plain' } } : {}),
      ...(write.op === 'append' ? { append: { record: `${stream}/${state.life}.${state.records}`, bytes: 1 } } : {}),
    }
    return [[write.ackMs, outcome]]
  })
}

/** The claim of a read from record `from` (null: of the state alone) when the path was in this state. */
export function claimOf({ records, life, closed }: State, mode: ReadMode, from: number, atMs: number): Claim {
  const begin = mode === 'head' || mode === 'now' ? records : Math.min(from, records)
  return {
    atMs,
    records: Array.from({ length: records - begin }, (_, n) => `${stream}/${life}.${begin + n + 1}`),
    damaged: 0,
    nextOffset: offset(records),
    upToDate: mode !== 'head',
    closed,
  }
}

let ids = 0

/** A reader's answer that tells of this state. */
export function answered(fromMs: number, untilMs: number, state: State, more: Partial<Answer> & { from?: number } = {}): [number, EventBody] {
  ids += 1
  const { from = 0, ...given } = more
  const mode = given.mode ?? 'history'
  const answer: Answer = {
    kind: 'answer',
    id: ids,
    actor: 'r',
    stream,
    via: 'edge',
    mode,
    fromOffset: from === 0 ? '-1' : offset(from),
    target: `/p?offset=${from}`,
    invokedAtMs: fromMs,
    status: state.exists ? 200 : 404,
    headers: {},
    claims: state.exists ? [claimOf(state, mode, from, untilMs)] : [],
    upstream: null,
    ...given,
  }
  return [untilMs, answer]
}

export function upstream(number: number, askedAtMs: number, endedAtMs: number | null, more: Partial<Upstream> = {}): [number, EventBody] {
  const response: Upstream = { kind: 'upstream', number, stream, method: 'GET', target: '/p?offset=0', asked: { authorization: false, cookie: false }, askedAtMs, headAtMs: askedAtMs + 1, endedAtMs, status: 200, headers: {}, ...more }
  return [askedAtMs, response]
}

export function judged(check: string, limits: object, events: [number, EventBody][]) {
  const endMs = Math.max(0, ...events.map(([atMs]) => atMs)) + 1
  return judge(check, limits, [...events, [endMs, { kind: 'episode', stream }]])
}
