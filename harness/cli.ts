/** `npm run simulate -- …`: reads the flags, sets up, runs, shows the result, ends with its code. */
import { randomInt } from 'node:crypto'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { audit } from './audit.ts'
import { auditCaddyfile, auditEdge } from './audit-config.ts'
import { sortFindings } from './audits/finding.ts'
import { findingsOf, type ConfigAudit, type SourceAudit } from './audits/row-parts.ts'
import { flagsToRepeat, readOptions, type Options } from './options.ts'
import { edgeById } from './edges/edges.ts'
import { exitCodes, interruptionOf, UsageError } from './errors.ts'
import { runBesideBaseline } from './beside-baseline.ts'
import { besideBaselineLines } from './report/baseline.ts'
import { explain } from './explain.ts'
import { hostCanHold, openFilesMax } from './load/fleet/limits.ts'
import { rowsReadIn } from './load-audits.ts'
import { openInterruption } from './interruption.ts'
import { engineToGoTo, givenFromOutside, judgeThere } from './judge-there.ts'
import { lastFailed } from './last-failed.ts'
import { openSubject } from './open-subject.ts'
import { makeOutputFolder } from './output-folder.ts'
import { filesOf, leftOut, loadScenarios, planRun, reloaded, withFiles, type Given, type Plan } from './plan.ts'
import { watchRuns } from './watch-runs.ts'
import type { Subject } from './gather.ts'
import { readCapsule, unpackConfigurations, type Capsule } from './incident/capsule.ts'
import { perturbationOf } from './perturbation.ts'
import { neutralise } from './report/neutralise.ts'
import { foundLines, othersIn, replayCode, replayLine, replayWords, seenIn, type Seen } from './report/replay-words.ts'
import { openProgress, type Progress } from './report/progress.ts'
import { repetitionLine, repetitionsOf, repetitionTable } from './report/repetitions.ts'
import { renderTerminal } from './report/terminal.ts'
import type { Result } from './report/result.ts'
import { WorldKeeper } from './keep-world.ts'
import { run } from './run.ts'
import { takeTerminal, told } from './runtime/elsewhere/told.ts'
import { shellWord } from './shell-word.ts'
import { shrinkRun } from './shrink/shrink-run.ts'
import type { Scenario } from './scenario.ts'
import { annotate, refuseUnwritable, writeSarif } from './tell-findings.ts'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
/** The harness in an engine elsewhere ends as quickly as one here; then its reports are brought back. */
const endThereWithinMs = 9_000
/** Below the run's folder, with `--keep`. */
const keptFolder = 'kept'

const outside = told()
if (outside !== null) takeTerminal(outside.terminal)

// Not left to the event loop: what an interrupted scenario still waited for would hold it up.
process.exit(await main(process.argv.slice(2)).catch(explain))

async function main(args: string[]): Promise<number> {
  const given = givenFromOutside()
  const options = given?.options ?? (await readOptions(args))
  const out = path.resolve(options.out ?? path.join(root, 'reports'))
  const all = await loadScenarios(path.join(root, 'scenarios'))
  const { scenarios, ids } = await withFiles(all, options.lastFailed ? await lastFailed(out) : options.ids)
  if (options.list) return list(scenarios, ids)
  const there = await judgedThere(options, scenarios, ids, out)
  if (there !== null) return there
  if (options.replay !== undefined) return replay(options.replay, options, scenarios, out)
  if (options.watch) return watch(options, scenarios, ids, out)
  const plan = planRun(scenarios, ids, givenBy(options))
  const interrupt = openInterruption()
  if (options.baselineServerBin !== undefined) return compare(options, options.baselineServerBin, plan, out, interrupt)
  const results: Result[] = []
  try {
    for await (const result of runsOf({ options, plan, out, signal: interrupt })) results.push(result)
  } finally {
    if (options.repeat > 1 && results.length > 0) showRepetitions(results, options)
  }
  return repetitionsOf(results).exitCode
}

/** In a container engine that is elsewhere, with its exit code; null where this machine judges. */
async function judgedThere(options: Options, scenarios: Scenario[], ids: string[], out: string): Promise<number | null> {
  const engine = await engineToGoTo(options)
  if (engine === null) return null
  // What is wrong by itself is told before anything is sent anywhere.
  if (options.replay === undefined) planRun(scenarios, ids, givenBy(options))
  const names = options.lastFailed ? ids : options.ids
  const scenarioFiles = await filesOf(path.join(root, 'scenarios'), names)
  const source = await readAhead(options)
  const signal = openInterruption(endThereWithinMs)
  const asked = { ...options, ids: names, lastFailed: false }
  try {
    return await judgeThere({ engine, options: asked, source, scenarioFiles, out, runId: newRunId(), onProgress: say, signal })
  } catch (error) {
    if (options.runtime !== 'auto' || !(error instanceof UsageError) || signal.aborted) throw error
    say(`Not in that container engine: ${error.message}`)
    return null
  }
}

/** The candidate and the release before it in turn; what is shown, and the exit code, are the candidate's. */
async function compare(options: Options, baselineServerBin: string, plan: Plan, out: string, signal: AbortSignal): Promise<number> {
  const { serverVersion: _candidates, ...common } = options
  const baseline: Options = { ...common, origin: 'caddy', serverBin: baselineServerBin, keep: false }
  const source = await readAhead(options)
  const seeds = Array.from({ length: options.repeat }, () => options.seed ?? randomInt(2 ** 31))
  const beside = await runBesideBaseline({
    rounds: options.repeat,
    out,
    newRunId,
    signal,
    run: async ({ side, round, ...where }) => {
      const own = { ...(side === 'baseline' ? baseline : options), seed: seeds[round - 1]! }
      const result = await withProgress((progress) => simulate({ options: own, plan, signal, ...where }, source, progress, round))
      say(`The ${side}: ${repetitionLine(result, round, options.repeat)}`)
      return result
    },
  })
  if (beside === null) return interruptionOf(signal)?.exitCode ?? exitCodes.unknown
  const { compared, decisive, exitCode, page } = beside
  await tellFindings(decisive, options)
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ exitCode, verdict: decisive.verdict, runId: decisive.runId, ...compared }, null, 2)}\n`)
    return exitCode
  }
  show(decisive, { ...options, keep: false }, path.join(out, decisive.runId))
  process.stdout.write(`\n${besideBaselineLines(compared).join('\n')}\n\nSide by side: ${path.relative(process.cwd(), page)}\n`)
  return exitCode
}

/** One screen a run: of the scenarios as their files have them then, until Ctrl-C. */
async function watch(options: Options, scenarios: Scenario[], ids: string[], out: string): Promise<number> {
  // A name that there is none for is told now.
  planRun(scenarios, ids, givenBy(options))
  const signal = openInterruption()
  const own = await filesOf(path.join(root, 'scenarios'), options.ids)
  const given = [options.caddyfile, options.tlsCaddyfile, options.edgeConfig].flatMap((file) => file ?? [])
  return watchRuns({
    files: [...own, ...given],
    signal,
    say,
    run: async (ended, reads, nth) => {
      if (process.stdout.isTTY) process.stdout.write('\u001b[2J\u001b[3J\u001b[H')
      try {
        const plan = planRun(nth === 1 ? scenarios : await reloaded(scenarios, own), ids, givenBy(options))
        const gathered = (subject: Subject) => readFiles(subject).forEach(reads)
        for await (const result of runsOf({ options, plan, out, signal: ended, gathered })) return result.exitCode
        return exitCodes.unknown
      } catch (error) {
        return ended.aborted ? exitCodes.interrupted : explain(error)
      }
    },
  })
}

/** What of the user's own is read with what was named: includes. */
function readFiles({ caddyfile, tlsEdge, edge }: Subject): readonly string[] {
  return [caddyfile, tlsEdge, edge.config].flatMap((given) => (given === null || given.isDefault ? [] : given.files))
}

/** Runs what a capsule holds, and says whether its failure is still there; or looks for less that still fails so. */
async function replay(file: string, options: Options, scenarios: Scenario[], out: string): Promise<number> {
  const capsule = await readCapsule(file)
  const signal = openInterruption()
  if (options.shrink) return shrinkRun({ file, capsule, options, out, runId: newRunId(), signal, say })
  const { scenario, sizes, seed, edge } = capsule
  const failure = { ...capsule.failure, scenario: scenario.id }
  const own: Options = { ...options, ...sizes, edge: edgeById(edge).id, seed: options.seed ?? seed }
  const others = scenarios.filter(({ id, asks }) => id !== scenario.id && asks === undefined)
  const plan = { scenarios: [scenario], notRun: others.map((one) => leftOut(one, 'Not in the capsule.')) }
  const seen: Seen[] = []
  const otherwise: string[] = []
  const words = () => {
    const movedMs = seen.map((_, index) => perturbationOf(own.seed!, index + 1)?.upToMs ?? 0)
    return `${replayWords(failure, seen, { movedMs, others: otherwise })}\n`
  }
  const tell = (result: Result, folder: string) => {
    if (options.json && options.repeat === 1) show(result, own, folder)
    // One that was interrupted says nothing of the rate.
    if (signal.aborted) return
    seen.push(seenIn(result, failure))
    otherwise.push(...othersIn(result, failure))
    if (options.repeat > 1) process.stderr.write(`${replayLine(seen.at(-1)!, { nth: seen.length, of: options.repeat, tookMs: result.durationMs })}\n`)
    else if (!options.json) {
      process.stdout.write(`${foundLines(result, failure, below(folder, 'report.html')).join('\n')}\n\n${words()}`)
      showKept(own, folder)
    }
  }
  await Array.fromAsync(runsOf({ options: own, plan, out, signal, capsule, tell }))
  const isCut = seen.length < options.repeat
  if (options.repeat > 1 || (isCut && !options.json)) process.stdout.write(words())
  return (isCut ? interruptionOf(signal)?.exitCode : undefined) ?? replayCode(seen)
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)}Z ${neutralise(line).slice(0, 400)}\n`)
}

/** What is to be run, as often as its options say. */
interface Asked {
  options: Options
  plan: Plan
  out: string
  signal: AbortSignal
  /** Else a new one. */
  runId?: string
  /** Told what was gathered, before anything runs. */
  gathered?(subject: Subject): void
  /** Its configurations are the run's, and each run after the first has its timings moved. */
  capsule?: Capsule
  /** Tells of a run in place of its report, before its world is held. */
  tell?(result: Result, folder: string): void
}

/** The plan run as often as asked, each time in a folder of its own; every run is told as it ends. */
async function* runsOf(asked: Asked): AsyncGenerator<Result> {
  const { options, signal } = asked
  const source = await readAhead(options)
  for (let nth = 1; nth <= options.repeat && !(nth > 1 && signal.aborted); nth += 1) {
    const result = await withProgress((progress) => simulate(asked, source, progress, nth))
    if (options.repeat > 1 && asked.tell === undefined) process.stderr.write(`${repetitionLine(result, nth, options.repeat)}\n`)
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

async function simulate({ options: given, plan, out, signal, capsule, tell, gathered, runId = newRunId() }: Asked, source: SourceAudit | null, progress: Progress, nth: number): Promise<Result> {
  await using output = await makeOutputFolder(out, runId)
  const files = capsule === undefined ? {} : await unpackConfigurations(capsule, path.join(output.path, 'capsule'))
  const options = { ...given, ...files }
  const keepIn = options.keep ? { keepIn: path.join(output.path, keptFolder) } : {}
  await using opened = await openSubject({ options, plan, runId, folder: output.path, ...keepIn, onProgress: (line) => progress.note(line), signal })
  const { subject, workshop: { runtime, runtimeBecause, server } } = opened
  gathered?.(subject)
  // Closed before the runtime is.
  await using keeper = new WorldKeeper()
  if (server.kind === 'reference') progress.note(`REFERENCE SERVER, not production: ${server.because}`)
  const seed = options.seed ?? randomInt(2 ** 31)
  const configs = await readConfigs(subject, options)
  const result = await run({
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
    perturbation: capsule === undefined ? null : perturbationOf(seed, nth),
    options: { ...options },
    reproduceOptions: reproduceOptions(options, seed),
    readersMax: hostCanHold([]),
    ...(keepsItsWorld(options, plan) ? { keep: (id, world) => keeper.take(id, world) } : {}),
    progress,
    signal,
  })
  progress.end()
  if (options.baselineServerBin === undefined) await tellFindings(result, options)
  if (tell !== undefined) tell(result, output.path)
  else if (options.repeat === 1 && options.baselineServerBin === undefined) show(result, options, output.path)
  await keeper.hold((line) => process.stderr.write(`${line}\n`), path.join(output.path, 'logs'), AbortSignal.any([signal, runtime.fault]))
  return result
}

/** Several worlds at once would be a riddle: of more than one scenario, or run, only the files are kept. */
function keepsItsWorld({ keep, repeat, watch, baselineServerBin }: Options, { scenarios }: Plan): boolean {
  return keep && !watch && baselineServerBin === undefined && repeat === 1 && scenarios.length === 1
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

/** Before anything is set up: a wrong glob or path is told at once. */
async function readAhead({ app, sarif }: Options): Promise<SourceAudit | null> {
  const given = givenFromOutside()
  if (given !== null) return given.source
  const source = app === undefined ? null : await readSource(app)
  if (sarif !== undefined) await refuseUnwritable(sarif, process.cwd())
  return source
}

/** The parser is a native program of some megabytes: a run without source does not wait for it. */
async function readSource(globs: readonly string[]): Promise<SourceAudit> {
  const { auditSource } = await import('./audit-source.ts')
  return auditSource(globs, process.cwd())
}

function reproduceOptions(options: Options, seed: number): string {
  return flagsToRepeat(options, seed).map(([flag, value]) => `${flag} ${shellWord(value)}`).join(' ')
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
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  } else {
    const width = Math.min(process.stdout.columns ?? 80, 100)
    process.stdout.write(renderTerminal(result, { width, colour: coloured(process.stdout), reportFile: below(folder, 'report.html') }))
  }
  showKept(options, folder)
}

function showKept({ keep }: Options, folder: string): void {
  if (keep) process.stderr.write(`Kept: the temporary data of each scenario, its data_dir among it, in ${below(folder, keptFolder)}\n`)
}

/** As a person types it from here. */
function below(folder: string, name: string): string {
  return path.relative(process.cwd(), path.join(folder, name))
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
