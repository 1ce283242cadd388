/** What the cache would have done as it comes, beside what it did. */
import { modeWords } from '../../crowd-words.ts'
import { number, plural } from '../figures.ts'
import type { Result } from '../result.ts'
import { stockComparison, type CacheFigures, type StockComparison } from '../stock-cache.ts'
import { html, type Content } from './markup.ts'
import { table, type Column } from './table.ts'

type Row = StockComparison['modes'][number]

export function stockTable(result: Result): Content {
  const comparison = stockComparison(result)
  if (comparison === null) return ''
  return html`<section id="stock" aria-labelledby="stock-title">
    <h2 id="stock-title">Your cache, and the same cache as it comes</h2>
    <p class="prose">The same program with <code>${comparison.configuration}</code>, which knows nothing of Durable Streams, met small crowds beside this run. It is the control: nothing here counts for the verdict.</p>
    ${table('With the stock configuration, and with the one that is judged', columns, comparison.modes)}
  </section>`
}

const columns: Column<Row>[] = [
  { head: 'Read mode', cell: ({ mode }) => modeWords[mode] },
  ...columnsOf('Stock', ({ stock }) => stock),
  ...columnsOf('Judged', ({ judged }) => judged),
]

function columnsOf(name: string, of: (row: Row) => CacheFigures | null): Column<Row>[] {
  return [
    { head: `${name}: readers`, figures: true, cell: (row) => readers(of(row)) },
    { head: `${name}: upstream requests`, figures: true, cell: (row) => figure(of(row)?.upstreamRequests) },
    { head: `${name}: served old or wrong`, figures: true, cell: (row) => wrong(of(row)?.wrong) },
  ]
}

function readers(figures: CacheFigures | null): Content {
  if (figures === null) return 'not run'
  return html`${number(figures.readers)}<span class="under">${plural(figures.crowds, 'crowd')}</span>`
}

function figure(value: number | undefined): Content {
  return value === undefined ? '' : number(value)
}

function wrong(value: number | undefined): Content {
  return value !== undefined && value > 0 ? html`<strong class="bad">${number(value)}</strong>` : figure(value)
}
