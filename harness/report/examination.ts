/** What a machine can prove and what it cannot: findings of `npm run doctor`, as lines. Pure. */
import { neutralise } from './neutralise.ts'
import { wrap } from './wrap-text.ts'

export interface Finding {
  /** 'the production server', 'open files'. */
  what: string
  /** `fine`; `less`: a run proves less, and says so; `missing`: a run does not begin. */
  state: 'fine' | 'less' | 'missing'
  /** What was found, one sentence. */
  because: string
  /** What to do where it is not fine; empty where there is nothing to do. */
  remedy: string
}

const marks = { fine: '✔', less: '?', missing: '✖' } as const

/** Lines no wider than `width`; the last one sums up. */
export function examinationLines(findings: readonly Finding[], width: number): string[] {
  const lines = findings.flatMap(({ what, state, because, remedy }) => [
    ...hanging(`${marks[state]} `, `${what}: ${because}`, width),
    ...(remedy === '' ? [] : hanging('    ', remedy, width)),
  ])
  return [...lines, '', summaryOf(findings)]
}

function hanging(mark: string, text: string, width: number): string[] {
  return wrap(neutralise(text), Math.max(20, width - mark.length)).map((line, index) => (index === 0 ? mark : ' '.repeat(mark.length)) + line)
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length
  if (count('missing') > 0) return `A run does not begin here: ${count('missing')} of ${findings.length} things are missing.`
  if (count('less') > 0) return `A run proves less here than it could: ${count('less')} of ${findings.length} things are not as they should be.`
  return 'A run can prove here all that the simulator knows.'
}
