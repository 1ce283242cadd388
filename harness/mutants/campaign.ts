/** Runs mutants one after the other against the unmutated base; what was found is saved after each. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { monotonicMs } from '../clock.ts'
import { UsageError } from '../errors.ts'
import type { Mutation } from '../mutation.ts'
import { mutantsMarkdown, mutantsPage } from '../report/mutants-page.ts'
import { mutantsResult, outcomeOf, scoreOf, type MutantResult, type MutantsResult } from '../report/mutants.ts'
import type { Result } from '../report/result.ts'
import type { Scenario } from '../scenario.ts'
import { readSavedResult } from '../saved-result.ts'
import { sha256 } from '../sha256.ts'
import { greenOf, killedTwice, outcomeOfRun, rowsOf, type Green, type Outcome, type Ran } from './outcome.ts'
import { simulateOnce } from './simulation.ts'
import type { MutatedFile } from './subjects.ts'

export interface Campaign {
  /** Of this campaign: the mutated files, the runs, what was found. */
  folder: string
  files: readonly MutatedFile[]
  /** Ids of mutants must begin so; all where there are none. */
  only: readonly string[]
  scenarios: readonly Scenario[]
  /** Of every run of the public command. */
  flags: readonly string[]
  brokeDown: RegExp
  baseRuns: number
  minutesMax: number
  /** Every scenario for every mutant. */
  all: boolean
  /** So many mutants side by side. */
  atOnce: number
  signal: AbortSignal
  onProgress(line: string): void
}

interface Planned {
  file: MutatedFile
  mutation: Mutation
  /** In the order in which they are asked. */
  scenarios: string[]
}

/** @throws UsageError where no mutant is called so, or a base run is refused */
export async function runCampaign(campaign: Campaign): Promise<MutantsResult> {
  const startedAt = new Date().toISOString()
  const wanted = wantedMutants(campaign)
  const known = (await knownResults(campaign.folder)).filter(isCurrentIn(campaign))
  const asked = new Set(wanted.flatMap(({ file, mutation }) => scenariosFor(campaign, file, mutation)))
  const base = await runBase(campaign, campaign.scenarios.filter((scenario) => asked.has(scenario.id)).map((scenario) => scenario.id))
  const green = greenOf(base)
  const result: MutantsResult = {
    schemaVersion: 1,
    startedAt,
    command: ['npm run simulate --', ...campaign.flags].join(' '),
    subject: subjectOf(base),
    base: base[0]!.scenarios.map((scenario) => baseLine(scenario, green)),
    mutants: known.filter((mutant) => !wanted.some(({ mutation }) => mutation.id === mutant.id)),
    total: campaign.files.reduce((sum, { mutations }) => sum + mutations.length, 0),
    notRun: [],
    score: null,
  }
  const deadlineMs = monotonicMs() + campaign.minutesMax * 60_000
  const asks = async ({ file, mutation }: (typeof wanted)[number]) => {
    const planned = { file, mutation, scenarios: quickestFirst(scenariosFor(campaign, file, mutation).filter((id) => campaign.all || mutation.rows.some((row) => green.get(id)?.has(row))), base) }
    const before = known.find((mutant) => mutant.id === mutation.id)
    if (before !== undefined) result.mutants.push(asNowExcused(before, mutation))
    else if (mutation.excuse !== undefined && campaign.only.length === 0) result.mutants.push(excused(file, mutation))
    else if (campaign.signal.aborted) result.notRun.push({ id: mutation.id, because: 'The run was interrupted before it.' })
    else if (monotonicMs() > deadlineMs) result.notRun.push({ id: mutation.id, because: `The ${campaign.minutesMax} minutes were over; --minutes allows more, --resume goes on.` })
    else await runAndNote(campaign, planned, base, result)
  }
  const left = wanted.values()
  const worker = async () => {
    for (const mutant of left) await asks(mutant)
  }
  await Promise.all(Array.from({ length: campaign.atOnce }, worker))
  const places = new Map(wanted.map(({ mutation }, place) => [mutation.id, place]))
  const placeOf = ({ id }: MutantResult) => places.get(id) ?? wanted.length
  result.mutants.sort((a, b) => placeOf(a) - placeOf(b))
  save(campaign.folder, result)
  return result
}

async function runAndNote(campaign: Campaign, planned: Planned, base: readonly Result[], result: MutantsResult): Promise<void> {
  const { id } = planned.mutation
  try {
    const mutant = await runMutant(campaign, planned, base)
    result.mutants.push(mutant)
    campaign.onProgress(`${outcomeOf(mutant).padEnd(8)} ${id} ${mutant.killedBy.join(', ') || (mutant.excuse?.because ?? mutant.invalid ?? mutant.what)}`)
  } catch (error) {
    if (!campaign.signal.aborted) throw error
    result.notRun.push({ id, because: 'The run was interrupted in it.' })
  }
  save(campaign.folder, result)
}

function wantedMutants({ files, only }: Campaign): { file: MutatedFile; mutation: Mutation }[] {
  const all = files.flatMap((file) => file.mutations.map((mutation) => ({ file, mutation })))
  const unknown = only.find((id) => !all.some(({ mutation }) => begins(mutation.id, id)))
  if (unknown !== undefined) throw new UsageError(`There is no mutant "${unknown}"; all are listed by: npm run mutants -- --list`)
  // In the order in which they were asked for.
  if (only.length > 0) return [...new Set(only.flatMap((id) => all.filter(({ mutation }) => begins(mutation.id, id))))]
  // Whole statements first: where time runs out, what is left are finer shades of what was seen.
  const rank = ({ mutation }: { mutation: Mutation }) => (/:(delete|without-arm)(#\d+)?$/.test(mutation.id) ? 0 : 1)
  return all.toSorted((a, b) => rank(a) - rank(b))
}

/** 'recommended.vcl:15' is not the beginning of 'recommended.vcl:157:delete'. */
function begins(id: string, beginning: string): boolean {
  return id === beginning || (id.startsWith(beginning) && /^[:#]/.test(id.slice(beginning.length)))
}

/** Those that judge a row of the mutant's, in a world that holds the file. */
function scenariosFor({ scenarios, all }: Campaign, { hop }: MutatedFile, { rows }: Mutation): string[] {
  // One that asks for something of the user's is not for every run.
  const fitting = scenarios.filter((scenario) => scenario.asks === undefined && scenario.world.hops.includes(hop))
  return fitting.filter((scenario) => all || rowsProvedBy(scenario).some((row) => rows.includes(row))).map((scenario) => scenario.id)
}

function rowsProvedBy({ checks, proves }: Scenario) {
  return checks.flatMap((check) => check.rows ?? proves)
}

function quickestFirst(ids: readonly string[], [base]: readonly Result[]): string[] {
  const durationOf = (id: string) => base?.scenarios.find((scenario) => scenario.id === id)?.durationMs ?? 0
  return ids.toSorted((a, b) => durationOf(a) - durationOf(b))
}

async function runBase(campaign: Campaign, ids: string[]): Promise<Result[]> {
  const { baseRuns, folder, flags, brokeDown, signal } = campaign
  if (ids.length === 0) throw new UsageError('No scenario judges a row of these mutants.')
  const results: Result[] = []
  for (let n = 1; n <= baseRuns; n += 1) {
    const out = path.join(folder, 'base', String(n))
    const before = await readSavedResult(path.join(out, 'latest')).catch(() => null)
    // Of the run that is resumed, where it asked for all of these.
    if (before !== null && ids.every((id) => before.scenarios.some((scenario) => scenario.id === id))) {
      results.push(before)
      continue
    }
    campaign.onProgress(`base ${n} of ${baseRuns}: ${ids.join(', ')}`)
    const ran = await simulateOnce({ scenarios: ids, flags, out, brokeDown, signal })
    if (ran.result === null) throw new UsageError(`The base could not be run: ${ran.said.trim().split('\n')[0]}`)
    results.push(ran.result)
  }
  return results
}

async function runMutant(campaign: Campaign, { file, mutation, scenarios }: Planned, base: readonly Result[]): Promise<MutantResult> {
  const startedMs = monotonicMs()
  const place = path.join(campaign.folder, 'mutants', mutation.id.replaceAll(/[^\w.-]+/g, '-'))
  await mkdir(place, { recursive: true })
  const mutated = path.join(place, path.basename(file.file))
  await writeFile(mutated, mutation.text)
  const { rows } = mutation
  const run = (ids: string[], out: string): Promise<Ran> =>
    simulateOnce({ scenarios: ids, flags: [...campaign.flags, file.flag, mutated], out: path.join(place, out), brokeDown: campaign.brokeDown, signal: campaign.signal })
  const outcome = await askAll(campaign, { rows, scenarios }, base, run)
  return { ...told(file, mutation), ...outcome, durationMs: Math.round(monotonicMs() - startedMs) }
}

function told({ file }: MutatedFile, mutation: Mutation) {
  const { id, line, what, rows, text } = mutation
  return { id, file, line, what, rows, ...excuseOf(mutation), sha256: sha256(text) }
}

function excuseOf({ excuse }: Mutation): Pick<Mutation, 'excuse'> {
  return excuse === undefined ? {} : { excuse }
}

/** Found by an earlier run; what the file says of it may have changed since. */
function asNowExcused(mutant: MutantResult, mutation: Mutation): MutantResult {
  const { excuse: _before, ...found } = mutant
  return { ...found, ...excuseOf(mutation) }
}

/** Found by an earlier run on the same text; those that were only excused were not run. */
function isCurrentIn({ files }: Campaign): (mutant: MutantResult) => boolean {
  const current = new Map(files.flatMap(({ mutations }) => mutations.map(({ id, text }) => [id, sha256(text)])))
  return (mutant) => current.get(mutant.id) === mutant.sha256 && (mutant.killedBy.length > 0 || mutant.survived || mutant.invalid !== undefined)
}

/** Not run: no row can notice it, the file says. Whoever doubts it asks for it by name. */
function excused(file: MutatedFile, mutation: Mutation): MutantResult {
  return { ...told(file, mutation), killedBy: [], checks: [], survived: false, durationMs: 0 }
}

/** One scenario after the other, until one kills it; for the whole matrix all of them at once. */
async function askAll(
  { all }: Campaign,
  { rows, scenarios }: Pick<Planned, 'scenarios'> & Pick<Mutation, 'rows'>,
  base: readonly Result[],
  run: (ids: string[], out: string) => Promise<Ran>,
): Promise<Outcome> {
  if (scenarios.length === 0) return { killedBy: [], checks: [], survived: false, invalid: `nothing that judges ${rows.join(', ')} is green on the base` }
  let last: Outcome | undefined
  for (const ids of all ? [scenarios] : scenarios.map((id) => [id])) {
    const asked = async (out: string) => outcomeOfRun(await run(ids, out), base, { rows, scenarios: ids })
    const out = ids.length === 1 ? ids[0]! : 'all'
    const first = await asked(out)
    // What turns red by chance once in a few runs is no kill: it has to do so again.
    const outcome = first.killedBy.length > 0 ? killedTwice(first, await asked(`${out}-again`)) : first
    if (outcome.killedBy.length > 0 || outcome.invalid?.startsWith('refused')) return outcome
    // What one could not judge is not made up for by the survival in another.
    last = last?.invalid === undefined ? outcome : last
  }
  return last!
}

function baseLine(scenario: Result['scenarios'][number], green: Green): MutantsResult['base'][number] {
  const rows = rowsOf(scenario)
  const isGreen = (row: (typeof rows)[number]) => green.get(scenario.id)?.has(row) === true
  return { scenario: scenario.id, green: rows.filter(isGreen), notGreen: rows.filter((row) => !isGreen(row)) }
}

function subjectOf([base]: readonly Result[]): string {
  const hops = base!.subject.hops.map((hop) => `${hop.kind} ${hop.version}`).join(', ')
  return `${base!.subject.kind} server ${base!.subject.version}; ${hops}.`
}

const resultName = 'mutants.json'

/** What an earlier campaign in this folder found. */
async function knownResults(folder: string): Promise<MutantResult[]> {
  const text = await readFile(path.join(folder, resultName), 'utf8').catch(() => null)
  if (text === null) return []
  const parsed = mutantsResult.safeParse(JSON.parse(text))
  return parsed.success ? parsed.data.mutants : []
}

/** At once, for mutants may be run side by side. */
function save(folder: string, result: MutantsResult): void {
  result.score = scoreOf(result.mutants)
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, resultName), `${JSON.stringify(result, null, 2)}\n`)
  writeFileSync(path.join(folder, 'mutants.md'), mutantsMarkdown(result))
  writeFileSync(path.join(folder, 'mutants.html'), mutantsPage(result))
}
