/**
 * `npm run shrink -- [run folder] [check]`: makes the schedule on which a check failed as short as it
 * still fails, and prints it as a scenario file that can be kept and run.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import type { CheckSpec } from './check-spec.ts'
import { monotonicMs } from './clock.ts'
import { quiet, usageOf } from './command-line.ts'
import { exitCodes, UsageError } from './errors.ts'
import { explain } from './explain.ts'
import { openInterruption } from './interruption.ts'
import { loadScenarios } from './plan.ts'
import { plural } from './report/figures.ts'
import type { Result } from './report/result.ts'
import { readSavedResult } from './saved-result.ts'
import type { Scenario } from './scenario.ts'
import { movesOfPath } from './schedule/generate.ts'
import { pathsOf, type Move } from './schedule/moves.ts'
import { shrink } from './schedule/shrink.ts'
import { flagsOfTrials } from './shrink/flags-of-trials.ts'
import { failingPaths } from './shrink/failing-paths.ts'
import { scenarioSource } from './shrink/scenario-source.ts'
import { tryAll } from './shrink/trial.ts'
import type { Schedule } from './steps/schedule.ts'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
const candidatesMax = 12
const copies = 4

process.exit(await main(process.argv.slice(2)).catch(explain))

interface Options {
  minutes: number
  out?: string
}

async function main(args: string[]): Promise<number> {
  const command = quiet(new Command('npm run shrink --'))
    .description('Makes a schedule on which a check failed as short as it still fails.')
    .argument('[folder]', 'the run in which it failed', 'reports/latest')
    .argument('[check]', 'which of the checks that failed; the first by default')
    .option('--minutes <n>', 'ends with what is best by then', minutesOf, 4)
    .option('--out <folder>', 'where the scenario is written; scenarios/ keeps it', undefined)
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    const usage = usageOf(error, 'See: npm run shrink -- --help')
    if (usage === null) return exitCodes.ready
    throw usage
  }
  const [folder, check] = command.processedArgs as [string, string | undefined]
  await shrinkRun(folder, check, command.opts<Options>())
  return exitCodes.ready
}

function minutesOf(text: string): number {
  const minutes = Number(text)
  if (minutes > 0 && minutes <= 600) return minutes
  throw new UsageError(`--minutes takes a number up to 600, not "${text}".`)
}

async function shrinkRun(folder: string, check: string | undefined, { minutes, out }: Options): Promise<void> {
  const signal = openInterruption()
  const saved = await readSavedResult(folder)
  const { scenario, spec } = await whatFailed(saved, check)
  const failing = await failingMoves(folder, saved, scenario, spec)
  const beganAtMs = monotonicMs()
  const temporary = await mkdtemp(path.join(tmpdir(), 'shrink-'))
  const world = { scenario, spec, flags: flagsOfTrials(saved), folder: temporary, copies, signal }
  try {
    say(`${spec.check} failed on ${plural(failing.length, 'path')}; each is tried by itself`)
    const again = await tryAll(failing, world)
    const given = failing.find((_, n) => again[n] !== null)
    if (!given) throw new UsageError(`None of ${plural(failing.length, 'path')} failed again by itself, tried ${copies} times each; the failure hangs on what happened beside it. Try another seed.`)
    let why = again.find((reason) => reason !== null)!
    say(`${plural(given.length, 'move')} fail: ${why}`)
    const moves = await shrink(given, {
      candidatesMax,
      guesses: guessesFor(spec),
      isOver: () => signal.aborted || monotonicMs() - beganAtMs > minutes * 60_000,
      onBetter: (better) => say(`${plural(better.length, 'move')} still fail`),
      fail: async (candidates) => {
        if (signal.aborted) return candidates.map(() => false)
        const found = await tryAll(candidates, world)
        why = found.find((reason) => reason !== null) ?? why
        return found.map((reason) => reason !== null)
      },
    })
    await print({ folder: path.resolve(out ?? path.join(folder, 'shrunk')), scenario, spec, moves, movesBefore: given.length, because: why, flags: flagsOfTrials(saved), tookMs: monotonicMs() - beganAtMs })
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)}Z ${line.slice(0, 400)}\n`)
}

/** The scenario with a schedule, and its check, that failed in a run. */
async function whatFailed(saved: Result, check: string | undefined): Promise<{ scenario: Scenario; spec: CheckSpec }> {
  const scenarios = await loadScenarios(path.join(root, 'scenarios'))
  for (const result of saved.scenarios) {
    const scenario = scenarios.find(({ id }) => id === result.id)
    if (!scenario || scheduleOf(scenario) === undefined) continue
    const index = result.checks.findIndex(({ id, verdict }) => verdict === 'fail' && (check === undefined || id === check))
    if (index >= 0) return { scenario, spec: withBound(scenario.checks[index]!, saved) }
  }
  throw new UsageError(`In this run ${check ?? 'no check'} ${check ? 'did not fail' : 'failed'} on a schedule; only what failed there can be shrunk.`)
}

function scheduleOf({ steps }: Scenario): Schedule | undefined {
  return steps.find((step): step is Schedule => step.kind === 'schedule')
}

function withBound(spec: CheckSpec, saved: Result): CheckSpec {
  const staleMs = saved.options.staleMs
  return typeof staleMs === 'number' ? { ...spec, limits: { staleMs, ...spec.limits } } : spec
}

/** Most often the reads of the mode that is judged are enough, and those through the cache. */
function guessesFor({ limits }: CheckSpec): ((move: Move) => boolean)[] {
  const throughCache = (move: Move) => move.do !== 'read' || move.via !== 'origin'
  const ofMode = (move: Move) => move.do !== 'read' || limits.mode === undefined || move.mode === limits.mode
  return [throughCache, ofMode, (move) => throughCache(move) && ofMode(move), (move) => throughCache(move) && ofMode(move) && !(move.do === 'read' && move.credentials)]
}

/** The moves of the paths that failed, the shortest first, as many as are tried at once. */
async function failingMoves(folder: string, saved: Result, scenario: Scenario, spec: CheckSpec): Promise<Move[][]> {
  const step = scheduleOf(scenario)!
  const drawn = step.moves ? new Map(pathsOf(step.moves)) : null
  const failing = [...(await failingPaths(folder, scenario.id, spec)).keys()].flatMap((stream) => {
    const name = stream.slice(step.prefix.length + 1)
    const moves = drawn ? drawn.get(name) : movesOfPath(saved.seed, Number(name.slice('path-'.length)))
    return moves ? [moves] : []
  })
  if (failing.length === 0) throw new UsageError(`${spec.check} failed on no single path of the schedule.`)
  return failing.toSorted((a, b) => a.length - b.length).slice(0, candidatesMax)
}

interface Found {
  folder: string
  scenario: Scenario
  spec: CheckSpec
  moves: Move[]
  movesBefore: number
  because: string
  flags: string[]
  tookMs: number
}

async function print({ folder, scenario, flags, ...found }: Found): Promise<void> {
  const id = `${scenario.id}-shrunk`
  await mkdir(folder, { recursive: true })
  const harness = path.relative(folder, path.join(root, 'harness')).split(path.sep).join('/')
  const moves = found.moves.map((move) => ({ ...move, stream: 'a' }))
  const text = scenarioSource({ ...found, moves, id, from: scenario, flags: flags.join(' '), harness: harness.startsWith('.') ? harness : `./${harness}` })
  const file = path.join(folder, `${id}.ts`)
  await writeFile(file, text)
  process.stdout.write(text)
  say(`written to ${path.relative(process.cwd(), file)}`)
}
