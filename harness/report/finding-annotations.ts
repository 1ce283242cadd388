/** Findings as commands of GitHub Actions, which shows them at their lines. Pure. */
import type { Finding } from '../audits/finding.ts'
import type { Waiver } from '../conclude.ts'
import { annotationKinds, commandOf, findingAnnotation } from './annotations.ts'
import { isWaived } from './findings.ts'

/** `pathOf` names a file from the root of its repository. GitHub shows ten of each kind a step; the errors come first. */
export function findingAnnotations(findings: readonly Finding[], pathOf: (file: string) => string, waivers: readonly Waiver[] = []): string[] {
  const all = findings.map((finding) => findingAnnotation({ ...finding, file: pathOf(finding.file) }, finding.fix, isWaived(finding, waivers)))
  return annotationKinds.flatMap((kind) => all.filter((one) => one.kind === kind).map(commandOf))
}
