/** What was judged and where: the hops with their hashes, the host, the options, the user's files. */
import { bytes, number } from '../figures.ts'
import type { HopIdentity, Result } from '../result.ts'
import { html, type Content, type Markup } from './markup.ts'
import { table, type Column } from './table.ts'
import { usageOfRun } from './usage.ts'

export function environment(result: Result): Markup {
  const hops = inOrderOfWay(result.subject.hops)
  return html`<section id="environment" aria-labelledby="environment-title">
    <h2 id="environment-title">Environment</h2>
    ${hopChain(hops)}
    ${table('Programs on the way, and their configuration', hopColumns, hops)}
    ${usageOfRun(result)}
    <div class="columns">
      <div><h3>Host</h3>${facts(hostFacts(result))}</div>
      <div><h3>Run</h3>${facts(runFacts(result))}</div>
    </div>
    <details><summary>Options of the run</summary>${facts(optionFacts(result.options))}</details>
  </section>`
}

/** The way of a request, from the readers to the origin. */
function hopChain(hops: readonly HopIdentity[]): Content {
  if (hops.length === 0) return ''
  const chain = hops.map((hop) => html`<li><strong>${hop.id}</strong><span>${hop.kind} ${hop.version}</span></li>`)
  return html`<ol class="chain">${chain}</ol>`
}

/** As a request meets them; a hop of another name stands just before the origin. */
const wayOrder = ['tls', 'edge', 'tap', 'origin']

function inOrderOfWay(hops: readonly HopIdentity[]): HopIdentity[] {
  const place = (hop: HopIdentity) => wayOrder.indexOf(hop.id) + 1 || wayOrder.length - 0.5
  return hops.toSorted((a, b) => place(a) - place(b))
}

const hopColumns: Column<HopIdentity>[] = [
  { head: 'Hop', cell: (hop) => hop.id },
  { head: 'Program', cell: (hop) => html`${hop.kind} ${hop.version}` },
  { head: 'SHA-256', cell: (hop) => digest(hop.sha256) },
  { head: 'Configuration', cell: (hop) => digest(hop.configSha256) },
  { head: 'Where from', cell: (hop) => hop.source },
]

/** Enough of it to tell two apart; the whole is in result.json. */
function digest(sha256: string | null): Content {
  return sha256 === null ? 'unknown' : html`<code>${sha256.slice(0, 16)}</code>`
}

function hostFacts({ host, runtime, runtimeBecause }: Result): [string, Content][] {
  return [
    ['Cores', number(host.cores)],
    ['Memory', bytes(host.memoryBytes)],
    ['Open files, at most', number(host.openFilesMax)],
    ['Readers it can hold', html`${number(host.readersMax)} (${host.readersMaxBecause})`],
    ['Kernel', host.kernel],
    ['Node', host.node],
    ['Services run as', runtimeBecause === undefined ? runtime : `${runtime}, because ${runtimeBecause}`],
  ]
}

function runFacts({ runId, harness, profile, seed, startedAt }: Result): [string, Content][] {
  return [
    ['Run', html`<code>${runId}</code>`],
    ['Started', startedAt],
    ['Profile', profile],
    ['Seed', String(seed)],
    ['Simulator', harness.version],
    ['Its commit', html`<code>${harness.commit ?? 'unknown'}</code>${harness.dirty ? ' with changes that are not committed' : ''}`],
  ]
}

function optionFacts(options: Record<string, unknown>): [string, Content][] {
  return Object.entries(options).map(([name, value]) => [name, html`<code>${JSON.stringify(value) ?? 'none'}</code>`])
}

export function facts(entries: readonly (readonly [string, Content])[]): Markup {
  return html`<dl class="facts">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

export function fileChanges(result: Result): Content {
  const { fileChanges: changes } = result.subject
  if (changes.length === 0) return ''
  return html`<section id="files" aria-labelledby="files-title">
    <h2 id="files-title">Your files, as they were run</h2>
    <p class="quiet">So that nothing of the simulation reached production, these lines were changed in memory. Your files themselves were not touched.</p>
    ${changes.map(({ file, diff }) => html`<details><summary><code>${file}</code></summary><pre class="diff">${diff.split(/\r?\n/).map(diffLine)}</pre></details>`)}
  </section>`
}

function diffLine(line: string): Markup {
  const kind = line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : line.startsWith('@') ? 'place' : 'same'
  return html`<span class="${kind}">${line === '' ? ' ' : line.replaceAll('\t', '    ')}</span>`
}
