/**
 * The part of `npm run report` that CI needs: a job's summary, JUnit, annotations, what a job ends with, the
 * nights before, and issues. The steps of the workflows are these commands and nothing else, so that all
 * of them run on a laptop as well.
 */
import { copyFile, mkdir, readdir, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { Option, type Command } from 'commander'
import { whole } from './command-line.ts'
import { UsageError } from './errors.ts'
import { applyPlan, issuesFrom, readIssues } from './github/issues.ts'
import type { Repository } from './github/rest.ts'
import { annotationLines, inertInLog } from './report/annotations.ts'
import { gateOf, type FailOn } from './report/gate.ts'
import { judgesTwin } from './report/groups.ts'
import { actionLine, planIssues, type Issue } from './report/issue-plan.ts'
import { renderJunit } from './report/junit.ts'
import { renderMarkdown, summaryBytesMax } from './report/markdown.ts'
import { neutralise } from './report/neutralise.ts'
import { compareNight, nightLines, nightMarkdown } from './report/nights.ts'
import type { Result } from './report/result.ts'
import { folderOf, keptRuns, pruneRuns, runName } from './run-folders.ts'
import { readSavedResult } from './saved-result.ts'

/** The options of every command of `npm run report`. */
export interface Shared {
  out: string
  json: boolean
}

type NewCommand = (words: string, description: string) => Command

const keptNights = 60
const issuesFileBytesMax = 100_000_000

/** Adds the commands; `sub` makes one with the options that all of `npm run report` have. */
export function addNightlyCommands(sub: NewCommand): void {
  const command = <Given extends Shared>(words: string, description: string, act: (runs: SavedRun[], given: Given) => Promise<void> | void) =>
    sub(`${words} [runs...]`, `${description}; of the latest run unless others are named`).action(async (runs: string[], given: Given) => act(await savedRuns(runs, given.out), given))

  command('summary', 'as Markdown, for the summary of a CI job', summary)
  command('junit', 'as JUnit XML, for CI systems that list tests', junit)
  command('annotations', "as GitHub's annotations, at most ten of each kind", annotations)
  command('gate', 'what a CI job ends with: 0 only for what was seen to hold', gate)
    .addOption(failOnOption())
    .option('--ended-with <code>', 'what the run itself ended with: one that was killed left only its beginning', whole('--ended-with', 0, 255))
  command('nights', 'beside the nights before: new, fixed, still failing, and figures that moved', nights)
    .requiredOption('--against <folder>', 'where the nights before are kept')
    .option('--markdown', "as Markdown, for a job's summary", false)
  command('remember', 'puts results among the nights that later ones are compared with', remember)
    .requiredOption('--in <folder>', 'where they are kept')
    .option('--keep <n>', 'how many of the newest stay', whole('--keep', 1, 10_000), keptNights)
  issuesCommand(command('issues', 'one GitHub issue for each distinct failure: shows what would be changed', issues))
}

interface SavedRun {
  folder: string
  result: Result
}

async function savedRuns(runs: readonly string[], out: string): Promise<SavedRun[]> {
  const found: SavedRun[] = []
  for (const run of runs.length === 0 ? ['latest'] : runs) {
    const folder = folderOf(run, path.resolve(out))
    found.push({ folder, result: await readSavedResult(folder) })
  }
  return found
}

function results(runs: readonly SavedRun[]): Result[] {
  return runs.map(({ result }) => result)
}

function write(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

/** For the log of a job, in which the runner looks for commands. */
function log(lines: readonly string[]): void {
  if (lines.length > 0) write(lines.map((line) => inertInLog(neutralise(line))).join('\n'))
}

// --- one run or several ----------------------------------------------------------------------

function summary(runs: SavedRun[]): void {
  const share = Math.floor(summaryBytesMax / runs.length)
  write(results(runs).map((result) => renderMarkdown(result, share)).join('\n'))
}

function junit(runs: SavedRun[]): void {
  if (runs.length > 1) throw new UsageError('junit writes one file, of one run; name one of them.')
  write(renderJunit(runs[0]!.result))
}

function annotations(runs: SavedRun[]): void {
  const lines = annotationLines(results(runs))
  if (lines.length > 0) write(lines.join('\n'))
}

function failOnOption(): Option {
  return new Option('--fail-on <what>', 'what makes the job red: all that is not known to hold, or only what failed').choices(['unknown', 'failure']).default('unknown')
}

function gate(runs: SavedRun[], { failOn, endedWith, json }: Shared & { failOn: FailOn; endedWith?: number }): void {
  const decided = gateOf(results(runs), failOn, endedWith)
  if (json) write(JSON.stringify(decided, null, 2))
  else log(decided.lines)
  process.exitCode = decided.exitCode
}

// --- nights ----------------------------------------------------------------------------------

interface NightsGiven extends Shared {
  against: string
  markdown: boolean
}

async function nights(runs: SavedRun[], { against, markdown, json }: NightsGiven): Promise<void> {
  await readdir(against).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--against: ${against} cannot be read (${error.code}); "npm run report -- remember --in ${against}" makes it.`)
  })
  const kept = await keptRuns(path.resolve(against))
  const earlier = kept.flatMap(({ result }) => result ?? [])
  const unreadable = kept.length - earlier.length
  const compared = results(runs).map((result) => compareNight(result, earlier))
  if (json) return write(JSON.stringify(compared, null, 2))
  const note = unreadable === 0 ? [] : [`${unreadable} of ${kept.length} kept nights cannot be read by this version, and are left out.`]
  if (markdown) write([...compared.map(nightMarkdown), ...note].join('\n'))
  else log([...compared.flatMap((night) => [...nightLines(night), '']), ...note])
}

interface RememberGiven extends Shared {
  in: string
  keep: number
}

/** Written beside and renamed into place: an interrupted job leaves no half of a night. */
async function remember(runs: SavedRun[], given: RememberGiven): Promise<void> {
  const into = path.resolve(given.in)
  for (const { folder, result } of runs) {
    if (!runName.test(result.runId)) throw new UsageError(`${folder} holds a run named ${JSON.stringify(result.runId)}, which is no name of a run; it is not kept.`)
    const target = path.join(into, result.runId)
    await mkdir(target, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`Nothing can be written to ${into} (${error.code}); give another folder with --in.`)
    })
    await copyFile(path.join(folder, 'result.json'), path.join(target, 'result.json.partial'))
    await rename(path.join(target, 'result.json.partial'), path.join(target, 'result.json'))
    log([`remembered ${result.runId}`])
  }
  log((await pruneRuns(into, given.keep, false)).map((name) => `forgot ${name}`))
}

// --- issues ----------------------------------------------------------------------------------

interface IssuesGiven extends Shared {
  issues?: string
  apply: boolean
  repository?: string
  apiUrl: string
  label: string
  closeAfter: number
  openMax: number
  runUrl?: string
}

function issuesCommand(command: Command): void {
  command
    .option('--issues <file>', "the issues there are, as GitHub's REST API lists them; - reads them from stdin")
    .option('--apply', 'change them, with the token in GITHUB_TOKEN', false)
    .addOption(new Option('--repository <name>', 'owner/name').env('GITHUB_REPOSITORY'))
    .addOption(new Option('--api-url <url>', "the address of GitHub's REST API").env('GITHUB_API_URL').default('https://api.github.com'))
    .option('--label <name>', 'what marks the issues of this command', labelOf, 'production-simulation')
    .option('--close-after <n>', 'nights in a row that a failure must be seen to pass', whole('--close-after', 1, 100), 3)
    .option('--open-max <n>', 'issues that one night may open', whole('--open-max', 0, 100), 10)
    .option('--run-url <url>', 'the page of this CI run', pageOf)
}

function labelOf(text: string): string {
  if (/^[\w][\w .:/-]{0,49}$/.test(text)) return text
  throw new UsageError(`--label takes up to 50 letters, digits, blanks and . : / - _, not "${text}".`)
}

function pageOf(text: string): string {
  if (URL.canParse(text) && /^https?:\/\/[!-~]+$/.test(text)) return text
  throw new UsageError(`--run-url takes an http address, not "${text}".`)
}

async function issues(runs: SavedRun[], given: IssuesGiven): Promise<void> {
  refuseTwins(runs)
  if (given.apply && given.issues !== undefined) throw new UsageError('--apply reads the issues itself; leave out either it or --issues.')
  const repository = given.apply ? await repositoryOf(given) : null
  const before = repository ? await readIssues(repository, given.label) : await givenIssues(given.issues)
  const judged = runs.filter((run) => !stoodIn(run))
  if (!given.json) log(runs.filter(stoodIn).map(({ result }) => `Run ${result.runId} is left out: the reference server stood in, and its failures are not those of the server that was meant.`))
  const night = await Promise.all(judged.map(async ({ folder, result }) => ({ result, capsules: await capsulesIn(folder) })))
  const { label, closeAfter, openMax } = given
  const plan = planIssues(night, before, { label, closeAfter, openMax, runUrl: given.runUrl ?? runUrlOf(process.env) })
  if (given.json) write(JSON.stringify(plan, null, 2))
  if (repository) return applyPlan(repository, plan, (line) => (given.json ? undefined : log([line])))
  if (given.json) return
  const source = given.issues === undefined ? ['No list of issues was given (--issues FILE), so that each failure is shown as a new one.'] : []
  log([...source, ...(plan.length === 0 ? ['No issue is to be changed.'] : plan.map(actionLine)), ...(plan.length === 0 ? [] : ['Nothing was changed; --apply does it.'])])
}

/** Loaded only here: the other commands speak to nobody. */
async function repositoryOf({ apiUrl, repository = '' }: IssuesGiven): Promise<Repository> {
  const { openRepository } = await import('./github/rest.ts')
  return openRepository({ apiUrl, repository, token: tokenOf(process.env) })
}

/** Nobody asked for the reference server: the production server could not be had. */
function stoodIn({ result: { subject, options } }: SavedRun): boolean {
  return subject.kind === 'reference' && options['origin'] !== 'reference'
}

/** What was broken on purpose is nobody's news. */
function refuseTwins(runs: readonly SavedRun[]): void {
  const planted = runs.find(({ result }) => judgesTwin(result))
  if (planted) throw new UsageError(`Run ${planted.result.runId} judged a program that is broken on purpose; no issue is opened for that.`)
}

function tokenOf(env: NodeJS.ProcessEnv): string {
  const token = env['GITHUB_TOKEN'] || env['GH_TOKEN']
  if (token) return token
  throw new UsageError('--apply needs a token in GITHUB_TOKEN; in a workflow: env: GITHUB_TOKEN: ${{ github.token }}, with permissions: issues: write.')
}

function runUrlOf(env: NodeJS.ProcessEnv): string | null {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = env
  return server && repository && id ? `${server}/${repository}/actions/runs/${id}` : null
}

async function capsulesIn(folder: string): Promise<string[]> {
  return readdir(path.join(folder, 'capsules')).catch(() => [])
}

async function givenIssues(file: string | undefined): Promise<Issue[]> {
  if (file === undefined) return []
  const text = await (file === '-' ? stdin() : readFile(file, 'utf8')).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--issues: ${file} cannot be read (${error.code}); give a file that holds what gh api prints.`)
  })
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    throw new UsageError(`--issues: ${file} is no JSON; give a file that holds what gh api prints.`)
  }
  return issuesFrom(list, `--issues: ${file}`)
}

async function stdin(): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > issuesFileBytesMax) throw new UsageError(`--issues -: more than ${issuesFileBytesMax} bytes; give fewer issues.`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
