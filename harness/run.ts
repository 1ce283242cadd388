/**
 * One run: a folder that is written as the run goes, scenarios side by side where they may and
 * alone where they must, then the conclusion, saved before it is shown.
 */
import { rename, rm, symlink } from 'node:fs/promises'
import path from 'node:path'
import type { Finding } from './audits/finding.ts'
import { overruled } from './audits/overruled.ts'
import { monotonicMs } from './clock.ts'
import { concludeAll, type AuditPart, type GatheredFacts, type Waiver } from './conclude.ts'
import { exitCodes, Interrupted, interruptionOf } from './errors.ts'
import type { Subject } from './gather.ts'
import { gatherHarness, gatherHost } from './gather-environment.ts'
import { expectedFailuresOf, mendedBanners } from './expected-failures.ts'
import { ledger } from './expected-failures-ledger.ts'
import { HistoryFile } from './history-file.ts'
import type { FileChange } from './prepare-origin.ts'
import type { Perturbation } from './perturbation.ts'
import { leftOut, type Plan } from './plan.ts'
import { Recorder, Sequence } from './recorder.ts'
import { countFindings } from './report/findings.ts'
import type { Progress } from './report/progress.ts'
import { schemaVersion, type HopIdentity, type Result, type ScenarioResult } from './report/result.ts'
import { leaveCapsules } from './incident/leave-capsules.ts'
import { RunJudge } from './run-judge.ts'
import { runScenario, type KeptWorld, type Sizes } from './run-scenario.ts'
import type { Runtime } from './runtime/runtime.ts'
import { saveResult } from './save-result.ts'
import type { Scenario } from './scenario.ts'
import { plantedTwins } from './twins.ts'

export interface RunOptions {
  runId: string
  /** The run's own folder; `latest` beside it is pointed to it. */
  folder: string
  subject: Subject
  plan: Plan
  runtime: Runtime
  /** Why it is this one. */
  runtimeBecause: string
  audits: AuditPart[]
  /** Rows that the configuration file waives. */
  waivers: Waiver[]
  /** What the run was set up by, beside its flags; null without a configuration file. */
  settings: { file: string; overruled: readonly string[] } | null
  /** What reading the user's files found. */
  findings: Finding[]
  /** How many source files were judged; null without --app. */
  filesRead: number | null
  /** The configurations whose text was judged: 'Caddyfile', 'VCL'. */
  configsRead: readonly string[]
  sizes: Sizes
  seed: number
  /** Moves the timings of every scenario on purpose. */
  perturbation: Perturbation | null
  /** Takes over each scenario's world, which is else closed when the scenario has ended. */
  keep?(id: string, kept: KeptWorld): void
  /** As given, for the report. */
  options: Record<string, unknown>
  /** To repeat this run: '--seed 7'. */
  reproduceOptions: string
  readersMax: { readersMax: number; because: string }
  progress: Progress
  /** Aborted when the run has to end before its time; its reason is an `Interrupted`. */
  signal: AbortSignal
}

/** What a result says of its run until the run has ended. */
const stillRunning = new Interrupted('The run has not ended, or was killed: this is what was seen until then.', exitCodes.unknown)

interface Collected {
  scenarios: ScenarioResult[]
  notRun: Result['notRun']
  identities: Map<string, HopIdentity>
  fileChanges: Map<string, FileChange>
}

/** What is known of a run before its first scenario. */
interface Beginning {
  startedAt: Date
  beginMs: number
  harness: Result['harness']
  host: Awaited<ReturnType<typeof gatherHost>>
}

/** Light scenarios run this many at a time: most of their time is waiting. */
const besideMax = 3

/**
 * Runs the plan and saves `result.json` and `report.html`: at once, with the verdict `unknown`,
 * after each scenario, and at the end. A run that is killed leaves what it had seen until then.
 */
export async function run(options: RunOptions): Promise<Result> {
  options.progress.planned(options.plan.scenarios.length)
  const beginning = { startedAt: new Date(), beginMs: monotonicMs(), harness: await gatherHarness(), host: await gatherHost() }
  const collected: Collected = {
    scenarios: [],
    notRun: [...options.plan.notRun],
    identities: new Map(),
    fileChanges: new Map(),
  }
  const saved = new SavedResult(options.folder)
  const saveUnfinished = () => saved.save(resultOf(options, unfinished(options.plan, collected), beginning, false))
  await saveUnfinished()
  await pointLatestTo(options.folder)
  await writeHistory(options, (running) => runAll({ ...options, ...running, afterEach: saveUnfinished }, collected))
  const result = resultOf(options, collected, beginning, true)
  await saved.save(result)
  const tooLarge = await leaveCapsules(options, result)
  for (const name of tooLarge) options.progress.note(`${name} would be over 1 MB and was not kept.`)
  return result
}

/** The history begins with what is known of the run and ends with how it ended; one that dies has no end. */
async function writeHistory(options: RunOptions, act: (running: Telling) => Promise<void>): Promise<void> {
  const history = new HistoryFile(options.folder)
  const telling = { history, judge: new RunJudge(), sequence: new Sequence() }
  const recorder = new Recorder('', telling.sequence, [telling.judge, history])
  try {
    recorder.record({ kind: 'run', phase: 'begin', facts: factsOf(options) })
    await act(telling)
    recorder.record({ kind: 'run', phase: 'end', interruptedBecause: interruptionOf(options.signal)?.message ?? null })
  } finally {
    await history.close()
  }
}

function factsOf({ audits, waivers, subject, plan, reproduceOptions }: RunOptions): GatheredFacts {
  const twins = plantedTwins().map((twin) => twin.hop)
  return { audits, waivers, originKind: subject.server.kind, partial: plan.notRun.length > 0, twins, reproduceOptions }
}

/** Scenarios that have not ended are listed too: nothing vanishes, also when the run dies now. */
function unfinished(plan: Plan, collected: Collected): Collected {
  const ended = new Set([...collected.scenarios, ...collected.notRun].map((one) => one.id))
  const open = plan.scenarios.filter((scenario) => !ended.has(scenario.id))
  return { ...collected, notRun: [...collected.notRun, ...open.map((scenario) => leftOut(scenario, 'It had not ended yet.'))] }
}

/** Where events go: into the history, and to the judge at once. */
interface Telling {
  history: HistoryFile
  judge: RunJudge
  sequence: Sequence
}

interface RunningOptions extends RunOptions, Telling {
  afterEach(): Promise<void>
}

async function runAll(options: RunningOptions, collected: Collected): Promise<void> {
  const one = (scenario: Scenario) => runOne(options, scenario, collected)
  const beside = options.plan.scenarios.filter((scenario) => scenario.runs === 'beside-others')
  const alone = options.plan.scenarios.filter((scenario) => scenario.runs === 'alone')
  const waiting = [...beside]
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await one(next)
  }
  await Promise.all(Array.from({ length: besideMax }, worker))
  for (const scenario of alone) await one(scenario)
}

async function runOne(options: RunningOptions, scenario: Scenario, collected: Collected): Promise<void> {
  if (options.signal.aborted) {
    collected.notRun.push(leftOut(scenario, 'The run was interrupted before it.'))
    return
  }
  const { subject, runtime, folder, seed, sizes, perturbation, signal, progress, judge, sequence, history } = options
  progress.scenarioStarted(scenario.id, scenario.title)
  const { result, identities, fileChanges } = await runScenario({
    scenario,
    subject,
    runtime,
    judge,
    sequence,
    sinks: [history],
    folder,
    seed,
    sizes,
    perturbation,
    ...(options.keep ? { keep: (kept: KeptWorld) => options.keep!(scenario.id, kept) } : {}),
    signal,
    progress: (text) => progress.step(scenario.id, text),
  })
  collected.scenarios.push(result)
  for (const identity of identities) collected.identities.set(identity.id, identity)
  for (const change of fileChanges) collected.fileChanges.set(change.file, change)
  progress.scenarioEnded(scenario.id, result.verdict, result.because, result.durationMs)
  await options.afterEach()
}

function resultOf(options: RunOptions, collected: Collected, beginning: Beginning, ended: boolean): Result {
  const { subject, plan } = options
  const interruption = ended ? interruptionOf(options.signal) : stillRunning
  // In the plan's order, not in that in which they happened to end: rows name the first of them.
  const order = plan.scenarios.map((scenario) => scenario.id)
  const scenarios = collected.scenarios.toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
  const { kind, version } = subject.server
  const facts = factsOf(options)
  const findings = overruled(options.findings, scenarios)
  const expectedFailures = expectedFailuresOf(ledger, { kind, version, twins: facts.twins }, scenarios)
  return {
    schemaVersion,
    runId: options.runId,
    ...concludeAll({ ...facts, scenarios, notRun: collected.notRun }, interruption),
    scope: scopeOf({ ...options, findings }, collected.identities),
    banners: [...bannersOf(options), ...mendedBanners(expectedFailures)],
    expectedFailures,
    findings: findings.slice(0, findingsMax),
    harness: beginning.harness,
    subject: {
      kind,
      version,
      sha256: subject.server.kind === 'production' ? subject.server.sha256 : null,
      label: subject.server.kind === 'production' ? subject.server.label : 'reference server',
      hops: ['origin', 'edge', 'tls'].flatMap((id) => collected.identities.get(id) ?? []),
      fileChanges: [...collected.fileChanges.values()],
    },
    runtime: options.runtime.kind,
    runtimeBecause: options.runtimeBecause,
    profile: options.sizes.profile,
    seed: options.seed,
    startedAt: beginning.startedAt.toISOString(),
    durationMs: Math.round(monotonicMs() - beginning.beginMs),
    host: { ...beginning.host, readersMax: options.readersMax.readersMax, readersMaxBecause: options.readersMax.because },
    options: options.options,
    scenarios,
    notRun: collected.notRun,
  }
}

/** In the result; a project has more only where one thing is wrong everywhere. */
const findingsMax = 2_000

const placeOf: Record<Runtime['kind'], string> = {
  processes: 'as plain processes on this machine',
  containers: 'each in a container of its own, the readers in the same network namespace, on its loopback',
}

/** What the verdict speaks of, and what it does not. */
function scopeOf({ subject, settings, filesRead, configsRead, findings, sizes, readersMax, runtime, runtimeBecause }: RunOptions, identities: Collected['identities']): string[] {
  // In a container the cache may be another one than this host's.
  const { kind, program, config } = subject.edge
  const edge = `${kind.name} ${identities.get('edge')?.version ?? program.version}`
  const edgeConfig = config.isDefault ? `the recommended ${kind.config.word}` : `your ${kind.config.word} ${config.file}`
  const caddyfile = subject.caddyfile === null ? '' : subject.caddyfile.isDefault ? ', with the default Caddyfile' : `, with your ${subject.caddyfile.file}`
  const lines = [
    `Judged: ${subject.server.kind === 'production' ? 'the production server' : 'the reference server'} ${subject.server.version}${caddyfile}, behind ${edge} with ${edgeConfig}, behind Caddy ${subject.caddy.version} for TLS, ${placeOf[runtime.kind]}.`,
    ...(settings === null ? [] : [settingsWords(settings)]),
    `Runtime: ${runtime.kind}, because ${runtimeBecause.replace(/\.$/, '')}.`,
    ...(filesRead === null && configsRead.length === 0 ? [] : [`Read: ${readWords(filesRead, configsRead)}: ${countFindings(findings)}.`]),
    `Not judged: ${filesRead === null ? 'your own application code (no --app: the boxes that are about it stay open), ' : ''}your CDN, your network, your disks.`,
  ]
  if (subject.dataDir !== null) lines.push(copyWords(subject.dataDir))
  if (sizes.readers < 10_000) lines.push(`Crowds had ${sizes.readers.toLocaleString('en-US')} readers, not 10,000, as was asked.`)
  if (readersMax.readersMax < sizes.readers) lines.push(`This host holds ${readersMax.readersMax} readers at once: ${readersMax.because}`)
  return lines
}

function settingsWords({ file, overruled }: NonNullable<RunOptions['settings']>): string {
  return `Settings: ${file}${overruled.length === 0 ? '' : `, of which flags overruled ${overruled.join(', ')}`}.`
}

function readWords(filesRead: number | null, configsRead: readonly string[]): string {
  const source = filesRead === null ? [] : [`${filesRead.toLocaleString('en-US')} ${filesRead === 1 ? 'file' : 'files'} of your source, which is not run`]
  return new Intl.ListFormat('en-GB').format([...configsRead.map((word) => `the ${word}`), ...source])
}

function copyWords({ folder, streams, orphans, bytes }: NonNullable<Subject['dataDir']>): string {
  const without = orphans.length === 0 ? '' : `; ${orphans.length} more folders of data belong to no stream: expired, deleted or lost`
  return `Opened: a copy of ${folder}, ${streams.length} streams in ${(bytes / 1024 ** 2).toFixed(1)} MiB${without}. The original was only read.`
}

function bannersOf({ subject, plan }: RunOptions): string[] {
  const banners: string[] = []
  if (subject.server.kind === 'reference') {
    banners.push(`REFERENCE SERVER: this run judged the npm reference server, not the production server: ${subject.server.because}.`)
  }
  for (const { hop, program } of plantedTwins()) {
    banners.push(`TWIN: in place of the ${hop} stands a program that is broken on purpose: ${program}.`)
  }
  if (plan.notRun.length > 0) banners.push(`PARTIAL RUN: ${plan.notRun.length} scenarios were not run.`)
  return banners
}

/** Saves the newest result, one at a time: scenarios side by side may end at once. */
class SavedResult {
  #folder: string
  #saving = Promise.resolve()

  constructor(folder: string) {
    this.#folder = folder
  }

  save(result: Result): Promise<void> {
    this.#saving = this.#saving.then(() => saveResult(this.#folder, result))
    return this.#saving
  }
}

/** `latest` beside the run's folder: replaced as a whole, as another run may do the same now. */
async function pointLatestTo(folder: string): Promise<void> {
  const latest = path.join(path.dirname(folder), 'latest')
  const beside = `${folder}.latest`
  try {
    await symlink(path.basename(folder), beside)
    await rename(beside, latest)
  } catch {
    // A folder of that name, or a file system without symbolic links: there is no `latest` then.
    await rm(beside, { force: true })
  }
}
