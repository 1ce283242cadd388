/** The matrix mutant x row as Markdown and as one offline page. Pure. */
import { html, type Markup } from './html/markup.ts'
import { offlinePage } from './html/offline-page.ts'
import { style } from './html/style.ts'
import { cellOf, matrixRows, mutantsSummary, noticedBy, outcomeOf, type MutantOutcome, type MutantResult, type MutantsResult } from './mutants.ts'
import { neutralise } from './neutralise.ts'

const key =
  '● killed by this row, ○ this row did not notice, empty: not asked. Equivalent: nobody can tell it from the file; unseen: somebody could, but not in these runs. Both for the reason that the file gives, and not in the score.'

export function mutantsMarkdown(result: MutantsResult): string {
  const rows = matrixRows(result.mutants)
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    '# Mutants',
    '',
    `${mutantsSummary(result)} ${result.subject}`,
    '',
    `\`${result.command}\``,
    '',
    key,
    '',
    line(['mutant', 'outcome', ...rows, 'what noticed it']),
    line(['---', '---', ...rows.map(() => ':-:'), '---']),
    ...result.mutants.map((mutant) => line([`\`${mutant.id}\``, outcomeOf(mutant), ...rows.map((id) => cellOf(mutant, id)), cell(noticedBy(mutant))])),
    '',
    ...(result.notRun.length === 0 ? [] : ['Not run:', '', ...result.notRun.map(({ id, because }) => `- \`${id}\`: ${because}`), '']),
  ].join('\n')
}

/** A text from a file or a check may hold what tables are made of. */
function cell(text: string): string {
  return neutralise(text).replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')
}

const tones: Record<MutantOutcome, 'good' | 'bad' | 'off'> = { killed: 'good', survived: 'bad', invalid: 'off', equivalent: 'off', unseen: 'off' }

/** The page's own few rules, after those of the report. */
const ownStyle = `
.matrix { max-width: 100rem; margin-inline: auto; padding: 2rem 1.5rem; }
.matrix h1 { color: var(--ink); font-size: 2rem; }
.matrix th[scope="row"] { white-space: normal; min-width: 18rem; }
.matrix td:last-child { min-width: 24rem; }
.matrix td.mark { text-align: center; color: var(--good); }
.matrix td.mark.open { color: var(--quiet); }
`

export function mutantsPage(result: MutantsResult): string {
  const rows = matrixRows(result.mutants)
  return offlinePage(`Mutants: ${mutantsSummary(result)}`, style + ownStyle, html`<main class="matrix">
<h1>Mutants</h1>
<p class="lead">${mutantsSummary(result)}</p>
<p class="quiet">${result.subject} <code>${result.command}</code></p>
<p class="quiet">${key}</p>
<div class="scrolls" tabindex="0" role="region" aria-label="Mutants by row">
<table>
<thead><tr><th scope="col">Mutant</th><th scope="col">Outcome</th>${rows.map((id) => html`<th scope="col">${id}</th>`)}<th scope="col">What noticed it</th></tr></thead>
<tbody>
${result.mutants.map((mutant) => tableRow(mutant, rows))}
</tbody>
</table>
</div>
${result.notRun.length === 0 ? '' : html`<h2>Not run</h2><ul class="bullets">${result.notRun.map(({ id, because }) => html`<li><code>${id}</code>: ${because}</li>`)}</ul>`}
</main>`).toString()
}

function tableRow(mutant: MutantResult, rows: MutantsResult['mutants'][number]['rows']): Markup {
  const outcome = outcomeOf(mutant)
  const marks = rows.map((id) => {
    const mark = cellOf(mutant, id)
    return html`<td class="mark${mark === '○' ? ' open' : ''}">${mark}</td>`
  })
  return html`<tr><th scope="row"><code>${mutant.id}</code><span class="under">${mutant.what}</span></th><td><span class="badge ${tones[outcome]}">${outcome}</span></td>${marks}<td>${noticedBy(mutant)}</td></tr>
`
}
