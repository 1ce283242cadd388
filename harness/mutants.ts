/**
 * `npm run mutants -- …`: changes each statement of the recommended configurations in turn, runs the
 * public command with small crowds on the scenarios of the row that the line is for, and says which
 * check of which row noticed it.
 */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { edgeById } from './edges/edges.ts'
import { exitCodes, UsageError } from './errors.ts'
import { explain } from './explain.ts'
import { openInterruption } from './interruption.ts'
import { runCampaign } from './mutants/campaign.ts'
import { parseMutantsOptions, type MutantsOptions } from './mutants/options.ts'
import { mutatedFiles, type MutatedFile } from './mutants/subjects.ts'
import { loadScenarios } from './plan.ts'
import type { Scenario } from './scenario.ts'
import { mutantLines, mutantsSummary } from './report/mutants.ts'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')

process.exit(await main(process.argv.slice(2)).catch(explain))

async function main(args: string[]): Promise<number> {
  const options = parseMutantsOptions(args)
  const files = mutatedFiles(options)
  if (options.list) return list(files)
  const signal = openInterruption()
  const folder = folderOf(options)
  const edge = edgeById(options.edge)
  const result = await runCampaign({
    folder,
    files,
    only: options.only,
    scenarios: await scenariosOf(options),
    atOnce: options.atOnce,
    flags: flagsOf(options),
    brokeDown: edge.brokeDown,
    baseRuns: options.baseRuns,
    minutesMax: options.minutes,
    all: options.all,
    signal,
    onProgress: (line) => void process.stderr.write(`${new Date().toISOString().slice(11, 19)}Z ${line}\n`),
  })
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  else process.stdout.write(`${[...mutantLines(result), '', mutantsSummary(result), `Matrix ${path.relative(process.cwd(), path.join(folder, 'mutants.html'))}`].join('\n')}\n`)
  return signal.aborted ? exitCodes.interrupted : exitCodes.ready
}

async function scenariosOf({ scenarios }: MutantsOptions): Promise<Scenario[]> {
  const all = await loadScenarios(path.join(root, 'scenarios'))
  const unknown = scenarios.find((id) => !all.some((scenario) => scenario.id === id))
  if (unknown !== undefined) throw new UsageError(`There is no scenario "${unknown}"; all are listed by: npm run simulate -- --list`)
  return scenarios.length === 0 ? all : all.filter((scenario) => scenarios.includes(scenario.id))
}

function folderOf({ out, resume }: MutantsOptions): string {
  if (resume !== undefined && out !== undefined) throw new UsageError('--resume goes on in its own folder; leave out --out.')
  if (resume !== undefined) return path.resolve(resume)
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
  return path.join(path.resolve(out ?? path.join(root, 'reports')), `mutants-${time}`)
}

/** The same for the base and for each mutant, the seed too. */
function flagsOf({ edge, edgeConfig, origin, serverBin, readers, streams }: MutantsOptions): string[] {
  return [
    '--runtime',
    'processes',
    '--seed',
    '1',
    '--origin',
    origin,
    '--edge',
    edge,
    ...(edgeConfig === undefined ? [] : ['--edge-config', edgeConfig]),
    ...(serverBin === undefined ? [] : ['--server-bin', serverBin]),
    '--readers',
    String(readers),
    '--streams',
    String(streams),
  ]
}

function list(files: readonly MutatedFile[]): number {
  for (const { file, mutations } of files) {
    process.stdout.write(`${file}: ${mutations.length} mutants\n`)
    for (const { id, what, rows } of mutations) process.stdout.write(`  ${id}\n      ${what} [${rows.join(', ')}]\n`)
  }
  return exitCodes.ready
}
