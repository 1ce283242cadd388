/** Every method and request header of the protocol passes a browser's preflight. */
import type { Check } from '../check.ts'
import type { PagePreflight } from '../history.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { browserMissing, byWays, firstWay } from './page-results.ts'

interface State {
  preflights: PagePreflight[]
  missing: string | null
}

export const preflightAllowsEverythingCheck: Check<State, object> = {
  id: 'preflight-allows-everything',
  title: 'A preflight allows every method and request header of the protocol',
  init: () => ({ preflights: [], missing: null }),
  step(state, event) {
    state.missing ??= browserMissing(event)
    if (event.kind === 'page-preflight') state.preflights.push(event)
  },
  finish({ preflights, missing }) {
    const refused = preflights.filter(({ allowed }) => !allowed)
    if (refused.length > 0) return red(preflights.length, refused)
    if (missing !== null) return unknown(missing)
    return pass(preflights.length, `${preflights.length} requests of a page of another origin passed their preflight: each method alone, and with each header.`)
  },
}

function red(examined: number, refused: PagePreflight[]) {
  const groups = [...Map.groupBy(refused, called)]
  const evidence = groups.map(([what, group]) => {
    const because = [...new Set(group.map((one) => one.because))].join(', ')
    return `${what} ${byWays(group.map(({ via }) => via))}: ${because}`
  })
  const because = `${groups.length} kinds of requests are kept from a page of another origin: ${groups.map(([what]) => what).join(', ')}.`
  const what = groups.length === 1 ? groups[0]![0].toLowerCase().replaceAll(' ', '-') : 'several'
  const fingerprint = `preflight-allows-everything/${what}/any/none/${firstWay(refused.map(({ via }) => via))}`
  return fail(examined, because, evidence, fingerprint, { value: refused.length, unit: 'requests', limit: 0 })
}

function called({ method, header }: PagePreflight): string {
  return header === null ? method : `${method} with ${header}`
}
