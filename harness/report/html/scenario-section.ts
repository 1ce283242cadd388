/** One scenario: why it is run, how it went, what was measured, and what each check says. */
import type { VerdictKind } from '../../verdict.ts'
import { duration, faultWords, number, plural, valueWithUnit } from '../figures.ts'
import { kindOrder } from '../groups.ts'
import { readableEvidence, shortened } from '../readable-evidence.ts'
import type { CheckResult, Result, ScenarioResult } from '../result.ts'
import { badge, icon, toneOf } from './badge.ts'
import { html, type Content, type Markup } from './markup.ts'
import { measurementFigures } from './measurements.ts'
import { timeline } from './timeline.ts'

type Known = Result['expectedFailures'][number]

/** The place of a scenario in the page; ids come from a file, so only harmless ones are used as such. */
export function scenarioAnchor(id: string, index: number): string {
  return /^[a-z][a-z0-9-]{0,80}$/.test(id) ? `scenario-${id}` : `scenario-${index + 1}`
}

export function scenarioSection(scenario: ScenarioResult, index: number, known: readonly Known[]): Markup {
  const anchor = scenarioAnchor(scenario.id, index)
  return html`<section class="card scenario ${toneOf(scenario.verdict)}" id="${anchor}" aria-labelledby="${anchor}-title">
    <header>
      <h3 id="${anchor}-title">${scenario.title}</h3>
      <p class="meta">${badge(scenario.verdict)}<code>${scenario.id}</code><span>${duration(scenario.durationMs)}</span></p>
    </header>
    <p class="because">${shortened(scenario.because)}</p>
    <p class="quiet">Why it matters: ${scenario.why}</p>
    ${incidents(scenario)}
    ${proves(scenario)}
    ${timeline(scenario)}
    ${measurementFigures(scenario)}
    ${faults(scenario)}
    ${checks(scenario.checks, known.filter((one) => one.scenario === scenario.id && one.state === 'failed'))}
  </section>`
}

/** Only a web address becomes a link: it comes from a file. */
function incidents({ incidents: reports = [] }: ScenarioResult): Content {
  return reports.map(({ report, title, fixedIn }) => {
    const link = report.startsWith('https://') ? html`<a href="${report}" rel="noreferrer">${title}</a>` : `${title} (${report})`
    return html`<p class="quiet">Known incident: ${link}, ${fixedIn === null ? 'not mended in any release' : `mended in ${fixedIn}`}</p>`
  })
}

function proves({ proves: rows }: ScenarioResult): Content {
  if (rows.length === 0) return ''
  return html`<p class="quiet">Judges ${rows.map((id, index) => html`${index > 0 ? ', ' : ''}<a href="#row-${id}">${id}</a>`)}</p>`
}

function faults({ faults: injected }: ScenarioResult): Content {
  if (injected.length === 0) return ''
  return html`<h4>Faults and their proof</h4><ul class="plain">${injected.map(
    (fault) => html`<li>${icon(fault.proven ? 'pass' : 'unknown')} <strong>${faultWords(fault.id)}</strong>${fault.proven ? '' : ', not proven to have happened'}${fault.proof === '' ? '' : `: ${shortened(fault.proof)}`}</li>`,
  )}</ul>`
}

function checks(all: readonly CheckResult[], known: readonly Known[]): Content {
  if (all.length === 0) return html`<p class="quiet">No check has judged this scenario.</p>`
  const rank = (check: CheckResult) => kindOrder.indexOf(check.verdict)
  const sorted = all.toSorted((a, b) => rank(a) - rank(b))
  const sentences = new Set(sorted.map((check) => JSON.stringify([check.verdict, check.because])))
  const groups = [...sentences].map((sentence) => sorted.filter((check) => JSON.stringify([check.verdict, check.because]) === sentence))
  return html`<h4>Checks</h4><ul class="checks">${groups.map((group) => (group.length > 1 && isBare(group) ? together(group) : group.map((check) => oneCheck(check, known))))}</ul>`
}

/** Checks of which there is nothing to tell but one and the same sentence. */
function isBare(group: readonly CheckResult[]): boolean {
  return group.every((check) => check.verdict === 'unknown' && check.evidence.length === 0 && check.value === undefined)
}

/** A scenario that stopped early leaves many checks unknown for one reason: it is said once. */
function together(group: readonly CheckResult[]): Markup {
  return html`<li class="${toneOf('unknown')}">
    <p class="check-title">${icon('unknown')}<strong>${plural(group.length, 'check')} could not be judged</strong></p>
    <p>${shortened(group[0]!.because)}</p>
    <ul class="bullets">${group.map((check) => html`<li>${check.title ?? check.id}</li>`)}</ul>
  </li>`
}

function oneCheck(check: CheckResult, known: readonly Known[]): Markup {
  const expected = known.find(({ fingerprint }) => fingerprint === check.fingerprint)
  const facts = [
    ...measured(check),
    check.severity,
    `${plural(check.examined, 'item')} examined`,
    html`<code>${check.fingerprint ?? check.id}</code>`,
  ]
  return html`<li class="${toneOf(check.verdict)}">
    <p class="check-title">${icon(check.verdict)}<strong>${check.title ?? check.id}</strong><span class="unseen"> ${verdictWord[check.verdict]}.</span></p>
    <p>${shortened(check.because)}</p>
    <p class="check-facts">${gauge(check)}${facts.map((fact) => html`<span>${fact}</span>`)}</p>
    ${expected === undefined ? '' : html`<p class="quiet">Known of this server version: ${expected.why}${expected.issue === null ? '' : ` ${expected.issue}`}</p>`}
    ${evidence(check)}
  </li>`
}

function measured({ value, unit, limit, limitIs }: CheckResult): Content[] {
  if (value === undefined) return []
  const words = html`<strong>${valueWithUnit(value, unit)}</strong>`
  if (limit === undefined) return [words]
  // A counted limit is of what was counted just before; a time or a size needs its unit.
  const bound = /^(ms|s|bytes|B|%.*)$/.test(unit ?? '') ? valueWithUnit(limit, unit) : number(limit)
  if (limitIs === 'at-least') return [html`${words}, at least ${bound} needed`]
  return [html`${words}, ${limit === 0 ? 'none' : `at most ${bound}`} allowed`]
}

const verdictWord: Record<VerdictKind, string> = {
  pass: 'Passed',
  fail: 'Failed',
  unknown: 'Unknown',
  'not-applicable': 'Not applicable',
}

/** The measured value and its limit on one scale, where both can be drawn. */
function gauge({ value, limit, verdict }: CheckResult): Content {
  if (value === undefined || limit === undefined || limit <= 0) return ''
  const end = Math.max(value, limit) * 1.15
  const share = (of: number) => `${Math.max(0, Math.min(100, (of / end) * 100)).toFixed(1)}%`
  return html`<svg class="gauge ${toneOf(verdict)}" aria-hidden="true"><rect class="track" y="4" width="100%" height="6" rx="3"/><rect class="value" y="4" width="${share(value)}" height="6" rx="3"/><line class="limit" x1="${share(limit)}" x2="${share(limit)}" y1="0" y2="14"/></svg>`
}

function evidence({ evidence: lines, verdict }: CheckResult): Content {
  if (lines.length === 0) return ''
  return html`<details${verdict === 'fail' ? html` open` : ''}><summary>Evidence (${number(lines.length)})</summary>
    <ul class="evidence">${lines.map((line) => html`<li><code>${readableEvidence(line)}</code></li>`)}</ul></details>`
}
