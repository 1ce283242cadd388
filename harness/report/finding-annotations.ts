/** Findings as commands of GitHub Actions, which shows them at their lines. Pure. */
import type { Finding, FindingSeverity } from '../audits/finding.ts'
import type { Waiver } from '../conclude.ts'
import { commandOf } from './annotations.ts'
import { isWaived } from './findings.ts'

/** GitHub shows ten of each kind a step; the errors come first. */
const kinds = [['error', 'error'], ['warning', 'warning'], ['note', 'notice']] as const satisfies readonly [FindingSeverity, string][]

/** `pathOf` names a file from the root of its repository. What is waived is told, and is no error. */
export function findingAnnotations(all: readonly Finding[], pathOf: (file: string) => string, waivers: readonly Waiver[] = []): string[] {
  const findings = all.map((finding): Finding => (isWaived(finding, waivers) ? { ...finding, severity: 'note', message: `Waived: ${finding.message}` } : finding))
  return kinds.flatMap(([severity, kind]) =>
    findings
      .filter((finding) => finding.severity === severity)
      .map(({ file, line, column, rule, message, fix }) => commandOf({ kind, title: rule, message: `${message} ${fix}`, file: pathOf(file), line, column })),
  )
}
