/** A create with two lifetimes, or with a value that is none, is answered 400 and creates nothing (5.1). */
import { limitsOf, type Check } from '../check.ts'
import { plural } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'

interface Limits {
  /** Only creates whose name begins with this. */
  names: string
}

interface State {
  limits: Limits
  examined: number
  wrong: string[]
  fingerprint: string | null
}

export const refusedCreatesCreateNothingCheck: Check<State, Partial<Limits>> = {
  id: 'refused-creates-create-nothing',
  title: 'A create with a wrong lifetime is answered 400 and creates nothing',
  init: (limits) => ({ limits: limitsOf({ names: '' }, limits), examined: 0, wrong: [], fingerprint: null }),
  step(state, event) {
    if (event.kind !== 'exchange') return
    const [what, name] = event.label.split('/') as [string, string]
    if (!what.startsWith('refused-') || !name.startsWith(state.limits.names) || event.status === null) return
    state.examined += 1
    const expected = what === 'refused-create' ? [400] : [404]
    if (expected.includes(event.status)) return
    const did = what === 'refused-create' ? 'was answered' : 'was refused, yet reading its path answers'
    state.wrong.push(`${name}: ${event.method} ${event.path} ${did} ${event.status} instead of ${expected[0]}`)
    state.fingerprint ??= `refused-creates-create-nothing/${what}/${name}/none/origin`
  },
  finish(state) {
    if (state.wrong.length > 0) {
      return fail(state.examined, `${state.wrong.length} of ${state.examined} answers to creates with a wrong lifetime were wrong.`, state.wrong, state.fingerprint!)
    }
    return pass(state.examined, `${plural(state.examined / 2, 'create')} with a wrong lifetime ${state.examined === 2 ? 'was' : 'were'} answered 400 and created nothing.`)
  },
}
