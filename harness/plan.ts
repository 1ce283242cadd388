/** Which scenarios a run consists of. Nothing vanishes: what is left out is listed with the reason. */
import { statSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from './errors.ts'
import type { Result } from './report/result.ts'
import type { Scenario } from './scenario.ts'

export interface Plan {
  scenarios: Scenario[]
  notRun: NotRun[]
}

/** A scenario that a run leaves out, and the rows that it would have judged. */
export type NotRun = Result['notRun'][number]

export function leftOut(scenario: Scenario, because: string): NotRun {
  const rows = new Set(scenario.checks.flatMap((check) => check.rows ?? scenario.proves))
  return { id: scenario.id, because, rows: [...rows] }
}

/** All scenarios below `folder`, by file name. Throws where a file's name is not its scenario's id. */
export async function loadScenarios(folder: string): Promise<Scenario[]> {
  return Promise.all((await scenarioFiles(folder)).map((file) => loadScenario(file)))
}

async function scenarioFiles(folder: string): Promise<string[]> {
  const files: string[] = []
  for await (const name of glob('**/*.ts', { cwd: folder })) files.push(name)
  return files.toSorted().map((name) => path.join(folder, name))
}

/** Where the scenarios of these names stand: ids, or files themselves. A name that there is none for gives none. */
export async function filesOf(folder: string, names: readonly string[]): Promise<string[]> {
  const own = names.filter(isFile)
  const found = (await scenarioFiles(folder)).filter((file) => names.includes(path.basename(file, '.ts')))
  return [...own.map((name) => path.resolve(name)), ...found]
}

/** The scenarios with these files read again, as they are now; for one that is new, with it. */
export async function reloaded(all: readonly Scenario[], files: readonly string[]): Promise<Scenario[]> {
  const now = await Promise.all(files.map((file) => loadScenario(file, (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0).toString())))
  const ids = new Set(now.map(({ id }) => id))
  return [...all.filter(({ id }) => !ids.has(id)), ...now]
}

/** A scenario may be named by its file. */
function isFile(name: string): boolean {
  return name.endsWith('.ts') || name.includes('/')
}

/**
 * A scenario may be named by its file, wherever that lies: `./incident.ts`. Returns all scenarios with those,
 * and the names as ids.
 */
export async function withFiles(all: Scenario[], names: string[]): Promise<{ scenarios: Scenario[]; ids: string[] }> {
  const own = new Map<string, Scenario>()
  for (const name of names.filter(isFile)) own.set(name, await loadScenario(path.resolve(name)))
  const ids = names.map((name) => own.get(name)?.id ?? name)
  const others = all.filter(({ id }) => ![...own.values()].some((one) => one.id === id))
  return { scenarios: [...others, ...own.values()], ids }
}

/** `version` tells states of the file apart, which else is read once. */
async function loadScenario(file: string, version?: string): Promise<Scenario> {
  const module = await importFile(file, version)
  const scenario = module.default
  const expected = path.basename(file, '.ts')
  if (!scenario || scenario.id !== expected) {
    throw new UsageError(
      `${file} must export by default a scenario whose id is its file name "${expected}"; its id is "${scenario?.id}".`,
    )
  }
  return scenario
}

async function importFile(file: string, version = ''): Promise<{ default?: Scenario }> {
  try {
    return (await import(`${pathToFileURL(file).href}${version === '' ? '' : `?${version}`}`)) as { default?: Scenario }
  } catch (error) {
    throw new UsageError(`The scenario ${file} cannot be loaded: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}`)
  }
}

/** What was given that some scenarios ask for. */
export type Given = readonly Exclude<NonNullable<Scenario['asks']>, 'by-name'>[]

/**
 * The scenarios with the given ids, or all that ask for nothing; where something is given, those that ask for
 * it. A name that there is none for is a UsageError that suggests the nearest.
 */
export function planRun(every: Scenario[], ids: string[], given: Given = []): Plan {
  const isGiven = (asks: Scenario['asks']) => asks !== undefined && asks !== 'by-name' && given.includes(asks)
  for (const id of ids) {
    const scenario = every.find((one) => one.id === id)
    if (!scenario) throw unknownScenario(every, id)
    if (scenario.asks && scenario.asks !== 'by-name' && !isGiven(scenario.asks)) throw new UsageError(`${id} needs --${scenario.asks}; see: npm run simulate -- --help`)
  }
  const all = every.filter(({ id, asks }) => asks === undefined || isGiven(asks) || (asks === 'by-name' && ids.includes(id)))
  const asking = all.filter(({ asks }) => isGiven(asks)).map(({ id }) => id)
  if (ids.length === 0 && asking.length === 0) return { scenarios: all, notRun: [] }
  const named = new Set(ids.length > 0 ? ids : asking)
  return {
    scenarios: all.filter((scenario) => named.has(scenario.id)),
    notRun: all
      .filter((scenario) => !named.has(scenario.id))
      .map((scenario) => leftOut(scenario, ids.length > 0 ? 'Not named on the command line.' : `Only what --${given.join(', --')} asks for was run.`)),
  }
}

function unknownScenario(all: Scenario[], id: string): UsageError {
  const ids = all.map((scenario) => scenario.id)
  const best = nearest(id, ids)
  return new UsageError(`There is no scenario "${id}"; did you mean "${best}"? All are listed by: npm run simulate -- --list`)
}

/** The candidate with the smallest edit distance. */
export function nearest(word: string, candidates: string[]): string {
  return candidates.toSorted((a, b) => editDistance(word, a) - editDistance(word, b))[0] ?? ''
}

/** Levenshtein's distance. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
