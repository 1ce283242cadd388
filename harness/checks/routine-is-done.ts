/** What the operator asked for was done, as counters tell; the subject did not refuse it. */
import { limitsOf, type Check } from '../check.ts'
import { faultWords, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'

interface Limits {
  /** Ids of the routines that must have happened. */
  routines: string[]
}

interface State {
  limits: Limits
  done: Map<string, string>
  unproven: Map<string, string>
  refused: Map<string, string>
}

export const routineIsDoneCheck: Check<State, Partial<Limits>> = {
  id: 'routine-is-done',
  title: 'Each of the operator\'s routines takes effect',
  hangsOnTime: true,
  init: (limits) => ({ limits: limitsOf({ routines: [] }, limits), done: new Map(), unproven: new Map(), refused: new Map() }),
  step(state, event) {
    if (event.kind !== 'fault' || event.phase !== 'healed' || !state.limits.routines.includes(event.fault)) return
    if (event.refused !== undefined) state.refused.set(event.fault, event.refused)
    else if (event.proven) state.done.set(event.fault, event.proof ?? '')
    else state.unproven.set(event.fault, event.proof ?? 'nothing shows that it happened')
  },
  finish({ limits, done, unproven, refused }) {
    const examined = done.size + refused.size
    const [first] = refused
    if (first !== undefined) {
      const each = [...refused].map(([id, words]) => `${faultWords(id)}: ${words}`)
      const because = `${plural(refused.size, 'routine')} of ${limits.routines.length} ${refused.size === 1 ? 'was' : 'were'} refused or took effect otherwise than asked for (${each[0]}).`
      return fail(examined, because, each, `routine-is-done/refused/any/${first[0]}/any`)
    }
    const missing = limits.routines.filter((id) => !done.has(id) || unproven.has(id))
    if (missing.length > 0) return unknown(`It is not proven that the ${missing.map(faultWords).join(' and the ')} took effect.`, [...unproven.values()], done.size)
    return pass(done.size, `${plural(done.size, 'routine')} took effect: ${[...done.keys()].map(faultWords).join(', ')}.`, { evidence: [...done].map(([id, proof]) => `${faultWords(id)}: ${proof}`) })
  },
}
