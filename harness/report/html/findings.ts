/** What reading the user's own files found, each with its place. */
import { countFindings } from '../findings.ts'
import type { Result } from '../result.ts'
import { html, type Content } from './markup.ts'
import { table } from './table.ts'

export function findings({ findings: found = [] }: Result): Content {
  if (found.length === 0) return ''
  return html`<section id="findings" aria-labelledby="findings-title">
    <h2 id="findings-title">Findings in your files</h2>
    <p>${countFindings(found)}. An error fails its row; a warning, and a note on what a text alone does not tell, leave it open. Where a run measured the same, its finding is a note that says so.</p>
    ${table('Findings in your files', [
      { head: 'Place', cell: ({ file, line, column }) => html`<code>${file}:${line}:${column}</code>` },
      { head: 'Severity', cell: ({ severity }) => severity },
      { head: 'Row', cell: ({ rule }) => (rule === 'source' ? 'all' : html`<a href="#row-${rule}">${rule}</a>`) },
      { head: 'Finding', cell: ({ message, fix }) => html`${message} <span class="under">${fix}</span>` },
    ], found)}
  </section>`
}
