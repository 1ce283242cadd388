/** What passes at the origin passes behind it as well: cache and TLS edge break no test. */
import { limitsOf, type Check } from '../check.ts'
import { pinnedSuite } from '../conformance/suite-plan.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { doubtOf, emptyRun, follow, groupsOf, listed, testsWith, type Outcome, type SuiteLimits, type SuiteRun } from './conformance-results.ts'
import { byWay } from './page-results.ts'

interface Limits extends SuiteLimits {
  via: 'edge' | 'tls'
}

interface State {
  limits: Limits
  origin: SuiteRun
  edge: SuiteRun
}

export const conformanceThroughEdgeCheck: Check<State, Partial<Limits>> = {
  id: 'conformance-through-edge',
  title: 'What passes at the origin passes through the edge',
  hangsOnTime: true,
  init: (limits) => ({ limits: limitsOf({ tests: pinnedSuite.tests, via: 'edge' }, limits), origin: emptyRun(), edge: emptyRun() }),
  step({ limits, origin, edge }, event) {
    follow(origin, 'origin', event)
    follow(edge, limits.via, event)
  },
  finish(state) {
    const { limits, origin, edge } = state
    const where = byWay(limits.via)
    const doubt = doubtOf(origin, limits, 'at the origin') ?? doubtOf(edge, limits, where)
    if (doubt !== null) return unknown(doubt)
    const run = edge.results.size - testsWith(edge, 'skipped').length
    const broken = differing(state, 'passed', ['failed'])
    if (broken.length > 0) {
      const because = `${broken.length} of ${run} tests fail ${where} that pass at the origin.`
      const fingerprint = `conformance-through-edge/${groupsOf(broken)}/any/none/${limits.via}`
      return fail(run, because, listed(broken, (test) => line(state, test)), fingerprint, { value: broken.length, unit: 'tests', limit: 0 })
    }
    const open = [...differing(state, 'passed', ['unstable', 'skipped']), ...differing(state, 'unstable', ['failed', 'unstable', 'skipped'])]
    if (open.length > 0) {
      return unknown(`${open.length} of ${run} tests did not end the same in each try: that is neither.`, listed(open, (test) => line(state, test)), run)
    }
    const wrong = testsWith(origin, 'failed')
    const failing = wrong.length === 0 ? '' : ` The ${wrong.length} that fail at the origin are not judged here.`
    const evidence = listed(wrong, (test) => line(state, test))
    return pass(run, `${testsWith(edge, 'passed').length} of ${run} tests pass ${where}, all that pass at the origin among them.${failing}`, { evidence })
  },
}

/** Tests that ended like this at the origin, and like one of those behind it. */
function differing({ origin, edge }: State, atOrigin: Outcome, behind: Outcome[]): string[] {
  return testsWith(origin, atOrigin).filter((test) => behind.some((outcome) => outcome === edge.results.get(test)?.outcome))
}

function line({ origin, edge }: State, test: string): string {
  const told = (run: SuiteRun) => [run.results.get(test)!.outcome, run.results.get(test)!.error].filter(Boolean).join(': ')
  return `${test}: at the origin ${told(origin)}; behind it ${told(edge)}`
}
