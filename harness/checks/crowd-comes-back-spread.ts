/**
 * After an outage the readers of a crowd come back spread over time, not all at one moment: what
 * went down once would go down again. Judged by the first request of each reader after the restart.
 */
import { limitsOf, type Check } from '../check.ts'
import type { HistoryEvent } from '../history.ts'
import { number, percent, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'

interface Limits {
  /** Of all readers, in the busiest `windowMs`. */
  shareMax: number
  windowMs: number
  readersMin: number
  /** A client program that was this late by itself cannot be judged by its times. */
  lagMsMax: number
}

interface State {
  limits: Limits
  client: string
  crowd: Set<string>
  /** When the cache was started again: readers try from then on, some before it is ready. */
  startedAtMs: number | null
  /** What each reader sent since the cache was stopped. */
  sentAtMs: Map<string, number[]>
  lagMs: number
}

export const crowdComesBackSpreadCheck: Check<State, Partial<Limits>> = {
  id: 'crowd-comes-back-spread',
  title: 'A crowd comes back spread over time',
  hangsOnTime: true,
  init: (limits) => ({
    limits: limitsOf({ shareMax: 0.5, windowMs: 100, readersMin: 50, lagMsMax: 600 }, limits),
    client: '',
    crowd: new Set(),
    startedAtMs: null,
    sentAtMs: new Map(),
    lagMs: 0,
  }),
  step: keep,
  finish({ limits, client, crowd, sentAtMs, startedAtMs, lagMs }) {
    const firsts = [...sentAtMs.values()].flatMap((sent) => sent.find((atMs) => atMs >= (startedAtMs ?? Infinity)) ?? [])
    const times = firsts.toSorted((a, b) => a - b)
    if (times.length < limits.readersMin) return unknown(`Only ${number(times.length)} of ${plural(crowd.size, 'reader')} came back.`, [], times.length)
    const busiest = busiestWindow(times, limits.windowMs)
    const share = busiest / times.length
    const spanMs = Math.round(times.at(-1)! - times[0]!)
    const words = `${percent(share)} of ${plural(times.length, 'reader')} of ${client} came back within the busiest ${limits.windowMs} ms, all of them over ${number(spanMs)} ms`
    const figures = { value: Number(share.toFixed(3)), unit: 'share', limit: limits.shareMax }
    if (share <= limits.shareMax) return pass(times.length, `${words}.`, figures)
    if (lagMs > limits.lagMsMax) return unknown(`The client program was late by ${Math.round(lagMs)} ms, so that its times say nothing of the client.`, [words], times.length)
    return fail(times.length, `${words}; the limit is ${percent(limits.shareMax)}.`, [], 'crowd-comes-back-spread/at-once/any/cache-restart/client', figures)
  },
}

function keep(state: State, event: HistoryEvent): void {
  if (event.kind === 'client-cell' && event.fault === 'cache-restart' && event.phase === 'begin') {
    state.crowd.add(event.cell)
    state.client = event.client
  }
  if (event.kind === 'lifecycle' && event.hop === 'edge' && event.what === 'started' && state.crowd.size > 0) state.startedAtMs = event.atMs - (event.tookMs ?? 0)
  if (event.kind === 'sample' && event.name === 'client-program-lag-ms' && state.startedAtMs !== null) state.lagMs = Math.max(state.lagMs, event.value)
  // When clients send is theirs; when it arrives also tells of the machine.
  if (event.kind !== 'client-saw' || event.what !== 'sent' || !state.crowd.has(event.cell)) return
  const sent = state.sentAtMs.get(event.cell) ?? []
  state.sentAtMs.set(event.cell, sent)
  if (sent.length < keptMax) sent.push(event.atMs)
}

/** More than a reader that pauses at all sends during an outage. */
const keptMax = 1_000

/** The most of these times, in order, that lie within `windowMs`. */
function busiestWindow(times: readonly number[], windowMs: number): number {
  let from = 0
  let most = 0
  times.forEach((time, index) => {
    while (times[from]! < time - windowMs) from += 1
    most = Math.max(most, index - from + 1)
  })
  return most
}
