/** A verdict in a word, a sign and a colour: never by colour alone. */
import type { VerdictKind } from '../../verdict.ts'
import { kindWords } from '../groups.ts'
import { html, type Markup } from './markup.ts'

type Sign = VerdictKind | 'ready' | 'not-ready' | 'ticked' | 'crossed' | 'open'

const tones: Record<Sign, 'good' | 'bad' | 'open' | 'off'> = {
  pass: 'good',
  ready: 'good',
  ticked: 'good',
  fail: 'bad',
  'not-ready': 'bad',
  crossed: 'bad',
  unknown: 'open',
  open: 'open',
  'not-applicable': 'off',
}

const shapes = {
  good: 'M4.5 8.5l2.4 2.4 4.8-5.4',
  bad: 'M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6',
  open: 'M6 6.3c0-2.6 4.1-2.6 4.1 0 0 1.5-2.1 1.6-2.1 3.1M8 11.6v.1',
  off: 'M5 8h6',
}

/** The class that gives a verdict its colours. */
export function toneOf(sign: Sign): string {
  return tones[sign]
}

export function icon(sign: Sign): Markup {
  const tone = tones[sign]
  return html`<svg class="icon ${tone}" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="7.5"/><path d="${shapes[tone]}"/></svg>`
}

/** A box of the pre-deploy summary: ticked, crossed or empty. */
export function tickBox(state: 'ticked' | 'crossed' | 'open'): Markup {
  const mark = state === 'open' ? '' : html`<path d="${shapes[tones[state] as 'good' | 'bad']}"/>`
  return html`<svg class="icon tick-box ${tones[state]}" viewBox="0 0 16 16" aria-hidden="true"><rect x="0.9" y="0.9" width="14.2" height="14.2" rx="3"/>${mark}</svg>`
}

export function badge(verdict: VerdictKind): Markup {
  return html`<span class="badge ${tones[verdict]}">${icon(verdict)}${kindWords[verdict]}</span>`
}
