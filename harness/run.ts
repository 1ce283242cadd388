/**
 * One run: a folder that is written as the run goes, scenarios side by side where they may and
 * alone where they must, then the conclusion, saved before it is shown.
 */
import { rename, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { monotonicMs } from './clock.ts'
import { conclude, concludeBoxes, concludeRows, scoreOf, type AuditPart, type Facts } from './conclude.ts'
import { exitCodes } from './errors.ts'
import type { Subject } from './gather.ts'
import { gatherHarness, gatherHost } from './gather-environment.ts'
import { HistoryFile } from './history.ts'
import type { FileChange } from './open-world.ts'
import type { Plan } from './plan.ts'
import { Sequence } from './recorder.ts'
import { renderHtml } from './report/html.ts'
import type { Progress } from './report/progress.ts'
import { schemaVersion, type HopIdentity, type Result, type ScenarioResult } from './report/result.ts'
import { runScenario, type Sizes } from './run-scenario.ts'
import type { Runtime } from './runtime/runtime.ts'
import { twinVariable } from './services/reference-origin.ts'
import type { Scenario } from './scenario.ts'

export interface RunOptions {
  runId: string
  /** The run's own folder; `latest` beside it is pointed to it. */
  folder: string
  subject: Subject
  plan: Plan
  runtime: Runtime
  audits: AuditPart[]
  sizes: Sizes
  seed: number
  /** As given, for the report. */
  options: Record<string, unknown>
  /** To repeat this run: '--seed 7'. */
  reproduceOptions: string
  readersMax: { readersMax: number; because: string }
  progress: Progress
  /** Aborted by SIGINT or SIGTERM; its reason is the exit code. */
  signal: AbortSignal
}

interface Collected {
  scenarios: ScenarioResult[]
  notRun: Result['notRun']
  identities: Map<string, HopIdentity>
  fileChanges: Map<string, FileChange>
}

/** Light scenarios run this many at a time: most of their time is waiting. */
const besideMax = 3

/** Runs the plan and saves `result.json` and `report.html`. */
export async function run(options: RunOptions): Promise<Result> {
  const startedAt = new Date()
  const beginMs = monotonicMs()
  const collected: Collected = {
    scenarios: [],
    notRun: [...options.plan.notRun],
    identities: new Map(),
    fileChanges: new Map(),
  }
  const history = new HistoryFile(options.folder)
  try {
    await runAll(options, collected, history, beginMs)
  } finally {
    await history.close()
  }
  const result = await resultOf(options, collected, startedAt, monotonicMs() - beginMs)
  await save(options.folder, result)
  return result
}

async function runAll(options: RunOptions, collected: Collected, history: HistoryFile, beginMs: number): Promise<void> {
  const sequence = new Sequence()
  const one = (scenario: Scenario) => runOne(options, scenario, collected, history, sequence, beginMs)
  const beside = options.plan.scenarios.filter((scenario) => scenario.runs === 'beside-others')
  const alone = options.plan.scenarios.filter((scenario) => scenario.runs === 'alone')
  const waiting = [...beside]
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await one(next)
  }
  await Promise.all(Array.from({ length: besideMax }, worker))
  for (const scenario of alone) await one(scenario)
}

async function runOne(
  options: RunOptions,
  scenario: Scenario,
  collected: Collected,
  history: HistoryFile,
  sequence: Sequence,
  beginMs: number,
): Promise<void> {
  if (options.signal.aborted) {
    collected.notRun.push({ id: scenario.id, because: 'The run was interrupted before it.' })
    return
  }
  const { subject, runtime, folder, seed, sizes, signal, progress } = options
  const startedAtMs = monotonicMs() - beginMs
  progress.scenarioStarted(scenario.id, scenario.title)
  const outcome = await runScenario({
    scenario,
    subject,
    runtime,
    sequence,
    sinks: [history],
    folder,
    seed,
    sizes,
    signal,
    progress: (text) => progress.step(scenario.id, text),
  })
  const result = { ...outcome.result, startedAtMs: Math.round(startedAtMs) }
  collected.scenarios.push(result)
  for (const identity of outcome.identities) collected.identities.set(identity.id, identity)
  for (const change of outcome.fileChanges) collected.fileChanges.set(change.file, change)
  progress.scenarioEnded(scenario.id, result.verdict, result.because, result.durationMs)
}

async function resultOf(options: RunOptions, collected: Collected, startedAt: Date, durationMs: number): Promise<Result> {
  const { subject, plan } = options
  const interrupted = options.signal.aborted
  const facts: Facts = {
    scenarios: collected.scenarios,
    audits: options.audits,
    originKind: subject.server.kind,
    partial: plan.notRun.length > 0 || interrupted,
    reproduceOptions: options.reproduceOptions,
  }
  const checklist = concludeRows(facts)
  const conclusion = conclude(facts, checklist)
  const host = await gatherHost()
  const order = plan.scenarios.map((scenario) => scenario.id)
  return {
    schemaVersion,
    runId: options.runId,
    verdict: conclusion.verdict,
    because: interrupted ? `The run was interrupted. ${conclusion.because}` : conclusion.because,
    scope: scopeOf(options),
    banners: bannersOf(options),
    score: scoreOf(checklist),
    exitCode: interrupted ? Number(options.signal.reason) || exitCodes.interrupted : conclusion.exitCode,
    harness: await gatherHarness(),
    subject: {
      kind: subject.server.kind,
      version: subject.server.version,
      sha256: subject.server.kind === 'production' ? subject.server.sha256 : null,
      label: subject.server.kind === 'production' ? subject.server.label : 'reference server',
      hops: ['origin', 'edge', 'tls'].flatMap((id) => collected.identities.get(id) ?? []),
      fileChanges: [...collected.fileChanges.values()],
    },
    runtime: options.runtime.kind,
    profile: options.sizes.profile,
    seed: options.seed,
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(durationMs),
    host: { ...host, readersMax: options.readersMax.readersMax, readersMaxBecause: options.readersMax.because },
    options: options.options,
    scenarios: collected.scenarios.toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id)),
    notRun: collected.notRun,
    checklist,
    boxes: concludeBoxes(checklist),
  }
}

/** What the verdict speaks of, and what it does not. */
function scopeOf({ subject, sizes, readersMax }: RunOptions): string[] {
  const vcl = subject.vcl.isDefault ? 'the recommended VCL' : `your VCL ${subject.vcl.file}`
  const caddyfile = subject.caddyfile === null ? '' : subject.caddyfile.isDefault ? ', with the default Caddyfile' : `, with your ${subject.caddyfile.file}`
  const lines = [
    `Judged: ${subject.server.kind === 'production' ? 'the production server' : 'the reference server'} ${subject.server.version}${caddyfile}, behind Varnish ${subject.varnish.version} with ${vcl}, behind Caddy ${subject.caddy.version} for TLS, as plain processes on this machine.`,
    'Not judged: your own application code (no --app), your CDN, your network, your disks.',
  ]
  if (sizes.readers < 10_000) lines.push(`Crowds had ${sizes.readers.toLocaleString('en-US')} readers, not 10,000, as --readers asked.`)
  if (readersMax.readersMax < sizes.readers) lines.push(`This host holds ${readersMax.readersMax} readers at once: ${readersMax.because}`)
  return lines
}

function bannersOf({ subject, plan }: RunOptions): string[] {
  const banners: string[] = []
  if (subject.server.kind === 'reference') {
    banners.push(`REFERENCE SERVER: this run judged the npm reference server, not the production server. ${subject.server.because}`)
  }
  const twin = process.env[twinVariable]
  if (twin !== undefined) banners.push(`TWIN: the origin is a program that is broken on purpose: ${twin}.`)
  if (plan.notRun.length > 0) banners.push(`PARTIAL RUN: ${plan.notRun.length} scenarios were not run.`)
  return banners
}

/** Result first, then what is rendered from it; each written beside and renamed into place. */
async function save(folder: string, result: Result): Promise<void> {
  await writeWhole(path.join(folder, 'result.json'), JSON.stringify(result, null, 2))
  await writeWhole(path.join(folder, 'report.html'), renderHtml(result))
  const latest = path.join(path.dirname(folder), 'latest')
  await rm(latest, { force: true, recursive: false }).catch(() => {})
  await symlink(path.basename(folder), latest).catch(() => {})
}

async function writeWhole(file: string, content: string): Promise<void> {
  await writeFile(`${file}.partial`, content)
  await rename(`${file}.partial`, file)
}
