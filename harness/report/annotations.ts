/** Findings as commands of GitHub Actions, which shows them at their lines. Pure. */
import type { Finding, FindingSeverity } from '../audits/finding.ts'
import { neutralise } from './neutralise.ts'

/** GitHub shows ten of each kind a step; the errors come first. */
const kinds: [FindingSeverity, command: string][] = [['error', 'error'], ['warning', 'warning'], ['note', 'notice']]

/** `uriOf` names a file from the root of its repository. */
export function annotations(findings: readonly Finding[], pathOf: (file: string) => string): string[] {
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
