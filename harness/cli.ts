/** `npm run simulate -- …`: reads the flags, sets up, runs, shows the result, ends with its code. */
import { randomInt } from 'node:crypto'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { audit } from './audit.ts'
import { auditCaddyfile, auditEdge } from './audit-config.ts'
import { sortFindings } from './audits/finding.ts'
import { findingsOf, type ConfigAudit, type SourceAudit } from './audits/row-parts.ts'
import { maxFileHandlesDefault } from './confine/caddy-capabilities.ts'
import { flagsToRepeat, readOptions, type Options } from './options.ts'
import { edgeById } from './edges/edges.ts'
import { exitCodes } from './errors.ts'
import { explain } from './explain.ts'
import { gather, type Subject } from './gather.ts'
import { hostCanHold, openFilesMax } from './load/fleet/limits.ts'
import { rowsReadIn } from './load-audits.ts'
import { openInterruption } from './interruption.ts'
import { refuseLowOpenFilesLimit } from './open-files-limit.ts'
import { lastFailed } from './last-failed.ts'
import { makeOutputFolder } from './output-folder.ts'
import { leftOut, loadScenarios, planRun, withFiles, type Given, type Plan } from './plan.ts'
import { readCapsule, unpackConfigurations } from './incident/capsule.ts'
import { replayCode, replayWords, seenIn, type Seen } from './report/replay-words.ts'
import { openProgress, type Progress } from './report/progress.ts'
import { repetitionLine, repetitionsOf, repetitionTable } from './report/repetitions.ts'
import { renderTerminal } from './report/terminal.ts'
import type { Result } from './report/result.ts'
import { provideBrowser, type BrowserOrNone, type BrowserSearch } from './provision/browser.ts'
import { run } from './run.ts'
import { openWorkshop } from './open-workshop.ts'
import type { Scenario } from './scenario.ts'
import { annotate, refuseUnwritable, writeSarif } from './tell-findings.ts'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
/** Below the run's folder, with `--keep`. */
const keptFolder = 'kept'

// Not left to the event loop: what an interrupted scenario still waited for would hold it up.
process.exit(await main(process.argv.slice(2)).catch(explain))

async function main(args: string[]): Promise<number> {
  const options = await readOptions(args)
  const out = path.resolve(options.out ?? path.join(root, 'reports'))
  const all = await loadScenarios(path.join(root, 'scenarios'))
  const { scenarios, ids } = await withFiles(all, options.lastFailed ? await lastFailed(out) : options.ids)
  if (options.list) return list(scenarios, ids)
  if (options.replay !== undefined) return replay(options.replay, options, scenarios, out)
  const plan = planRun(scenarios, ids, givenBy(options))
  const interrupt = openInterruption()
  const results: Result[] = []
  try {
    for await (const result of runsOf(options, plan, out, interrupt)) results.push(result)
  } finally {
    if (options.repeat > 1 && results.length > 0) showRepetitions(results, options)
  }
  return repetitionsOf(results).exitCode
}

/** Runs what a capsule holds, and says whether its failure is still there. */
async function replay(file: string, options: Options, scenarios: Scenario[], out: string): Promise<number> {
  const capsule = await readCapsule(file)
  const { scenario, sizes, seed, edge } = capsule
  const failure = { ...capsule.failure, scenario: scenario.id }
  await using configurations = await unpackConfigurations(capsule)
  const own: Options = { ...options, ...sizes, ...configurations.files, edge: edgeById(edge).id, seed: options.seed ?? seed }
  const others = scenarios.filter(({ id, asks }) => id !== scenario.id && asks === undefined)
  const plan = { scenarios: [scenario], notRun: others.map((one) => leftOut(one, 'Not in the capsule.')) }
  const seen: Seen[] = []
  for await (const result of runsOf(own, plan, out, openInterruption())) seen.push(seenIn(result, failure))
  if (!options.json || options.repeat > 1) process.stdout.write(`${replayWords(failure, seen)}\n`)
  return replayCode(seen)
}

/** The plan run as often as asked, each time in a folder of its own; every run is shown as it ends. */
async function* runsOf(options: Options, plan: Plan, out: string, interrupt: AbortSignal): AsyncGenerator<Result> {
  // Before anything is set up: a wrong glob or path is told at once.
  const source = options.app === undefined ? null : await readSource(options.app)
  if (options.sarif !== undefined) await refuseUnwritable(options.sarif, process.cwd())
  for (let nth = 1; nth <= options.repeat && !(nth > 1 && interrupt.aborted); nth += 1) {
    const result = await withProgress((progress) => simulate(options, plan, source, out, progress, interrupt))
    await tellFindings(result, options)
    if (options.repeat === 1) show(result, options, path.join(out, result.runId))
    else process.stderr.write(`${repetitionLine(result, nth, options.repeat)}\n`)
    yield result
  }
}

/** Also of the runs before one that could not be made. */
function showRepetitions(results: Result[], { json }: Options): void {
  const repetitions = repetitionsOf(results)
  process.stdout.write(json ? `${JSON.stringify(repetitions, null, 2)}\n` : `${repetitionTable(repetitions).join('\n')}\n`)
}

async function withProgress<T>(work: (progress: Progress) => Promise<T>): Promise<T> {
  const progress = openProgress(process.stderr, {
    tty: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 80,
    colour: coloured(process.stderr),
  })
  try {
    return await work(progress)
  } finally {
    progress.end()
  }
}

async function simulate(options: Options, plan: Plan, source: SourceAudit | null, out: string, progress: Progress, signal: AbortSignal): Promise<Result> {
  const runId = newRunId()
  await using output = await makeOutputFolder(out, runId)
  const onProgress = (line: string) => progress.note(line)
  await using workshop = await openWorkshop({
    kind: options.runtime,
    edge: edgeById(options.edge),
    provision: { ...options, env: process.env, signal, onProgress },
    onProgress,
    runId,
    logsDir: path.join(output.path, 'logs'),
    ...(options.keep ? { keepIn: path.join(output.path, keptFolder) } : {}),
    signal,
  })
  const { runtime, runtimeBecause, server } = workshop
  // Where no port is free no scenario could start: told now, not by each of them.
  await runtime.leasePort()
  const subject = await gather({
    ...workshop,
    browser: await browserFor(plan, options, { env: process.env, signal, onProgress }),
    ...(options.caddyfile === undefined ? {} : { caddyfile: options.caddyfile }),
    ...(options.dataDirFrom === undefined ? {} : { dataDirFrom: options.dataDirFrom }),
    ...(options.tlsCaddyfile === undefined ? {} : { tlsCaddyfile: options.tlsCaddyfile }),
    ...(options.edgeConfig === undefined ? {} : { edgeConfig: options.edgeConfig }),
  })
  refuseLowOpenFilesLimit(subject.capabilities && (subject.capabilities.maxFileHandles ?? maxFileHandlesDefault), options.streams)
  signal.throwIfAborted()
  if (server.kind === 'reference') progress.note(`REFERENCE SERVER, not production: ${server.because}`)
  const seed = options.seed ?? randomInt(2 ** 31)
  const configs = await readConfigs(subject, options)
  return await run({
    runId,
    folder: output.path,
    subject,
    plan,
    runtime,
    runtimeBecause,
    audits: audit(subject, { source, sourceRows: rowsReadIn('app'), configs }),
    waivers: options.waivers ?? [],
    settings: options.settings ?? null,
    findings: sortFindings([...(source ? [source] : []), ...configs].flatMap(findingsOf)),
    filesRead: source?.files ?? null,
    configsRead: configs.map(({ word }) => word),
    sizes: { profile: options.profile, forMs: options.forMs, readers: options.readers, streams: options.streams, staleMs: options.staleMs },
    seed,
    options: { ...options },
    reproduceOptions: reproduceOptions(options, seed),
    readersMax: hostCanHold([]),
    progress,
    signal,
  })
}

/** To other programs. Of several runs the last one stands in the file. */
async function tellFindings({ findings = [] }: Result, { sarif, json, waivers = [] }: Options): Promise<void> {
  if (sarif !== undefined) await writeSarif(sarif, { findings, waivers }, process.cwd())
  annotate({ findings, waivers }, process.cwd(), json ? process.stderr : process.stdout)
}

/** What the files that this run runs with say by themselves. */
async function readConfigs({ caddyfile, edge }: Subject, options: Options): Promise<ConfigAudit[]> {
  const cwd = process.cwd()
  const expected = { streams: options.streams, openFilesMax: openFilesMax('self', 'hard') ?? null, tlsInFront: options.tlsCaddyfile !== undefined }
  const audits = [caddyfile && (await auditCaddyfile(caddyfile, caddyfile.file, expected, cwd)), await auditEdge(edge.kind, edge.config, cwd)]
  return audits.filter((one) => one !== null)
}

/** The parser is a native program of some megabytes: a run without source does not wait for it. */
async function readSource(globs: readonly string[]): Promise<SourceAudit> {
  const { auditSource } = await import('./audit-source.ts')
  return auditSource(globs, process.cwd())
}

/** Only looked for, and installed, where a scenario opens pages. */
async function browserFor({ scenarios }: Plan, { browser }: Options, search: BrowserSearch): Promise<BrowserOrNone> {
  if (!scenarios.some(({ world }) => world.browser)) return { missing: 'No scenario of this run needs a browser.' }
  return provideBrowser({ ...search, explicit: browser })
}

function reproduceOptions(options: Options, seed: number): string {
  return flagsToRepeat(options, seed).map(([flag, value]) => `${flag} ${quoted(value)}`).join(' ')
}

/** As a shell reads it as one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** What scenarios may ask for. */
function givenBy({ dataDirFrom, profile }: Options): Given {
  return [...(dataDirFrom === undefined ? [] : (['data-dir-from'] as const)), ...(profile === 'soak' ? (['profile soak'] as const) : [])]
}

function list(all: Scenario[], ids: string[]): number {
  for (const { id, title, proves, asks, incidents = [] } of all.filter((scenario) => ids.length === 0 || ids.includes(scenario.id))) {
    const only = asks === undefined ? '' : asks === 'by-name' ? '; only where it is named' : `; only with --${asks}`
    process.stdout.write(`${id.padEnd(34)} ${title}\n${' '.repeat(35)}proves ${proves.join(', ')}${only}\n`)
    for (const { report, fixedIn } of incidents) process.stdout.write(`${' '.repeat(35)}${report}, ${fixedIn === null ? 'not mended in any release' : `mended in ${fixedIn}`}\n`)
  }
  return exitCodes.ready
}

function show(result: Result, options: Options, folder: string): void {
  const shown = (name: string) => path.relative(process.cwd(), path.join(folder, name))
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  } else {
    const width = Math.min(process.stdout.columns ?? 80, 100)
    process.stdout.write(renderTerminal(result, { width, colour: coloured(process.stdout), reportFile: shown('report.html') }))
  }
  if (options.keep) process.stderr.write(`Kept: the temporary data of each scenario, its data_dir among it, in ${shown(keptFolder)}\n`)
}

/** https://no-color.org: any non-empty value switches colour off. */
function coloured(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR
}

/** '2026-11-24T04-58-42-1a2b': sorts by time, and two at once differ. */
function newRunId(): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
  return `${time}-${randomInt(0x10000).toString(16).padStart(4, '0')}`
}
