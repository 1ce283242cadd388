/**
 * What passes on the plain origin passes whatever an operator has switched on. What fails on the plain
 * one is judged by `conformance-at-origin`.
 */
import { limitsOf, type Check } from '../check.ts'
import type { Via } from '../history.ts'
import { pinnedSuite, suiteOf } from '../conformance/suite-plan.ts'
import { plural } from '../report/figures.ts'
import { fail, pass, unknown, type Verdict } from '../verdict.ts'
import { doubtOf, emptyRun, follow, groupsOf, listed, testsWith, type SuiteLimits, type SuiteRun } from './conformance-results.ts'
import { nearestFirst } from './findings.ts'
import { byWay } from './page-results.ts'

/** The subject that the others are held against, asked directly. */
const plain = 'plain'

interface Judged {
  subject: string
  via: Via
  run: SuiteRun
}

interface State {
  limits: SuiteLimits
  plain: SuiteRun
  /** By subject and way. */
  judged: Map<string, Judged>
  /** Why the world went no further. */
  broken: string | null
}

export const conformanceIsUnchangedCheck: Check<State, Partial<SuiteLimits>> = {
  id: 'conformance-is-unchanged',
  title: 'What an operator switches on breaks no test of the conformance suite',
  hangsOnTime: true,
  init: (limits) => ({ limits: limitsOf({ tests: pinnedSuite.tests }, limits), plain: emptyRun(), judged: new Map(), broken: null }),
  step(state, event) {
    if (event.kind === 'lifecycle' && event.what === 'not-ready') state.broken = event.because ?? 'it was not ready'
    const place = placeOf(event)
    if (place === null) return
    if (place.subject === plain) return follow(state.plain, place.via, event, plain)
    const key = `${place.subject} ${place.via}`
    const judged = state.judged.get(key) ?? { ...place, run: emptyRun() }
    state.judged.set(key, judged)
    follow(judged.run, place.via, event, place.subject)
  },
  finish(state) {
    const doubt = doubtOf(state.plain, state.limits, 'on the plain origin')
    if (doubt !== null) return unknown(doubt)
    const all = [...state.judged.values()].toSorted((a, b) => nearestFirst.indexOf(a.via) - nearestFirst.indexOf(b.via))
    const tests = testsWith(state.plain, 'passed')
    const broken = all.map((judged) => ({ ...judged, tests: tests.filter((test) => judged.run.results.get(test)?.outcome === 'failed') }))
    const worst = broken.filter((one) => one.tests.length > 0)
    if (worst.length > 0) return isChanged(worst, tests.length * all.length)
    return openQuestion(state, tests) ?? pass(tests.length * all.length, `The ${tests.length} tests that pass on the plain origin pass ${all.map(placeWords).join(', ')}.`)
  },
}

type Event = Parameters<typeof conformanceIsUnchangedCheck.step>[1]

/** Whose suite an event tells of; null for one that tells of none, or of no subject among several. */
function placeOf(event: Event): { subject: string; via: Via } | null {
  if (event.kind === 'conformance') return event.subject === undefined ? null : { subject: event.subject, via: event.via }
  return event.kind === 'shortfall' ? suiteOf(event.what) : null
}

function isChanged(worst: (Judged & { tests: string[] })[], examined: number): Verdict {
  const tests = [...new Set(worst.flatMap((one) => one.tests))]
  const ways = [...Map.groupBy(worst, ({ via }) => via)].map(([via, those]) => `${byWay(via)} with ${those.map(({ subject }) => subject).join(', ')}`)
  const because = `${plural(tests.length, 'test')} that ${tests.length === 1 ? 'passes' : 'pass'} on the plain origin ${tests.length === 1 ? 'fails' : 'fail'} ${ways.join(', and ')}.`
  const lines = worst.map((one) => `${placeWords(one)}, ${plural(one.tests.length, 'test')}: ${listed(one.tests.slice(0, 3), (test) => `${test} (${one.run.results.get(test)!.error})`).join('; ')}`)
  const subjects = [...new Set(worst.map(({ subject }) => subject))].toSorted().join('+')
  return fail(examined, because, listed(lines, (line) => line), `conformance-is-unchanged/${groupsOf(tests)}/${subjects}/none/${worst[0]!.via}`, { value: tests.length, unit: 'tests', limit: 0 })
}

/** What keeps this from being a pass; null where nothing does. */
function openQuestion({ limits, judged, broken }: State, tests: string[]): Verdict | null {
  if (judged.size === 0) return unknown(`The suite was run on no variant${broken === null ? '' : `: ${broken}`}.`)
  if (broken !== null) return unknown(`The suite was not run on every variant: ${broken}`)
  for (const one of judged.values()) {
    const doubt = doubtOf(one.run, limits, placeWords(one))
    if (doubt !== null) return unknown(doubt)
  }
  const open = [...judged.values()].flatMap((one) => tests.filter((test) => one.run.results.get(test)!.outcome !== 'passed').map((test) => `${placeWords(one)}: ${test}`))
  return open.length === 0 ? null : unknown(`${plural(open.length, 'test')} did not end the same in each try: that is neither.`, listed(open, (line) => line))
}

/** 'through the cache with access-log'. */
function placeWords({ subject, via }: Pick<Judged, 'subject' | 'via'>): string {
  return `${byWay(via)} with ${subject}`
}
