/**
 * `npm run report -- list|open|compare|prune`: the runs that are kept below reports/. Judges nothing and
 * changes nothing, but for prune, which removes whole runs. What CI needs stands in nightly.ts.
 */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { quiet, runCommand } from './command-line.ts'
import { exitCodes, UsageError } from './errors.ts'
import { explain } from './explain.ts'
import { addNightlyCommands, type Shared } from './nightly.ts'
import { compareResults, comparisonLines } from './report/comparison.ts'
import { neutralise } from './report/neutralise.ts'
import { runListLines } from './report/run-list.ts'
import { folderOf, keptRuns, pruneRuns } from './run-folders.ts'
import { openFile } from './runtime/open-file.ts'
import { readSavedResult } from './saved-result.ts'

const reports = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'reports')
const keptMin = 1

async function main(args: string[]): Promise<number> {
  const command = quiet(new Command('npm run report --')).description('Looks at the runs that are kept.')
  const sub = (words: string, description: string) =>
    command.command(words).description(description).option('--out <folder>', 'where runs are kept', reports).option('--json', 'as JSON', false)
  sub('list', 'every run, the newest first').action(list)
  sub('open [run]', 'opens report.html, of the latest run unless one is named').action(open)
  sub('compare <before> <now>', 'what is red now and was not, what no longer is, which figures moved').action(compare)
  sub('prune', 'removes old runs').option('--keep <n>', 'how many of the newest stay', keepOf, 20).option('--dry-run', 'only say what would go', false).action(prune)
  addNightlyCommands(sub)
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
