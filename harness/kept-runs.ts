/**
 * `npm run report -- list|open|compare|prune`: the runs that are kept below reports/. Judges nothing and
 * changes nothing, but for prune, which removes whole runs. What CI needs stands in nightly.ts.
 */
import { readdir, readlink, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { quiet, runCommand } from './command-line.ts'
import { exitCodes, UsageError } from './errors.ts'
import { explain } from './explain.ts'
import { addNightlyCommands } from './nightly.ts'
import { compareResults, comparisonLines } from './report/comparison.ts'
import { neutralise } from './report/neutralise.ts'
import { runListLines, type KeptRun } from './report/run-list.ts'
import { openFile } from './runtime/open-file.ts'
import { readSavedResult } from './saved-result.ts'

const reports = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'reports')
/** `2026-11-25T09-57-50-105c`: nothing else below reports/ is a run, and nothing else is ever removed. */
const runName = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-[0-9a-f]{4}$/
/** A folder that changed in the last minutes may be a run that goes on. */
const restMs = 5 * 60_000
const keptMin = 1

/** The kept runs, the newest first. Throws UsageError for a folder that cannot be read. */
export async function keptRuns(out: string): Promise<KeptRun[]> {
  const runs = await runNames(out)
  return Promise.all(runs.map(async (name) => ({ name, result: await readSavedResult(path.join(out, name)).catch(() => null), bytes: await bytesIn(path.join(out, name)) })))
}

async function runNames(out: string): Promise<string[]> {
  const names = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${out} cannot be read (${error.code}); give the folder of the runs with --out.`)
  })
  return names.filter((name) => runName.test(name)).toSorted().toReversed()
}

/**
 * Removes all but the newest `keep` runs; never the latest one, nor one that may still be going on.
 * Returns the names of those that went, or would go.
 */
export async function pruneRuns(out: string, keep: number, dryRun: boolean): Promise<string[]> {
  const latest = await readlink(path.join(out, 'latest')).catch(() => '')
  const old = (await runNames(out)).slice(keep).filter((name) => name !== path.basename(latest))
  const resting = await Promise.all(old.map((name) => isResting(path.join(out, name))))
  const going = old.filter((_name, index) => resting[index])
  if (!dryRun) for (const name of going) await rm(path.join(out, name), { recursive: true, force: true })
  return going
}

async function isResting(folder: string): Promise<boolean> {
  const entries = [folder, ...(await readdir(folder)).map((name) => path.join(folder, name))]
  const times = await Promise.all(entries.map(async (entry) => (await stat(entry).catch(() => null))?.mtimeMs ?? 0))
  return Date.now() - Math.max(...times) > restMs
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const sizes = entries.filter((entry) => entry.isFile()).map(async (entry) => (await stat(path.join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

// --- the command -----------------------------------------------------------------------------

interface Shared {
  out: string
  json: boolean
}

async function main(args: string[]): Promise<number> {
  const command = quiet(new Command('npm run report --')).description('Looks at the runs that are kept.')
  const sub = (words: string, description: string) =>
    command.command(words).description(description).option('--out <folder>', 'where runs are kept', reports).option('--json', 'as JSON', false)
  sub('list', 'every run, the newest first').action(list)
  sub('open [run]', 'opens report.html, of the latest run unless one is named').action(open)
  sub('compare <before> <now>', 'what is red now and was not, what no longer is, which figures moved').action(compare)
  sub('prune', 'removes old runs').option('--keep <n>', 'how many of the newest stay', keepOf, 20).option('--dry-run', 'only say what would go', false).action(prune)
  addNightlyCommands(sub, { folderOf, keptRuns, pruneRuns, runName })
  await runCommand(command, args, 'See: npm run report -- --help')
  // Only `gate` has another to say.
  return Number(process.exitCode ?? exitCodes.ready)
}

function keepOf(text: string): number {
  const keep = Number(text)
  if (text.trim() !== '' && Number.isInteger(keep) && keep >= keptMin) return keep
  throw new UsageError(`--keep takes a whole number from ${keptMin}, not "${text}".`)
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.map(neutralise).join('\n')}\n`)
}

/** A run by its name below the folder of runs, or by any path. */
function folderOf(run: string, out: string): string {
  return run.includes(path.sep) ? path.resolve(run) : path.join(out, run)
}

async function list({ out, json }: Shared): Promise<void> {
  const runs = await keptRuns(path.resolve(out))
  if (!json) return print(runListLines(runs))
  const heads = runs.map(({ name, result, bytes }) => ({ runId: name, bytes, verdict: result?.verdict ?? null, score: result?.score ?? null, startedAt: result?.startedAt ?? null }))
  process.stdout.write(`${JSON.stringify(heads, null, 2)}\n`)
}

async function open(run: string | undefined, { out }: Shared): Promise<void> {
  const folder = folderOf(run ?? 'latest', path.resolve(out))
  await readSavedResult(folder)
  const file = path.join(folder, 'report.html')
  if (!(await openFile(file))) print([`No program here opens it by itself: ${file}`])
}

async function compare(before: string, now: string, { out, json }: Shared): Promise<void> {
  // One after the other: of two that are no runs it is always the first that is told.
  const first = await readSavedResult(folderOf(before, path.resolve(out)))
  const comparison = compareResults(first, await readSavedResult(folderOf(now, path.resolve(out))))
  if (json) process.stdout.write(`${JSON.stringify(comparison, null, 2)}\n`)
  else print(comparisonLines(comparison))
}

async function prune({ out, keep, dryRun }: Shared & { keep: number; dryRun: boolean }): Promise<void> {
  const gone = await pruneRuns(path.resolve(out), keep, dryRun)
  print(gone.length === 0 ? ['Nothing to remove.'] : gone.map((name) => `${dryRun ? 'would remove' : 'removed'} ${name}`))
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2)).catch(explain)
