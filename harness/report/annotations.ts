/** Findings as commands of GitHub Actions, which shows them at their lines. Pure. */
import type { Finding, FindingSeverity } from '../audits/finding.ts'
import type { Waiver } from '../conclude.ts'
import { isWaived } from './findings.ts'
import { neutralise } from './neutralise.ts'

/** GitHub shows ten of each kind a step; the errors come first. */
const kinds: [FindingSeverity, command: string][] = [['error', 'error'], ['warning', 'warning'], ['note', 'notice']]

/** `pathOf` names a file from the root of its repository. What is waived is told, and is no error. */
export function annotations(all: readonly Finding[], pathOf: (file: string) => string, waivers: readonly Waiver[] = []): string[] {
  const findings = all.map((finding): Finding => (isWaived(finding, waivers) ? { ...finding, severity: 'note', message: `Waived: ${finding.message}` } : finding))
  return kinds.flatMap(([severity, command]) =>
    findings
      .filter((finding) => finding.severity === severity)
      .map(({ file, line, column, rule, message, fix }) => `::${command} file=${property(pathOf(file))},line=${line},col=${column},title=${property(rule)}::${data(`${message} ${fix}`)}`),
  )
}

/** As the runner's own toolkit escapes them (actions/toolkit, core/src/command.ts). */
function data(text: string): string {
  return neutralise(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
