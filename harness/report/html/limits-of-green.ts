/** What even a green run does not prove: fixed knowledge, and what this very run left open. */
import { percent, plural } from '../figures.ts'
import { idsByReason } from '../groups.ts'
import { cleanBound } from '../key-measures.ts'
import type { Result } from '../result.ts'
import { linked } from './summary.ts'
import { html, type Content, type Markup } from './markup.ts'

const always = [
  'A kill of the process leaves the page cache alone, and the power cuts of power-cut-loses-nothing are made on a disk that keeps what is forced to it, in order: one that says so and does not is another question.',
  'All hops ran on one machine over loopback: no distance, no packet loss, no second data centre.',
  'One cache node was judged. Bans are not shared between several, so their staleness can differ.',
  'A CDN in front of your deployment was not judged unless it is named above as a hop.',
  'The load was this simulator\'s own. Your application\'s access pattern, authentication and message sizes are not in it.',
  'Minutes show no slow growth: leaks of memory, descriptors or disk need the soak profile.',
  'A seed repeats the schedule, not the interleaving of real processes: a rare race may need many runs to show.',
]

export function limitsOfGreen(result: Result): Markup {
  return html`<section id="limits" aria-labelledby="limits-title">
    <h2 id="limits-title">What green does not prove</h2>
    <ul class="prose">${[...ofThisRun(result), ...always].map((line) => html`<li>${linked(line)}</li>`)}</ul>
  </section>`
}

function ofThisRun(result: Result): string[] {
  const lines: string[] = []
  const open = result.checklist.filter((row) => row.verdict === 'unknown').map((row) => row.id)
  const away = result.checklist.filter((row) => row.verdict === 'not-applicable').map((row) => row.id)
  if (open.length > 0) lines.push(`${plural(open.length, 'row')} of the checklist could not be judged in this run: ${open.join(', ')}.`)
  if (away.length > 0) lines.push(`${plural(away.length, 'row')} did not apply to what was given: ${away.join(', ')}.`)
  for (const { measurements, checks } of result.scenarios) {
    const seen = measurements.durability
    const bound = seen ? cleanBound(seen, checks) : null
    if (seen && bound !== null && bound < 1) {
      lines.push(`${plural(seen.kills, 'clean kill')} cannot exclude a loss in up to ${percent(bound)} of kills (95 % confidence); more kills lower that bound.`)
    }
  }
  return lines
}

export function notRun(result: Result): Content {
  if (result.notRun.length === 0) return ''
  return html`<section id="not-run" aria-labelledby="not-run-title">
    <h2 id="not-run-title">Did not run</h2>
    <ul class="prose">${[...idsByReason(result.notRun)].map(([because, ids]) => html`<li>${because}<span class="under">${ids.map((id, index) => html`${index > 0 ? ', ' : ''}<code>${id}</code>`)}</span></li>`)}</ul>
  </section>`
}
