/** Who asks the client library for the state of a stream that is not there is told so, and the server is not asked again and again. */
import { limitsOf, type Check } from '../check.ts'
import type { ClientHead } from '../history.ts'
import { duration, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'

interface Limits {
  /** How often a library may ask before it says that there is nothing. */
  requestsMax: number
}

interface State {
  limits: Limits
  there: ClientHead | null
  missing: ClientHead | null
}

export const clientHeadEndsCheck: Check<State, Partial<Limits>> = {
  id: 'client-head-ends',
  title: 'The client library says that a stream is missing, and does not try for ever',
  hangsOnTime: true,
  init: (limits) => ({ limits: limitsOf({ requestsMax: 3 }, limits), there: null, missing: null }),
  step(state, event) {
    if (event.kind !== 'client-head') return
    if (event.isThere) state.there = event
    else state.missing = event
  },
  finish({ limits, there, missing }) {
    if (there === null || missing === null) return unknown('The client library was not asked.')
    if (there.outcome !== 'state') return unknown(`${there.client} did not tell the state of a stream that is there (${there.error ?? 'no answer'}).`)
    const { client, outcome, status, requests, tookMs, error } = missing
    if (requests === 0) return unknown(`${client} did not ask for the stream that is missing.`)
    const figures = { value: requests, unit: 'requests', limit: limits.requestsMax }
    const line = `HEAD ${missing.stream}: ${outcome === 'none' ? 'no answer' : (error ?? 'a state')} after ${duration(tookMs)} and ${plural(requests, 'request')}`
    if (outcome === 'error' && requests <= limits.requestsMax) return pass(2, `${client} said after ${plural(requests, 'request')} that the stream is missing (${status ?? error}).`, { ...figures, evidence: [line] })
    const invariant = outcome === 'none' ? 'no-end' : outcome === 'state' ? 'believed' : 'retried'
    return fail(2, `${client} asked ${plural(requests, 'time')} for a stream that is missing${outcome === 'none' ? ', and had not come to an end' : ''}.`, [line], `client-head-ends/${invariant}/any/not-found-404/client`, figures)
  },
}
