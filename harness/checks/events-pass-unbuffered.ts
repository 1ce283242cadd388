/** A live reader behind every hop gets each event soon after it was acknowledged: no hop buffers. */
import { limitsOf, type Check } from '../check.ts'
import type { Arrival } from '../history.ts'
import type { Measurements } from '../report/result.ts'
import { fail, pass, unknown } from '../verdict.ts'

interface Limits {
  /** From an append's acknowledgement to the event's arrival, by any way. */
  afterAckMs: number
  arrivalsMin: number
}

interface State {
  limits: Limits
  arrivals: Arrival[]
  missing: string[]
}

export const eventsPassUnbufferedCheck: Check<State, Partial<Limits>> = {
  id: 'events-pass-unbuffered',
  title: 'Live events pass every hop at once',
  hangsOnTime: true,
  init: (limits) => ({ limits: limitsOf({ afterAckMs: 1_000, arrivalsMin: 10 }, limits), arrivals: [], missing: [] }),
  step(state, event) {
    if (event.kind === 'arrival') state.arrivals.push(event)
    if (event.kind !== 'sample') return
    const [what, mode, via] = event.name.split('/')
    if (what === 'no-arrival') state.missing.push(`${mode} through ${via}: ${event.label} did not arrive within 5 s`)
    if (what === 'reader-failed') state.missing.push(`${mode} through ${via}: the reader ended: ${event.label}`)
  },
  finish({ limits, arrivals, missing }) {
    const late = arrivals.filter((arrival) => arrival.afterAckMs > limits.afterAckMs)
    const slowest = arrivals.reduce((most, arrival) => Math.max(most, arrival.afterAckMs), 0)
    const figures = { value: Math.round(slowest), unit: 'ms', limit: limits.afterAckMs }
    const examined = arrivals.length + missing.length
    if (missing.length > 0 || late.length > 0) {
      const evidence = [...missing, ...late.map((a) => `${a.mode} through ${a.via}: ${Math.round(a.afterAckMs)} ms after the acknowledgement`)]
      const where = late[0] ? `${late[0].mode}/none/${late[0].via}` : missing[0]!.split(':')[0]!.replace(' through ', '/none/')
      return fail(examined, `${missing.length} events did not arrive and ${late.length} came later than ${limits.afterAckMs} ms.`, evidence, `events-pass-unbuffered/late/${where}`, figures)
    }
    if (examined < limits.arrivalsMin) return unknown(`Only ${examined} events were followed; ${limits.arrivalsMin} are needed.`)
    return pass(examined, `${examined} events arrived, the slowest ${Math.round(slowest)} ms after its acknowledgement.`, figures)
  },
  measure: ({ arrivals }) => ({ passage: summaries(arrivals) }),
}

function summaries(arrivals: Arrival[]): NonNullable<Measurements['passage']> {
  const groups = Map.groupBy(arrivals, (arrival) => `${arrival.mode} ${arrival.via}`)
  return [...groups.values()].map((group) => {
    const sorted = group.map((arrival) => arrival.afterAckMs).toSorted((a, b) => a - b)
    return {
      mode: group[0]!.mode,
      via: group[0]!.via as 'origin' | 'edge' | 'tls',
      events: group.length,
      p50Ms: sorted[Math.floor((sorted.length - 1) / 2)]!,
      maxMs: sorted.at(-1)!,
    }
  })
}
