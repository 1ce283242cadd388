/** Findings of the audits as lines for a terminal, in the form that editors make links of. Pure. */
import { styleText } from 'node:util'
import type { Finding, FindingSeverity } from '../audits/finding.ts'
import { waiverOf, type Waiver } from '../conclude.ts'
import { neutralise } from './neutralise.ts'

const styles = { error: 'red', warning: 'yellow', note: 'dim' } as const

/** `src/a.ts:12:5: error: message [rule]`, and what to do about it beneath. */
export function renderFindings(findings: readonly Finding[], colour: boolean): string {
  return findings.map((finding) => `${findingLine(finding, colour)}\n    ${neutralise(finding.fix)}\n`).join('')
}

export function findingLine({ file, line, column, severity, message, rule }: Finding, colour = false): string {
  const word = colour ? styleText(styles[severity], severity, { validateStream: false }) : severity
  return `${neutralise(file)}:${line}:${column}: ${word}: ${neutralise(message)} [${rule}]`
}

/** `2 errors, 1 warning and 3 notes`. */
export function countFindings(findings: readonly Finding[]): string {
  const counts = (['error', 'warning', 'note'] satisfies FindingSeverity[]).map((severity) => {
    const n = findings.filter((one) => one.severity === severity).length
    return `${n} ${severity}${n === 1 ? '' : 's'}`
  })
  return `${counts[0]}, ${counts[1]} and ${counts[2]}`
}

export function isWaived({ rule }: Finding, waivers: readonly Waiver[]): boolean {
  return waiverOf(rule, waivers) !== undefined
}

/** Which errors do not count for the exit code, and which do again. */
export function waiverLines(findings: readonly Finding[], waivers: readonly Waiver[]): string[] {
  return waivers.flatMap(({ row, reason, until, expired }) => {
    const errors = findings.filter(({ rule, severity }) => rule === row && severity === 'error').length
    if (errors === 0) return []
    const counted = `${errors} ${errors === 1 ? 'error' : 'errors'} of ${row}`
    return [neutralise(expired ? `Waiver expired, so that they count again: ${counted} (waived until ${until}: ${reason})` : `Waived, and not counted: ${counted} (until ${until}: ${reason})`)]
  })
}
