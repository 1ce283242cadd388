/**
 * Every header that the client reads off an answer can be read by a page of another origin. The same
 * program in Node says which headers such answers carry; what the page got and could not read is
 * named. An answer that was kept from the page as a whole is not of this check, but of
 * operations-work-from-another-origin.
 */
import { clientHeaders } from '../browser/client-headers.ts'
import { limitsOf, type Check } from '../check.ts'
import type { PageOperation, Via } from '../history.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { browserMissing, byWays, firstWay } from './page-results.ts'

interface Limits {
  /** Lower case. */
  headers: readonly string[]
}

/** Answers of one kind: what of their headers was seen from where. */
interface Answers {
  what: string
  via: Via
  page: Set<string> | null
  node: Set<string> | null
}

interface State {
  limits: Limits
  answers: Map<string, Answers>
  missing: string | null
}

export const pageReadsEveryHeaderCheck: Check<State, Partial<Limits>> = {
  id: 'page-reads-every-header',
  title: 'A page of another origin can read every header that the client reads',
  init: (limits) => ({ limits: limitsOf({ headers: clientHeaders.reads }, limits), answers: new Map(), missing: null }),
  step(state, event) {
    state.missing ??= browserMissing(event)
    if (event.kind === 'page-operation') remember(state.answers, event)
  },
  finish({ limits, answers, missing }) {
    const both = [...answers.values()].filter(({ page, node }) => page !== null && node !== null)
    const carried = both.flatMap((one) => limits.headers.filter((header) => one.node!.has(header)).map((header) => ({ header, ...one })))
    const hidden = carried.filter(({ header, page }) => !page!.has(header))
    if (hidden.length > 0) return red(carried.length, hidden)
    if (missing !== null) return unknown(missing)
    const seen = new Set(carried.map(({ header }) => header)).size
    return pass(carried.length, `${seen} of the ${limits.headers.length} headers that the client reads came in ${both.length} kinds of answers; a page of another origin could read each.`)
  },
}

function remember(answers: Map<string, Answers>, { operation, streamKind, via, where, answers: seen }: PageOperation): void {
  for (const { method, status, headers } of seen) {
    const what = `${status} to ${method} (${operation}, ${streamKind})`
    const key = `${what} ${via}`
    const known = answers.get(key) ?? { what, via, page: null, node: null }
    known[where] = new Set([...(known[where] ?? []), ...headers])
    answers.set(key, known)
  }
}

function red(examined: number, hidden: (Answers & { header: string })[]) {
  const groups = [...Map.groupBy(hidden, ({ header }) => header)]
  const evidence = groups.map(([header, group]) => {
    const whats = [...new Set(group.map(({ what }) => what))]
    const more = whats.length > 2 ? `, and ${whats.length - 2} more kinds of answers` : ''
    return `${header} ${byWays(group.map(({ via }) => via))}: in ${whats.slice(0, 2).join(', ')}${more}; Access-Control-Expose-Headers does not name it`
  })
  const names = groups.map(([header]) => header)
  const because = `${names.length} headers that the client reads are kept from a page of another origin: ${names.join(', ')}.`
  const fingerprint = `page-reads-every-header/${names.toSorted().join('+')}/any/none/${firstWay(hidden.map(({ via }) => via))}`
  return fail(examined, because, evidence, fingerprint, { value: names.length, unit: 'headers', limit: 0 })
}
