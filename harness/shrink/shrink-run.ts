/** `--replay capsule --shrink`: sets everything up, looks for the shortest scenario, and writes it beside the capsule. */
import { mkdir, realpath, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { exitCodes, interruptionOf, UsageError } from '../errors.ts'
import { unpackConfigurations, type Capsule } from '../incident/capsule.ts'
import { openSubject } from '../open-subject.ts'
import { flagsToRepeat, type Options } from '../options.ts'
import { makeOutputFolder } from '../output-folder.ts'
import { duration, plural } from '../report/figures.ts'
import { neutralise } from '../report/neutralise.ts'
import { shellWord } from '../shell-word.ts'
import { wayToHarness } from '../way-to-harness.ts'
import { Bench } from './bench.ts'
import { rateWords, scenarioSource } from './scenario-source.ts'
import { shrinkCapsule, type Shrunk } from './shrink-capsule.ts'

/** Worlds at a time, of a scenario that runs beside others. */
const besideMax = 3

export interface ShrinkRun {
  /** The capsule's file. */
  file: string
  capsule: Capsule
  /** As given; sizes and seed are the capsule's. */
  options: Options
  /** Where the run has its logs while it goes on. */
  out: string
  runId: string
  signal: AbortSignal
  say(line: string): void
}

/** Returns the exit code: 1 where it still fails, 2 where that was not seen; an interruption's own, with what was best by then. */
export async function shrinkRun({ file, capsule, options, out, runId, signal, say }: ShrinkRun): Promise<number> {
  // Nothing is shown of the run but what it found: its folder goes with it.
  await using output = await makeOutputFolder(out, runId)
  const place = await placeFor(file, capsule)
  const files = await unpackConfigurations(capsule, place.folder)
  const own: Options = { ...options, ...capsule.sizes, ...files, edge: capsule.edge, seed: capsule.seed }
  const plan = { scenarios: [capsule.scenario], notRun: [] }
  await using opened = await openSubject({ options: own, plan, runId, folder: output.path, onProgress: say, signal })
  const { subject, workshop: { runtime } } = opened
  const fingerprint = capsule.failure.fingerprint
  const trials = path.join(output.path, 'trials')
  // A trial that the end of the budget overtakes is cut short, and has shown nothing.
  const untilOver = AbortSignal.any([signal, AbortSignal.timeout(options.forMs)])
  const bench = new Bench({ subject, runtime, sizes: capsule.sizes, seed: capsule.seed, fingerprint, folder: trials, signal: untilOver }, capsule.scenario.runs === 'alone' ? 1 : besideMax)
  const write = (shrunk: Shrunk) => writeFile(place.file(shrunk), scenarioSource({ shrunk, from: capsule.scenario, fingerprint, command: commandOf(place.file(shrunk), own), harness: wayToHarness(place.folder) }))
  const shrunk = await shrinkCapsule({ bench, capsule, budgetMs: options.forMs, onBetter: write, say })
  if (shrunk === null) {
    signal.throwIfAborted()
    const why = bench.tooBusy === 0 ? 'How often it fails is told by --repeat 20.' : `In ${bench.tooBusy} of ${plural(bench.trials, 'trial')} this machine was too busy to tell: try again when it has less to do.`
    process.stdout.write(neutralise(`NOT REPRODUCED: ${fingerprint} of ${capsule.scenario.id}; there is nothing to make shorter. ${why}`) + '\n')
    return exitCodes.unknown
  }
  process.stdout.write(options.json ? `${JSON.stringify(summary(shrunk, place.file(shrunk)), null, 2)}\n` : `${lines(shrunk, place.file(shrunk), commandOf(place.file(shrunk), own)).map(neutralise).join('\n')}\n`)
  return interruptionOf(signal)?.exitCode ?? exitCodes.notReady
}

/** A folder beside the capsule, made now: what cannot be written is told before anything is run. */
async function placeFor(given: string, { scenario }: Capsule) {
  // `latest` will be another folder when the scenario is run.
  const file = await realpath(given)
  const folder = path.resolve(`${file.replace(/\.json(\.gz)?$/, '')}.shrunk`)
  await mkdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The shrunk scenario cannot be written to ${folder} (${error.code}); copy the capsule ${path.basename(file)} of ${scenario.id} to a folder of yours.`)
  })
  return { folder, file: (shrunk: Shrunk) => path.join(folder, `${shrunk.scenario.id}.ts`) }
}

function shown(file: string): string {
  const relative = path.relative(process.cwd(), file)
  return relative.startsWith('..') ? file : `./${relative}`
}

function commandOf(file: string, options: Options): string {
  // Its steps have their sizes written out.
  const sizes = new Set(['--readers', '--streams', '--profile', '--for'])
  const flags = flagsToRepeat(options, options.seed!).filter(([flag]) => !sizes.has(flag)).flat()
  return `npm run simulate -- ${[shown(file), ...flags].map(shellWord).join(' ')}`
}

function lines({ stepsBefore, steps, rateBefore, rate, because, trials, tookMs, isWhole }: Shrunk, file: string, command: string): string[] {
  return [
    `${plural(stepsBefore, 'step')} became ${steps}, in ${duration(tookMs)} and ${trials} trials${isWhole ? '; none of them can go' : ', when time was over'}.`,
    `Before it failed in ${rateWords(rateBefore)}, now in ${rate === null ? 'an unknown share (there was no time to see)' : rateWords(rate)}: ${because}`,
    `Written to ${shown(file)}. Run it: ${command}`,
  ]
}

function summary({ scenario, ...shrunk }: Shrunk, file: string) {
  return { id: scenario.id, file, ...shrunk }
}
