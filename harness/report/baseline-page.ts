/** The candidate beside its baseline as one offline page. Pure. */
import { changeTitles, figuresSentence, ratioWords, shareWords, sideWords, type BesideBaseline, type ComparedCheck, type ComparedFigure } from './baseline.ts'
import { clip } from './neutralise.ts'
import { valueWithUnit, plural } from './figures.ts'
import { headline } from './groups.ts'
import { icon, toneOf } from './html/badge.ts'
import { html, type Content, type Markup } from './html/markup.ts'
import { offlinePage } from './html/offline-page.ts'
import { style } from './html/style.ts'
import { verdictTitles } from './html/summary.ts'
import { table } from './html/table.ts'
import type { Result } from './result.ts'

/** The page's own few rules, after those of the report. */
const ownStyle = `
.beside { max-width: 84rem; margin-inline: auto; padding: 0 1.5rem 2rem; }
.beside section { margin-block: 2rem; }
.beside td { vertical-align: top; }
.beside .worse { color: var(--bad); font-weight: 600; }
.beside .better { color: var(--good); font-weight: 600; }
`
const charactersMax = 600
const rowsMax = 400

/** `decisive`: the run of the candidate that its verdict is from. */
export function baselinePage(compared: BesideBaseline, decisive: Result): string {
  return offlinePage(`Beside the baseline: ${headline(decisive)}`, style + ownStyle, html`<header class="band ${toneOf(decisive.verdict)}"><div class="verdict"><div class="verdict-words">
  <p class="kicker">The candidate beside the baseline, in turn, ${plural(compared.rounds, 'round')}</p>
  <h1>${icon(decisive.verdict)}${verdictTitles[decisive.verdict]}</h1>
  <p class="lead">${decisive.because} The verdict is the candidate's alone. ${newFailures(compared)}</p>
</div></div></header>
<main class="beside">
${sides(compared)}
${(Object.keys(changeTitles) as (keyof typeof changeTitles)[]).map((change) => checks(changeTitles[change], compared.checks.filter((one) => one.change === change)))}
${figures(compared)}
${differently(compared)}
</main>`).toString()
}

function newFailures({ checks: all }: BesideBaseline): string {
  const count = all.filter(({ change }) => change === 'new-failure').length
  return count === 0 ? 'Nothing fails in it that did not fail in the baseline as well.' : `${plural(count, 'check')} failed in it, and not in the baseline.`
}

function sides({ baseline, candidate }: BesideBaseline): Markup {
  // The page lies in the folder of a candidate's run; a baseline's run in that of its round.
  const ofCandidate = candidate.runIds.map((id) => ({ id, href: `../${id}/report.html` }))
  const ofBaseline = baseline.runIds.map((id, round) => ({ id, href: `../${candidate.runIds[round] ?? ''}/baseline/${id}/report.html` }))
  const rows = [{ name: 'Baseline', side: baseline, runs: ofBaseline }, { name: 'Candidate', side: candidate, runs: ofCandidate }]
  return html`<section>${table('What was judged', [
    { head: 'Side', cell: ({ name }) => name },
    { head: 'Server', cell: ({ side }) => sideWords(side) },
    { head: 'Runs', cell: ({ runs }) => runs.map(({ id, href }, index) => html`${index > 0 ? html`<br>` : ''}<a href="${href}"><code>${id}</code></a>`) },
  ], rows)}</section>`
}

function checks(title: string, some: readonly ComparedCheck[]): Content {
  if (some.length === 0) return ''
  return html`<section><h2>${title}</h2>${table(plural(some.length, 'check'), [
    { head: 'Check', cell: ({ check, scenario }: ComparedCheck) => html`<code>${check}</code><br><span class="quiet">${scenario}</span>` },
    { head: 'Candidate', cell: ({ candidate }) => shareWords(candidate) },
    { head: 'Baseline', cell: ({ baseline }) => shareWords(baseline) },
    { head: 'What was seen', cell: ({ because }) => clip(because, charactersMax) },
  ], some.slice(0, rowsMax))}</section>`
}

function figures(compared: BesideBaseline): Markup {
  const order = (figure: ComparedFigure) => (figure.moved === 'worse' ? 0 : figure.moved === 'better' ? 1 : 2)
  const rows = compared.figures.toSorted((a, b) => order(a) - order(b)).slice(0, rowsMax)
  const own = rows.length === 0 ? '' : table('Figures, medians of the rounds', [
    { head: 'Figure', cell: ({ words, scenario }: ComparedFigure) => html`${words}<br><span class="quiet">${scenario}</span>` },
    { head: 'Baseline', figures: true, cell: ({ baseline, unit }) => valueWithUnit(baseline, unit) },
    { head: 'Candidate', figures: true, cell: ({ candidate, unit }) => valueWithUnit(candidate, unit) },
    { head: 'Candidate to baseline', figures: true, cell: ({ ratio }) => ratioWords(ratio) },
    { head: 'Beyond the noise', cell: ({ moved }) => (moved === null ? 'no' : html`<span class="${moved}">${moved}</span>`) },
  ], rows)
  return html`<section><h2>Figures</h2><p>${figuresSentence(compared)}</p>${own}</section>`
}

function differently({ differently: lines }: BesideBaseline): Markup {
  const own = lines.length === 0 ? html`<p>Nothing but the server: the same configurations, sizes and seeds.</p>` : html`<ul class="bullets">${lines.map((line) => html`<li>${line}</li>`)}</ul>`
  return html`<section><h2>Different to begin with</h2>${own}</section>`
}
