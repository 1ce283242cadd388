/**
 * `npm run incident -- import FILE…`: makes a scenario out of access logs or a browser's recording. It is
 * run by its name, as any other: `npm run simulate -- <name>`.
 */
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { quiet, runCommand } from '../command-line.ts'
import { exitCodes, UsageError } from '../errors.ts'
import { explain } from '../explain.ts'
import { duration, number, plural } from '../report/figures.ts'
import { neutralise } from '../report/neutralise.ts'
import { wayToHarness } from '../way-to-harness.ts'
import { importLogs, type Imported } from './import-log.ts'
import { scenarioSource } from './scenario-source.ts'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..')
const speedMax = 1_000

interface Options {
  name: string
  from?: number
  to?: number
  stream?: string
  speed: number
  via: 'origin' | 'edge' | 'tls'
  out: string
  force: boolean
  json: boolean
}

async function main(args: string[]): Promise<number> {
  const command = quiet(new Command('npm run incident --')).description('Makes a scenario out of what happened in production.')
  command
    .command('import <files...>')
    .description("reads Caddy's JSON log, nginx's as JSON, the combined format of nginx and varnishncsa, or HAR; packed with gzip or not")
    .requiredOption('--name <id>', 'of the scenario, as incident-of-may-4', idOf)
    .option('--from <time>', 'only what was sent since, as 2026-05-04T10:00:00Z', timeOf('--from'))
    .option('--to <time>', 'only what was sent until then', timeOf('--to'))
    .option('--stream <prefix>', 'only streams whose path begins with this')
    .option('--speed <factor>', 'replay so much faster', speedOf, 1)
    .addOption(new Option('--via <hop>', 'where the replay sends its requests').choices(['origin', 'edge', 'tls']).default('edge'))
    .option('--out <folder>', 'where scenario and recording are written', path.join(root, 'scenarios', 'incidents'))
    .option('--force', 'write over an earlier import of that name', false)
    .option('--json', 'print what was found as JSON', false)
    .action(importInto)
  await runCommand(command, args, 'See: npm run incident -- import --help')
  return exitCodes.ready
}

function idOf(text: string): string {
  if (/^[a-z][a-z0-9-]{1,60}$/.test(text)) return text
  throw new UsageError(`--name takes small letters, digits and dashes, not "${text}".`)
}

function timeOf(flag: string) {
  return (text: string): number => {
    const ms = Date.parse(text)
    if (Number.isFinite(ms)) return ms
    throw new UsageError(`${flag} takes a time as 2026-05-04T10:00:00Z, not "${text}".`)
  }
}

/** `10x`, `10` or `0.5`. */
function speedOf(text: string): number {
  const speed = Number(text.replace(/x$/i, ''))
  if (text.trim() !== '' && speed > 0 && speed <= speedMax) return speed
  throw new UsageError(`--speed takes a factor up to ${speedMax}, as 10x, not "${text}".`)
}

async function importInto(files: string[], { name, from, to, stream, speed, via, out, force, json }: Options): Promise<void> {
  const scenario = path.join(out, `${name}.ts`)
  const recording = path.join(out, `${name}.recording.jsonl`)
  if (!force && (await isThere(scenario))) throw new UsageError(`There is a scenario ${scenario}; give another --name, or --force to write over it.`)
  await mkdir(out, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`Nothing can be written to ${out} (${error.code}); give another folder with --out.`)
  })
  // Renamed once it is whole: an import that fails leaves an earlier one as it was.
  const partial = `${recording}.partial`
  try {
    const found = await importLogs({ files, fromMs: from, toMs: to, stream, recording: partial })
    await rename(partial, recording)
    await writeFile(scenario, scenarioSource({ id: name, found, recording: fromRoot(recording), speed, via, harness: wayToHarness(out) }))
    process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : `${linesOf(found, scenario, name).map(neutralise).join('\n')}\n`)
  } finally {
    await rm(partial, { force: true })
  }
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(() => true, () => false)
}

/** Within the project from its root, so that a colleague's checkout finds it. */
function fromRoot(file: string): string {
  const relative = path.relative(root, path.resolve(file))
  return relative.startsWith('..') ? path.resolve(file) : relative
}

function linesOf(found: Imported, scenario: string, name: string): string[] {
  const statuses = Object.entries(found.statuses).map(([status, n]) => `${number(n)} x ${status}`).join(', ')
  return [
    `Read ${plural(found.requests, 'request')} of ${plural(found.streams, 'stream')} in ${duration(found.spanMs)} (${[...new Set(found.formats)].join(', ')}): ${statuses}.`,
    `${plural(found.streamsBefore, 'stream')} of these ${found.streamsBefore === 1 ? 'was' : 'were'} there before the log begins, and ${found.streamsBefore === 1 ? 'is' : 'are'} made first.`,
    ...(found.leftOut === 0 ? [] : [`${plural(found.leftOut, 'request')} ${found.leftOut === 1 ? 'was' : 'were'} left out by --from, --to or --stream.`]),
    ...(found.outOfOrder === 0 ? [] : [`${plural(found.outOfOrder, 'request')} stood minutes out of order, and ${found.outOfOrder === 1 ? 'is' : 'are'} sent with those before.`]),
    ...(found.unreadable === 0 ? [] : [`${plural(found.unreadable, 'line')} could not be read, as ${found.unreadableExamples.join(', ')}.`]),
    'Authorization, cookies, bodies and unknown parameters were not taken over.',
    `Wrote ${fromRoot(scenario)}. Replay it: npm run simulate -- ${fromRoot(scenario).startsWith('scenarios/') ? name : scenario}`,
  ]
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2)).catch(explain)
