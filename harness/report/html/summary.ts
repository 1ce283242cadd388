/** The top of the page: the verdict, the warnings, what it speaks of, and the eight boxes. */
import { duration, instant, number } from '../figures.ts'
import { butWaived, kindOrder, kindWords, waivedRows } from '../groups.ts'
import { rowIds } from '../../checklist.ts'
import { shortened } from '../readable-evidence.ts'
import type { Result } from '../result.ts'
import { icon, tickBox, toneOf } from './badge.ts'
import { facts } from './environment.ts'
import { html, prose, type Content, type Markup } from './markup.ts'

export const verdictTitles: Record<Result['verdict'], string> = {
  ready: 'Ready',
  'not-ready': 'Not ready',
  unknown: 'Unknown',
}

export function verdictHeader(result: Result): Markup {
  return html`<header class="band ${butWaived(result) === '' ? toneOf(result.verdict) : toneOf('open')}"><div class="verdict">
    <div class="verdict-words">
      <p class="kicker">Durable Streams production readiness: ${subjectWords(result)}</p>
      <h1>${icon(result.verdict)}${verdictTitles[result.verdict]}${butWaived(result)}</h1>
      <p class="lead">${linked(result.because)}</p>
      ${scope(result)}
    </div>
    ${scoreRing(result)}
    ${tally(result)}
    ${facts([
      ['Started', instant(result.startedAt)],
      ['Took', duration(result.durationMs)],
      ['Profile', result.profile],
      ['Seed', String(result.seed)],
      ['Exit code', String(result.exitCode)],
    ])}
  </div></header>`
}

function scoreRing({ score }: Result): Markup {
  const shown = number(Math.floor(score))
  return html`<div class="score" role="img" aria-label="Score ${shown} of 100">
    <svg viewBox="0 0 100 100" aria-hidden="true"><circle class="ring-track" cx="50" cy="50" r="42"/><circle class="ring" cx="50" cy="50" r="42" pathLength="100" stroke-dasharray="${score.toFixed(1)} 200" transform="rotate(-90 50 50)"/></svg>
    <span aria-hidden="true"><strong>${shown}</strong> of 100</span>
  </div>`
}

/** How the rows came out: one thin bar, and the counts in words. */
function tally(result: Result): Markup {
  const { checklist } = result
  const waived = waivedRows(result).length
  const counts = kindOrder.map((kind) => ({ kind, count: checklist.filter((row) => row.verdict === kind).length }))
  const present = counts.filter(({ count }) => count > 0)
  let from = 0
  const parts = present.map(({ kind, count }) => {
    const x = (from / checklist.length) * 100
    from += count
    return html`<rect class="part ${toneOf(kind)}" x="${x.toFixed(2)}%" width="${((count / checklist.length) * 100).toFixed(2)}%" height="100%"/>`
  })
  return html`<div class="tally"><svg aria-hidden="true">${parts}</svg>
    <p>${present.map(({ kind, count }, index) => html`${index > 0 ? ' · ' : ''}${count} ${kindWords[kind].toLowerCase()}`)} of ${checklist.length} rows${waived === 0 ? '' : `; ${waived} waived`}</p></div>`
}

export function banners({ banners: lines }: Result, place: string): Content {
  if (lines.length === 0) return ''
  return html`<section class="banners" aria-label="Warnings, ${place}">${lines.map((line) => html`<p>${line}</p>`)}</section>`
}

/** `the production server 0.4.1, unreleased build`. */
function subjectWords({ subject }: Result): string {
  const words = `the ${subject.kind} server ${subject.version}`
  return subject.kind === 'production' && subject.label !== '' ? `${words}, ${subject.label}` : words
}

/** What was judged and what was not belongs beside the verdict. */
function scope(result: Result): Content {
  if (result.scope.length === 0) return ''
  return html`<ul class="scope" aria-label="What this verdict speaks of">${result.scope.map((line) => html`<li>${line}</li>`)}</ul>`
}

const rowPattern = new RegExp(`\\b(${rowIds.toSorted((a, b) => b.length - a.length).join('|')})\\b`, 'g')

/** Text in which the checklist's rows are links to where they stand. */
export function linked(text: string): Markup {
  const parts = text.split(rowPattern)
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<a href="#row-${part}">${part}</a>` : part))}`
}

const boxWords = { ticked: 'Done', crossed: 'Not done', open: 'Open' }

export function boxes(result: Result): Markup {
  return html`<section id="boxes" aria-labelledby="boxes-title">
    <h2 id="boxes-title">Before you deploy</h2>
    <ul class="boxes">${result.boxes.map(
      (box) => html`<li class="${toneOf(box.state)}">${tickBox(box.state)}<div>
        <p class="box-title"><span class="unseen">${boxWords[box.state]}: </span>${prose(box.title)}</p>
        <p>${shortened(box.because)}</p>
        <p class="quiet">${box.rows.map((id, index) => html`${index > 0 ? ', ' : ''}<a href="#row-${id}">${id}</a>`)}</p>
      </div></li>`,
    )}</ul>
  </section>`
}
