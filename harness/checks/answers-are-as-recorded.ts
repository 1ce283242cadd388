/**
 * Today's answers to the requests of an access log are those of then. What a client did not wait for is
 * not compared, and whether a poll that was held ends with data or without is a matter of its timing.
 */
import { limitsOf, type Check } from '../check.ts'
import type { Replayed } from '../history.ts'
import { number, percent, plural } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { Findings } from './findings.ts'

interface State {
  /** How many answers may differ, of all that are compared: 0.01 is one in a hundred. */
  limits: { driftMax: number }
  compared: number
  left: number
  drifted: number
  /** By what was asked and how it was answered then and now: 'GET long-poll 200, now 503'. */
  kinds: Map<string, number>
  findings: Findings
}

const id = 'answers-are-as-recorded'
const kindsMax = 200

export const answersAreAsRecordedCheck: Check<State, { driftMax?: number }> = {
  id,
  title: 'The recorded requests are answered as they were then',
  init: (limits) => ({ limits: limitsOf({ driftMax: 0 }, limits), compared: 0, left: 0, drifted: 0, kinds: new Map(), findings: new Findings() }),
  step(state, event) {
    if (event.kind !== 'replayed') return
    if (event.recordedStatus === 0 || event.recordedStatus === 499) {
      state.left += 1
      return
    }
    state.compared += 1
    if (event.status !== null && same(event, event.status)) return
    const kind = kindOf(event)
    state.drifted += 1
    if (state.kinds.has(kind) || state.kinds.size < kindsMax) state.kinds.set(kind, (state.kinds.get(kind) ?? 0) + 1)
    const now = event.status === null ? 'no-answer' : String(event.status)
    state.findings.note(kind, `${id}/${event.recordedStatus}-now-${now}/any/none/${event.live ?? event.method.toLowerCase()}`, () => `${kind}, first for ${event.stream}${event.error === undefined ? '' : `: ${event.error}`}`)
  },
  finish({ limits, compared, left, drifted, kinds, findings }) {
    const notCompared = left === 0 ? '' : `; ${plural(left, 'request')} whose client had left ${left === 1 ? 'was' : 'were'} not compared`
    const figures = { value: drifted, unit: 'answers', limit: Math.floor(limits.driftMax * compared) }
    if (drifted > figures.limit) {
      const share = `${number(drifted)} of ${number(compared)} answers (${percent(drifted / compared)})`
      const most = [...kinds].toSorted(([, a], [, b]) => b - a)
      const lines = most.map(([kind, count]) => `${number(count)} x ${kind}`)
      return fail(compared, `${share} differ from the recorded ones, most of them ${most[0]![0]}${notCompared}.`, [...lines.slice(0, 4), ...findings.evidence], findings.fingerprint!, figures)
    }
    return pass(compared, `${number(compared - drifted)} of ${number(compared)} answers were as recorded${notCompared}.`, figures)
  },
}

function same({ recordedStatus, live }: Replayed, status: number): boolean {
  if (status === recordedStatus) return true
  const quiet = (one: number) => one === 200 || one === 204
  // Stored answers of a browser or cache are 304 then, and whole ones today.
  if ([200, 304].includes(status) && [200, 304].includes(recordedStatus)) return true
  return live === 'long-poll' && quiet(status) && quiet(recordedStatus)
}

function kindOf({ method, live, recordedStatus, status }: Replayed): string {
  return `${method}${live === null ? '' : ` ${live}`} ${recordedStatus}, now ${status ?? 'no answer'}`
}
