/** From what a rule thinks of one set of options to findings: over all alternatives, on all ways. Pure. */
import type { RowId } from '../checklist.ts'
import type { Finding, FindingSeverity, Place, RuleOutcome } from './finding.ts'
import type { Use, UseWay } from './source/client-uses.ts'
import { alternatives, type Value } from './source/values.ts'

/** `at` is where the reason is written, where that is not the call itself. */
export type Opinion =
  /** The rule does not speak of it. */
  | { kind: 'skip' }
  | { kind: 'right' }
  | { kind: 'wrong'; message: string; fix: string; severity?: FindingSeverity; at?: Place | undefined }
  /** The source alone does not tell. */
  | { kind: 'open'; message: string; fix: string; at?: Place | undefined }
  /** Worth knowing; decides nothing. */
  | { kind: 'remark'; message: string; fix: string; at?: Place | undefined }

export const skip: Opinion = { kind: 'skip' }
export const right: Opinion = { kind: 'right' }

/** Judges each use with each of its options; `judge` is given one alternative at a time. */
export function judgeUses(rule: RowId, uses: readonly Use[], judge: (options: Value, way: UseWay, use: Use) => Opinion): RuleOutcome {
  const judged = uses.map((use) => ({
    use,
    ways: use.ways.map((way) => ({ way, opinion: together(alternatives(way.options).map((options) => judge(options, way, use))) })),
  }))
  const spoken = judged.filter(({ ways }) => ways.some(({ opinion }) => opinion.kind !== 'skip'))
  return { examined: spoken.length, findings: spoken.flatMap(({ use, ways }) => findingsOf(rule, use, ways)) }
}

/** What holds for all alternatives is certain; what holds for some is likely. */
function together(opinions: readonly Opinion[]): Opinion {
  const spoken = opinions.filter((one) => one.kind !== 'skip')
  const wrong = spoken.find((one) => one.kind === 'wrong')
  if (wrong && spoken.every((one) => one.kind === 'wrong')) return wrong
  if (wrong?.kind === 'wrong') return { kind: 'open', message: `${wrong.message} So it is on some of the ways through this code.`, fix: wrong.fix, at: wrong.at }
  return spoken.find((one) => one.kind === 'open') ?? spoken.find((one) => one.kind === 'remark') ?? spoken[0] ?? skip
}

/** Where one way is right, the others are wrong at their callers; where none is, at the call itself. */
function findingsOf(rule: RowId, use: Use, ways: readonly { way: UseWay; opinion: Opinion }[]): Finding[] {
  const spoken = ways.filter(({ opinion }) => opinion.kind !== 'skip')
  const isRightSomewhere = spoken.some(({ opinion }) => opinion.kind === 'right')
  const told = isRightSomewhere ? spoken : spoken.toSorted((a, b) => rank(b.opinion) - rank(a.opinion)).slice(0, 1)
  return told.flatMap(({ way, opinion }) => {
    const written = 'at' in opinion ? opinion.at : undefined
    const caller = isRightSomewhere && !written ? way.via.at(-1) : undefined
    const through = caller ? ` (Through ${use.name} at ${use.place.file}:${use.place.line}.)` : ''
    return findingOf(rule, opinion, written ?? caller ?? use.place, through)
  })
}

const ranks: Record<Opinion['kind'], number> = { wrong: 3, open: 2, remark: 1, right: 0, skip: 0 }

function rank(opinion: Opinion): number {
  return ranks[opinion.kind] + (opinion.kind === 'wrong' && opinion.severity === undefined ? 1 : 0)
}

export function findingOf(rule: RowId, opinion: Opinion, { file, line, column }: Place, more = ''): Finding[] {
  if (opinion.kind === 'skip' || opinion.kind === 'right') return []
  const { message, fix } = opinion
  const severity = opinion.kind === 'wrong' ? (opinion.severity ?? 'error') : 'note'
  const undecided = opinion.kind === 'open' || severity === 'warning'
  return [{ rule, severity, file, line, column, message: message + more, fix, ...(undecided ? { undecided } : {}) }]
}
