/** One request of an incident is answered as the protocol says, and the requests that led to it were, too. */
import { limitsOf, type Check } from '../check.ts'
import type { Exchange } from '../history.ts'
import { fail, pass, unknown } from '../verdict.ts'

interface Limits {
  /** Of the request, as its step names it. */
  label: string
  /** Any of these is right. */
  statuses: number[]
  /** Headers that the answer has to carry, lower case; with this value, or with any where it is ''. */
  headers: Record<string, string>
  /** What has to have happened before it, by label: where it did not, the incident was not met. */
  after: Record<string, number>
}

interface State {
  limits: Limits
  /** The status of each request before it. */
  before: Map<string, number | null>
  answer: Exchange | null
}

/** More labels than a scenario has. */
const keptMax = 200

export const exchangeIsAnsweredCheck: Check<State, Partial<Limits>> = {
  id: 'exchange-is-answered',
  title: 'The request of the incident is answered as the protocol says',
  hangsOnTime: true,
  init: (limits) => ({ limits: limitsOf({ label: '', statuses: [], headers: {}, after: {} }, limits), before: new Map(), answer: null }),
  step(state, event) {
    if (event.kind !== 'exchange' || state.answer !== null) return
    if (event.label === state.limits.label) state.answer = event
    else if (state.before.size < keptMax) state.before.set(event.label, event.status)
  },
  finish({ limits, before, answer }) {
    if (answer === null) return unknown(`The request "${limits.label}" was not made.`)
    const strange = Object.entries(limits.after).filter(([label, status]) => before.get(label) !== status)
    if (strange.length > 0) {
      const lines = strange.map(([label, status]) => `"${label}" was answered ${before.get(label) ?? 'nothing'}, and had to be answered ${status}`)
      return unknown('What leads to the incident did not happen.', lines, before.size)
    }
    if (answer.status === null) return unknown(`The request "${limits.label}" got no answer (${answer.error}).`)
    const right = limits.statuses.join(' or ')
    const said = `${answer.method} ${answer.path} was answered ${answer.status}`
    if (!limits.statuses.includes(answer.status)) return fail(1, `${said}; by the protocol it is ${right}.`, wordsOf(answer), fingerprintOf('status', answer))
    const lacking = Object.entries(limits.headers).filter(([name, value]) => (value === '' ? answer.headers[name] === undefined : answer.headers[name] !== value))
    if (lacking.length > 0) {
      const names = lacking.map(([name, value]) => (value === '' ? name : `${name}: ${value}`)).join(', ')
      return fail(1, `${said}, without ${names}.`, wordsOf(answer), fingerprintOf('header', answer))
    }
    return pass(1, `${said}, as the protocol says.`, { evidence: wordsOf(answer) })
  },
}

function wordsOf({ label, method, path, status, headers }: Exchange): string[] {
  const told = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`${label}: ${method} ${path}: ${status} ${told.join(', ')}`]
}

function fingerprintOf(invariant: string, { label, via }: Exchange): string {
  return `exchange-is-answered/${invariant}/${label}/none/${via}`
}
