/**
 * The 26 rows, the failed ones first, with a filter that needs no script: radio buttons, and a
 * style sheet that knows which one is chosen.
 */
import type { VerdictKind } from '../../verdict.ts'
import { kindOrder, kindWords, waiverSentence, worstFirst, type ChecklistRow } from '../groups.ts'
import { shortened } from '../readable-evidence.ts'
import type { Result } from '../result.ts'
import { badge } from './badge.ts'
import { html, type Content, type Markup } from './markup.ts'
import { scenarioAnchor } from './scenario-section.ts'

export function checklistTable(result: Result): Markup {
  const anchors = new Map(result.scenarios.map(({ id }, index) => [id, scenarioAnchor(id, index)]))
  return html`<section id="checklist" aria-labelledby="checklist-title">
    <h2 id="checklist-title">Checklist</h2>
    ${filter(result.checklist)}
    <table class="checklist" role="table">
      <caption class="unseen">What must be proven before a release, failed rows first</caption>
      <thead role="rowgroup"><tr role="row">
        ${['Verdict', 'What must hold', 'What was seen'].map((head) => html`<th scope="col" role="columnheader">${head}</th>`)}
      </tr></thead>
      <tbody role="rowgroup">${worstFirst(result.checklist).map((row) => oneRow(row, result, anchors))}</tbody>
    </table>
  </section>`
}

function filter(rows: readonly ChecklistRow[]): Markup {
  const present = kindOrder.filter((kind) => rows.some((row) => row.verdict === kind))
  return html`<fieldset class="filter"><legend>Show</legend>
    ${choice('all', 'All', rows.length, true)}
    ${present.map((kind) => choice(kind, kindWords[kind], rows.filter((row) => row.verdict === kind).length, false))}
  </fieldset>`
}

function choice(kind: VerdictKind | 'all', words: string, count: number, chosen: boolean): Markup {
  return html`<label><input type="radio" name="show" id="show-${kind}"${chosen ? html` checked` : ''}><span>${words} ${count}</span></label>`
}

function oneRow(row: ChecklistRow, result: Result, anchors: ReadonlyMap<string, string>): Markup {
  return html`<tr role="row" id="row-${row.id}" data-verdict="${row.verdict}">
    <td role="cell">${badge(row.verdict)}<span class="severity">${row.severity}${row.required ? '' : ', not required'}${row.waived ? ', waived' : ''}</span></td>
    <th scope="row" role="rowheader"><span>${row.title}</span><code>${row.id}</code></th>
    <td role="cell">${waiver(row, result)}${whatWasSeen(row, result, anchors)}${whatToDo(row)}${judgedBy(row, anchors)}</td>
  </tr>`
}

/** That a row is waived, or was, is said before what was seen. */
function waiver(row: ChecklistRow, result: Result): Content {
  const sentence = waiverSentence(row, result)
  return sentence === null ? '' : html`<p><strong>${sentence}</strong></p>`
}

/** One sentence; where several checks failed, one for each, with the scenario that saw it. */
function whatWasSeen(row: ChecklistRow, { scenarios }: Result, anchors: ReadonlyMap<string, string>): Content {
  const failed = scenarios.flatMap(({ id, checks }) =>
    checks.filter((check) => check.verdict === 'fail' && (check.rows as string[]).includes(row.id)).map((check) => ({ id, because: check.because })),
  )
  if (row.verdict !== 'fail' || failed.length < 2) return html`<p>${shortened(row.because)}</p>`
  return html`<ul class="bullets">${failed.map(({ id, because }) => html`<li>${shortened(because)} <span class="quiet">(${scenarioLink(id, anchors)})</span></li>`)}</ul>`
}

function scenarioLink(id: string, anchors: ReadonlyMap<string, string>): Content {
  const anchor = anchors.get(id)
  return anchor ? html`<a href="#${anchor}">${id.trim() || anchor}</a>` : id
}

/** Open where it must be done; folded where it need not. */
function whatToDo(row: ChecklistRow): Content {
  if (row.verdict === 'pass' || row.verdict === 'not-applicable') return ''
  const advice = html`<dl class="advice-list">
    <div><dt>Fix</dt><dd>${row.fix} ${rule(row)}</dd></div>
    ${row.reproduce === '' ? '' : html`<div><dt>Repeat</dt><dd><code class="command">${words(row.reproduce)}</code></dd></div>`}
  </dl>`
  if (row.verdict === 'fail') return advice
  return html`<details><summary>What to do if it fails<span class="unseen">: ${row.id}</span></summary>${advice}</details>`
}

/** Only a web address becomes a link: this field, too, comes from a file. */
function rule({ link, id }: ChecklistRow): Content {
  if (!link.startsWith('https://')) return link
  return html`<a href="${link}" rel="noreferrer">The rule<span class="unseen">: ${id}</span></a>`
}

function judgedBy({ scenarios }: ChecklistRow, anchors: ReadonlyMap<string, string>): Content {
  if (scenarios.length === 0) return ''
  return html`<p class="quiet">Judged by ${scenarios.map((id, index) => html`${index > 0 ? ', ' : ''}${scenarioLink(id, anchors)}`)}</p>`
}

/** A command breaks between its words only, never within a flag. */
function words(command: string): Content {
  return command.split(' ').filter(Boolean).map((word, index) => html`${index > 0 ? ' ' : ''}<span>${word}</span>`)
}
