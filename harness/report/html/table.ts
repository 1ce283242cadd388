/** Tables that scroll by themselves where they are wider than the page. */
import { html, type Content, type Markup } from './markup.ts'

export interface Column<Row> {
  head: string
  /** Figures stand right, words left. */
  figures?: boolean
  cell(row: Row): Content
}

/** A table with a caption; its first column heads each row. */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Markup {
  return html`<div class="scrolls" role="group" aria-label="${caption}" tabindex="0"><table>
    <caption>${caption}</caption>
    <thead><tr>${columns.map((column) => html`<th scope="col"${attribute(column)}>${column.head}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${columns.map((column, index) => cell(column, row, index === 0))}</tr>`)}</tbody>
  </table></div>`
}

function cell<Row>(column: Column<Row>, row: Row, heads: boolean): Markup {
  if (heads) return html`<th scope="row"${attribute(column)}>${column.cell(row)}</th>`
  return html`<td${attribute(column)}>${column.cell(row)}</td>`
}

function attribute(column: { figures?: boolean }): Markup {
  return column.figures ? html` class="figures"` : html``
}
