/**
 * The report as Markdown, for the summary of a CI job: verdict, boxes, what failed and how to
 * repeat it. GitHub drops a summary of more than 1 MiB.
 */
import { duration } from './figures.ts'
import { failureKey, failuresOf } from './failures.ts'
import { countFindings } from './findings.ts'
import { renderWithin, type Fitted } from './fit-to-page.ts'
import { headline, kindWords, rowsBy, waiverSentence, worstFirst, type ChecklistRow } from './groups.ts'
import { keyMeasures } from './key-measures.ts'
import { codeBlock, codeSpan, prose, text } from './markdown-text.ts'
import { shortened } from './readable-evidence.ts'
import type { Result, ScenarioResult } from './result.ts'

/** GitHub takes 1 MiB a step. */
export const summaryBytesMax = 1_000_000

const signs = { fail: '❌', unknown: '❔', pass: '✅', 'not-applicable': '➖' } as const
const boxSigns = { ticked: '✅', crossed: '❌', open: '⬜' } as const

/** Renders a result as GitHub-flavoured Markdown of at most `bytesMax` bytes: several may share one summary. */
export function renderMarkdown(result: Result, bytesMax = summaryBytesMax): string {
  return renderWithin(result, bytesMax, summary)
}

function summary({ result }: Fitted): string {
  const warnings = result.banners.flatMap((banner) => ['', `> ⚠️ **${text(banner)}**`])
  const parts = [
    `## ${text(headline(result))}`,
    ...warnings,
    '',
    ...result.scope.map((line) => `- ${text(line)}`),
    '',
    '### Before you deploy',
    '',
    ...result.boxes.map((box) => `- ${boxSigns[box.state]} ${prose(box.title)}${box.state === 'ticked' ? '' : `: ${text(box.because)}`}`),
    ...rowsBy(result, 'fail').flatMap((row) => failedRow(row, result)),
    ...failures(result),
    ...findings(result),
    ...checklist(result),
    ...result.scenarios.flatMap(scenario),
    ...result.notRun.map(({ id, because }) => `- did not run: ${text(id)}: ${text(because)}`),
    ...warnings,
  ]
  return `${parts.join('\n')}\n`
}

function failedRow(row: ChecklistRow, result: Result): string[] {
  const waiver = waiverSentence(row, result)
  const head = `### ❌ ${text(row.title)} (${text(row.id)}, ${row.severity}${row.required ? '' : ', not required'}${row.waived ? ', waived' : ''})`
  const lines = ['', head, ...(waiver === null ? [] : ['', `**${text(waiver)}**`]), '', text(shortened(row.because)), '', `Fix: ${text(row.fix)}`]
  return row.reproduce === '' ? lines : [...lines, '', ...codeBlock([row.reproduce], 'sh')]
}

/** Which of the failures one has seen before: the others are news. */
function failures(result: Result): string[] {
  const all = failuresOf(result)
  if (all.length === 0) return []
  const known = all.filter((failure) => failure.known)
  const lines = all.map((failure) => `- ${failure.known ? 'known' : '**not known**'}${failure.waived === null ? '' : ', waived'}: ${codeSpan(failureKey(failure))}${failure.known ? `: ${text(failure.known.why)}` : ''}`)
  return ['', `### Failures: ${all.length}, of which ${known.length} ${known.length === 1 ? 'is' : 'are'} known of this server version`, '', ...lines]
}

function findings({ findings: found = [] }: Result): string[] {
  if (found.length === 0) return []
  const lines = found.map(({ severity, file, line, column, message, rule }) => `- ${severity}: ${text(`${file}:${line}:${column}`)}: ${text(message)} (${text(rule)})`)
  return ['', `### Findings in your files: ${countFindings(found)}`, '', ...lines]
}

function checklist(result: Result): string[] {
  const rows = worstFirst(result.checklist).map(
    (row) => `| ${signs[row.verdict]} ${kindWords[row.verdict]} | ${text(row.id)} | ${row.severity}${row.waived ? ', waived' : ''} | ${text(row.because)} |`,
  )
  return ['', '### Checklist', '', '| Verdict | Row | Severity | Seen |', '|---|---|---|---|', ...rows, '', '### Scenarios', '']
}

function scenario(one: ScenarioResult): string[] {
  const measures = keyMeasures(one).map((measure) => `  - ${text(measure)}`)
  return [`- ${signs[one.verdict]} **${text(one.id)}** (${duration(one.durationMs)}): ${text(one.because)}`, ...measures]
}
