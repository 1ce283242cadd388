/**
 * The report as one page: no script, no request, opened from disk or out of a mail. Everything in
 * it comes from one saved result.
 */
import { renderWithin, type Fitted } from './fit-to-page.ts'
import { headline } from './groups.ts'
import { icon } from './html/badge.ts'
import { checklistTable } from './html/checklist-table.ts'
import { environment, fileChanges } from './html/environment.ts'
import { findings } from './html/findings.ts'
import { limitsOfGreen, notRun } from './html/limits-of-green.ts'
import { html, type Content, type Markup } from './html/markup.ts'
import { offlinePage } from './html/offline-page.ts'
import { scenarioAnchor, scenarioSection } from './html/scenario-section.ts'
import { stockTable } from './html/stock-table.ts'
import { style } from './html/style.ts'
import { banners, boxes, verdictHeader } from './html/summary.ts'
import type { Result } from './result.ts'
import { stockComparison } from './stock-cache.ts'

/** A page that can still be mailed. */
export const pageBytesMax = 1_000_000

/** Renders a result as one HTML document of at most `pageBytesMax` bytes. */
export function renderHtml(result: Result): string {
  return renderWithin(result, pageBytesMax, (fitted) => String(page(fitted)))
}

function page({ result, leftOut }: Fitted): Markup {
  return offlinePage(headline(result), style, html`<a class="skip" href="#main">Skip to the report</a>
${verdictHeader(result)}
<div class="page">
${contents(result)}
<main id="main" tabindex="-1">
${banners(result, 'at the top')}
${boxes(result)}
${checklistTable(result)}
${stockTable(result)}
${findings(result)}
${scenarios(result)}
${notRun(result)}
${environment(result)}
${fileChanges(result)}
${limitsOfGreen(result)}
${banners(result, 'at the bottom')}
</main>
</div>
${footer(result, leftOut)}`)
}

function contents(result: Result): Markup {
  const hasFiles = result.subject.fileChanges.length > 0
  return html`<nav class="contents" aria-label="Contents"><ul>
    <li><a href="#boxes">Before you deploy</a></li>
    <li><a href="#checklist">Checklist</a></li>
    ${stockComparison(result) === null ? '' : html`<li><a href="#stock">Your cache, and as it comes</a></li>`}
    ${result.findings?.length ? html`<li><a href="#findings">Findings in your files</a></li>` : ''}
    ${result.scenarios.length > 0 ? scenarioLinks(result) : ''}
    ${result.notRun.length > 0 ? html`<li><a href="#not-run">Did not run</a></li>` : ''}
    <li><a href="#environment">Environment</a></li>
    ${hasFiles ? html`<li><a href="#files">Your files</a></li>` : ''}
    <li><a href="#limits">What green does not prove</a></li>
  </ul></nav>`
}

function scenarioLinks(result: Result): Markup {
  return html`<li><a href="#scenarios">Scenarios</a><ul>${result.scenarios.map(
    (scenario, index) => html`<li><a href="#${scenarioAnchor(scenario.id, index)}">${icon(scenario.verdict)}${scenario.id.trim() || `scenario ${index + 1}`}</a></li>`,
  )}</ul></li>`
}

function scenarios(result: Result): Content {
  if (result.scenarios.length === 0) return ''
  return html`<section id="scenarios" aria-labelledby="scenarios-title">
    <h2 id="scenarios-title">Scenarios</h2>
    ${result.scenarios.map((scenario, index) => scenarioSection(scenario, index, result.expectedFailures))}
  </section>`
}

function footer(result: Result, leftOut: readonly string[]): Markup {
  const missing = leftOut.length === 0 ? '' : html`<details><summary>Left out of this page (${leftOut.length} lists); all of it is in result.json</summary>
    <ul>${leftOut.slice(0, 40).map((line) => html`<li>${line}</li>`)}</ul></details>`
  return html`<footer><p>Durable Streams production simulation, run <code>${result.runId}</code>. This page was rendered from result.json in the run's folder, where the history and the logs of all processes are, too.</p>${missing}</footer>`
}
