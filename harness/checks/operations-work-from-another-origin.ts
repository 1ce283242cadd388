/** What the client does in Node, it does in a page of another origin, errors included. */
import type { Check } from '../check.ts'
import type { HistoryEvent, PageOperation, Via } from '../history.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { browserMissing, byWays, firstWay } from './page-results.ts'

interface Pair {
  operation: string
  streamKind: string
  via: Via
  page: PageOperation | null
  node: PageOperation | null
}

interface State {
  pairs: Map<string, Pair>
  missing: string | null
}

export const operationsWorkFromAnotherOriginCheck: Check<State, object> = {
  id: 'operations-work-from-another-origin',
  title: 'A page of another origin can do everything the client can',
  hangsOnTime: true,
  init: () => ({ pairs: new Map(), missing: null }),
  step(state, event) {
    state.missing ??= browserMissing(event)
    if (event.kind === 'page-operation') remember(state.pairs, event)
  },
  finish({ pairs, missing }) {
    const all = [...pairs.values()]
    const judged = all.filter(({ page, node }) => page !== null && node !== null)
    const different = judged.filter(({ page, node }) => page!.outcome !== node!.outcome)
    if (different.length > 0) return red(judged.length, different)
    if (missing !== null) return unknown(missing)
    const open = all.filter(({ page, node }) => page === null || node === null || isLate(node))
    if (open.length > 0) return unknown(`${open.length} of ${all.length} operations have no outcome to compare.`, open.map(called), judged.length)
    const by = judged[0]?.page?.by ?? 'the browser'
    return pass(judged.length, `${judged.length} operations had the same outcome in a page of another origin (${by}) as in Node.`)
  },
}

function remember(pairs: Map<string, Pair>, event: PageOperation & HistoryEvent): void {
  const { operation, streamKind, via } = event
  const key = `${operation}/${streamKind}/${via}`
  const pair = pairs.get(key) ?? { operation, streamKind, via, page: null, node: null }
  pair[event.where] = event
  pairs.set(key, pair)
}

/** The control itself did not get there. */
function isLate({ outcome }: PageOperation): boolean {
  return outcome.startsWith('no outcome')
}

function red(examined: number, different: Pair[]) {
  const groups = [...Map.groupBy(different, ({ operation, page, node }) => [operation, page!.outcome, node!.outcome].join('/')).values()]
  const operations = new Set(different.map(({ operation }) => operation))
  const what = operations.size === 1 ? [...operations][0]!.replaceAll(' ', '-') : 'several'
  const kinds = new Set(different.map(({ streamKind }) => streamKind))
  const fingerprint = `operations-work-from-another-origin/${what}/${kinds.size === 1 ? [...kinds][0]! : 'any'}/none/${firstWay(different.map(({ via }) => via))}`
  const because = `${different.length} of ${examined} operations end otherwise in a page of another origin than in Node.`
  return fail(examined, because, groups.map(evidenceLine), fingerprint, { value: different.length, unit: 'operations', limit: 0 })
}

/** Of the same operation with the same two outcomes. */
function evidenceLine(group: Pair[]): string {
  const { operation, page, node } = group[0]!
  const kinds = [...new Set(group.map(({ streamKind }) => streamKind))].join(', ')
  const reasons = [...new Set(group.flatMap((one) => one.page!.kept ?? []))].join(', ')
  const kept = reasons === '' ? '' : ` (${reasons})`
  return `${operation} (${kinds}) ${byWays(group.map(({ via }) => via))}: in the page "${page!.outcome}"${kept}, in Node "${node!.outcome}"`
}

function called({ operation, streamKind }: Pair): string {
  return `${operation} (${streamKind})`
}
