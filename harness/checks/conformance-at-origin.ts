/** Upstream's conformance suite passes at the origin. */
import { limitsOf, type Check } from '../check.ts'
import { pinnedSuite } from '../conformance/suite-plan.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { doubtOf, emptyRun, follow, groupsOf, listed, testsWith, type SuiteLimits, type SuiteRun } from './conformance-results.ts'

interface State extends SuiteRun {
  limits: SuiteLimits
}

export const conformanceAtOriginCheck: Check<State, Partial<SuiteLimits>> = {
  id: 'conformance-at-origin',
  title: 'The conformance suite passes at the origin',
  hangsOnTime: true,
  init: (limits) => ({ limits: limitsOf({ tests: pinnedSuite.tests }, limits), ...emptyRun() }),
  step: (state, event) => follow(state, 'origin', event),
  finish(state) {
    const doubt = doubtOf(state, state.limits, 'at the origin')
    if (doubt !== null) return unknown(doubt)
    const [passed, failed, unstable, skipped] = (['passed', 'failed', 'unstable', 'skipped'] as const).map((outcome) => testsWith(state, outcome))
    const run = state.results.size - skipped!.length
    const line = (test: string) => `${test}: ${state.results.get(test)!.error}`
    const also = unstable!.length === 0 ? '' : `, and ${unstable!.length} failed and passed when repeated`
    if (failed!.length > 0) {
      const because = `${failed!.length} of ${run} tests of the suite fail at the origin${also}.`
      const fingerprint = `conformance-at-origin/${groupsOf(failed!)}/any/none/origin`
      return fail(run, because, listed(failed!, line), fingerprint, { value: failed!.length, unit: 'tests', limit: 0 })
    }
    if (unstable!.length > 0) {
      return unknown(`${unstable!.length} of ${run} tests failed and passed when repeated: that is neither.`, listed(unstable!, line), run)
    }
    return pass(run, `${passed!.length} of ${run} tests pass at the origin; the suite itself leaves ${skipped!.length} out.`)
  },
}
