/** action.yml and the nightly workflow: what they name exists, and their steps do on this machine what they are to do. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { programs } from '../harness/bootstrap/programs.mjs'
import { findProgram } from '../harness/provision/find-program.ts'
import type { Result } from '../harness/report/result.ts'
import { imagesKey } from '../harness/runtime/images/kept-images.ts'
import { evaluate, holds, interpolate } from './github/expressions.ts'
import { openFakeGitHub } from './github/fake-github.ts'
import { readAction, runAction, runSteps, type Ran, type Runner, type Step } from './github/job-runner.ts'

const root = path.join(import.meta.dirname, '..')
const workflowFile = path.join(root, '.github/workflows/nightly.yml')

interface Job {
  if?: string
  needs?: string
  permissions: Record<string, string>
  'timeout-minutes': number
  strategy?: { matrix: { night: string[] } }
  steps: Step[]
}

interface Workflow {
  on: { schedule: { cron: string }[]; workflow_dispatch: { inputs: Record<string, { type: string; default?: unknown }> } }
  permissions: Record<string, string>
  concurrency: { group: string; 'cancel-in-progress': boolean }
  jobs: Record<'simulate' | 'issues', Job>
}

const workflow = parse(readFileSync(workflowFile, 'utf8')) as Workflow
const action = readAction(root)
const jobs = Object.values(workflow.jobs)
const allSteps: Step[] = [...action.runs.steps, ...jobs.flatMap(({ steps }) => steps)]

describe('what the files say', () => {
  const commands = allSteps.flatMap(({ run = '' }) => [...run.matchAll(/harness\/bootstrap\.mjs"? ([a-z-]+)(?: ([a-z][a-z-]*))?/g)].map(([, program, sub]) => ({ program: program!, sub, run })))

  test('names commands that there are, with flags that they have', async () => {
    expect(commands.length).toBeGreaterThan(12)
    for (const { program } of commands) expect(Object.keys(programs)).toContain(program)
    const wordsOf = ({ program, sub }: { program: string; sub?: string | undefined }) => (program === 'simulate' ? [program] : [program, sub!])
    const asked = [...new Map(commands.map((one) => [wordsOf(one).join(' '), wordsOf(one)]))]
    const helps = new Map(await Promise.all(asked.map(async ([name, words]) => [name, await helpOf(words)] as const)))
    for (const { run, ...command } of commands) {
      const words = wordsOf(command)
      const help = helps.get(words.join(' '))!
      const line = run.replaceAll('\\\n', ' ').split('\n').find((one) => one.includes(`bootstrap.mjs`) && one.includes(words.join(' ')))!
      for (const [, flag] of line.matchAll(/(?<=[\s+])(--[a-z][a-z-]*)(?=[\s}])/g)) expect(help, `${words.join(' ')} ${flag}`).toMatch(new RegExp(`${flag}\\b`))
    }
  })

  test('uses inputs that are declared, and declares none that are not used', () => {
    const used = new Set([...readFileSync(path.join(root, 'action.yml'), 'utf8').matchAll(/\binputs\.([\w-]+)/g)].map((match) => match[1]!))
    expect([...used].toSorted()).toEqual(Object.keys(action.inputs).toSorted())
    const ofWorkflow = new Set([...readFileSync(workflowFile, 'utf8').matchAll(/\binputs\.([\w-]+)/g)].map((match) => match[1]!))
    expect([...ofWorkflow].toSorted()).toEqual(Object.keys(workflow.on.workflow_dispatch.inputs).toSorted())
    for (const { with: given = {} } of allSteps.filter(({ uses }) => uses === './')) for (const name of Object.keys(given)) expect(Object.keys(action.inputs)).toContain(name)
    for (const { description } of Object.values(action.inputs)) expect(description).not.toBe('')
  })

  test('puts nothing into a script that is not an environment variable: an input could be a script', () => {
    for (const { run = '' } of allSteps) expect(run).not.toContain('${{')
  })

  test('takes the actions of others by their full version, and says how to pin them by commit', () => {
    const others = allSteps.flatMap(({ uses }) => (uses === undefined || uses === './' ? [] : [uses]))
    expect(others.length).toBeGreaterThan(8)
    for (const uses of others) expect(uses).toMatch(/^actions\/[\w/-]+@(v\d+\.\d+\.\d+|[0-9a-f]{40})$/)
    expect(readFileSync(path.join(root, 'action.yml'), 'utf8')).toContain('git ls-remote')
  })

  test('lets the job in which the server runs write nothing, and gives a token only to what opens issues', () => {
    expect(workflow.permissions).toEqual({})
    expect(workflow.jobs.simulate.permissions).toEqual({ contents: 'read' })
    expect(workflow.jobs.issues.permissions).toEqual({ contents: 'read', issues: 'write' })
    const withToken = allSteps.filter(({ env = {}, with: given = {} }) => /token/i.test(JSON.stringify([env, given]).replaceAll('persist-credentials', '')))
    expect(withToken.map(({ name }) => name)).toEqual(['Open and update issues', 'Open and update issues'])
    for (const { with: given } of allSteps.filter(({ uses }) => uses?.startsWith('actions/checkout'))) expect(given?.['persist-credentials']).toBe(false)
  })

  test('bounds every job, starts by itself, and never runs twice at once', () => {
    for (const job of jobs) expect(job['timeout-minutes']).toBeLessThan(360)
    expect(workflow.on.schedule).toHaveLength(1)
    expect(workflow.concurrency).toMatchObject({ 'cancel-in-progress': false })
  })

  test('keeps what was seen, however the run ended', () => {
    const after = action.runs.steps.slice(action.runs.steps.findIndex(({ id }) => id === 'simulate') + 1)
    for (const step of after) expect(step.if, step.name).toMatch(/^always\(\) && /)
  })

  test('runs a soak of half an hour beside everything, where nothing else is asked for', () => {
    const { with: given } = workflow.jobs.simulate.steps.find(({ uses }) => uses === './')!
    const asked = (night: string, inputs: Record<string, unknown>) => [given!['profile']!, given!['for']!].map((text) => interpolate(text, { matrix: { night }, inputs }))
    expect(asked('soak', {})).toEqual(['soak', '30m'])
    expect(asked('all', {})).toEqual(['full', ''])
    expect(asked('all', { profile: 'quick', duration: '4h' })).toEqual(['quick', ''])
    expect(asked('soak', { profile: 'quick', duration: '4h' })).toEqual(['soak', '4h'])
    expect(workflow.jobs.simulate.strategy!.matrix.night).toEqual(['all', 'soak'])
  })

  test('is shown in the documentation in a workflow that is one', () => {
    const [, example] = /```yaml\n([^]*?)```/.exec(readFileSync(path.join(root, 'docs/nightly.md'), 'utf8'))!
    const shown = parse(example!) as Workflow & { jobs: { readiness: Job } }
    const { with: given } = shown.jobs.readiness.steps.at(-1)!
    expect(shown.jobs.readiness['timeout-minutes']).toBeGreaterThan(0)
    for (const name of Object.keys(given!)) expect(Object.keys(action.inputs)).toContain(name)
    expect(shown.jobs.readiness.permissions).toEqual({ contents: 'read', issues: 'write' })
  })

  const actionlint = findProgram('actionlint', process.env)
  if (actionlint === null) console.warn('SKIPPED, the workflow was not linted: there is no actionlint (go install github.com/rhysd/actionlint/cmd/actionlint@latest).')
  test.skipIf(actionlint === null)('passes actionlint, which finds what is planted', async () => {
    const clean = await execa(actionlint!, ['-no-color', workflowFile], { cwd: root, reject: false })
    expect(clean.stdout).toBe('')
    expect(clean.exitCode).toBe(0)
    const text = readFileSync(workflowFile, 'utf8')
    for (const [from, to] of [['inputs.duration', 'inputs.durations'], ['          nights:', '          knights:'], ['issues: write', 'issue: write']] as const) {
      const planted = await execa(actionlint!, ['-no-color', '-stdin-filename', workflowFile, '-'], { cwd: root, reject: false, input: text.replace(from, to) })
      expect(planted.exitCode, to).toBe(1)
    }
  })
})

async function helpOf(words: string[]): Promise<string> {
  const { stdout, exitCode } = await execa(process.execPath, [programs[words[0] as keyof typeof programs].entry, ...words.slice(1), '--help'], { cwd: root, reject: false, stdin: 'ignore' })
  expect(exitCode, words.join(' ')).toBe(0)
  return stdout
}

describe('expressions, as the tests read them', () => {
  const context = { inputs: { a: '', b: 'x', no: false }, steps: { one: { outputs: { 'cache-hit': 'true' } } } }
  test.each<[string, unknown]>([
    ["inputs.a == '' && inputs.b || 'z'", 'x'],
    ["steps.one.outputs.cache-hit != 'true'", false],
    ["steps.two.outputs.cache-hit != 'true'", true],
    ["!inputs.no && (inputs.b == 'y' || inputs.b == 'x')", true],
    ["'it''s'", "it's"],
  ])('%s', (expression, value) => expect(evaluate(expression, context)).toBe(value))

  test('that are not understood are no success', () => {
    for (const wrong of ['inputs.a ==', 'input.a', "contains('a', 'b')", 'inputs.a inputs.b', '(inputs.a']) expect(() => evaluate(wrong, context), wrong).toThrow(/expression|here|understood|bracket/i)
    expect(holds(undefined, context, { failed: true })).toBe(false)
    expect(holds('always() && inputs.b', context, { failed: true })).toBe(true)
  })
})

// --- the steps, run --------------------------------------------------------------------------

let work = ''
beforeAll(() => void (work = mkdtempSync(path.join(tmpdir(), 'nightly-'))))
afterAll(() => rmSync(work, { recursive: true, force: true }))

function runnerFor(name: string, runId: number, env: Record<string, string> = {}): Runner {
  const folder = path.join(work, name, String(runId))
  const [workspace, temp] = [path.join(folder, 'workspace'), path.join(folder, 'temp')]
  for (const one of [workspace, temp]) mkdirSync(one, { recursive: true })
  const github = { run_id: runId, run_attempt: 1, token: 'a-token', event_name: 'schedule' }
  // No test asks the real releases, loads images into an engine, or opens issues where they are read.
  const nobody = { DURABLE_STREAMS_RELEASES: 'http://127.0.0.1:9', DOCKER_HOST: 'unix:///nowhere.sock', DURABLE_STREAMS_RUNTIME: 'processes' }
  const own = { PATH: `${path.dirname(process.execPath)}:${process.env['PATH']}`, ...nobody, GITHUB_API_URL: 'http://127.0.0.1:9', GITHUB_REPOSITORY: 'o/r', ...env }
  return { workspace, temp, cache: path.join(work, name, 'cache'), artifacts: path.join(folder, 'artifacts'), env: own, github, root }
}

/** The steps that any test here has run, by their names. */
const seenRunning = new Set<string>()

async function act(runner: Runner, given: Record<string, string>): Promise<Ran> {
  return noted(await runAction(runner, given))
}

function noted(ran: Ran): Ran {
  for (const { name, state } of ran.steps) if (state !== 'skipped') seenRunning.add(name)
  return ran
}

function step(ran: Ran, name: string) {
  const found = ran.steps.find((one) => one.name === name)
  if (!found) throw new Error(`There is no step ${name}.`)
  return found
}

describe('the steps of the action, on a run of the reference server', () => {
  const given = { scenarios: 'restart-keeps-forks', origin: 'reference', readers: '200', nights: 'true', issues: 'show' }
  let first: Ran
  let second: Ran
  let folders: string[] = []
  let runners: Runner[] = []
  let asked: string[] = []

  beforeAll(async () => {
    await using github = await openFakeGitHub('o/r')
    runners = [runnerFor('two-nights', 1), runnerFor('two-nights', 2, { GITHUB_API_URL: github.url })]
    first = await act(runners[0]!, given)
    // As if an engine had been there the night before.
    mkdirSync(path.join(runners[1]!.cache, imagesKey()), { recursive: true })
    second = await act(runners[1]!, { ...given, issues: 'apply', 'fail-on': 'failure' })
    asked = github.requests
    folders = [first, second].map(({ outputs }) => outputs['folder']!)
  }, 180_000)

  test('each step that is asked for ran, and none of those that are not', () => {
    const skipped = first.steps.filter(({ state }) => state === 'skipped').map(({ name }) => name)
    const withoutServer = ["Bring the server's release from the cache", "Keep the server's release in the cache"]
    expect(skipped.toSorted()).toEqual([...withoutServer, 'Give the images to the engine', "Install the cache's program", 'Open and update issues', 'Without a result the job is red'].toSorted())
    const later = second.steps.filter(({ state }) => state === 'skipped').map(({ name }) => name)
    expect(later.toSorted()).toEqual([...withoutServer, "Install the cache's program", 'Keep the images in the cache', 'Show the issues that would be opened', 'Without a result the job is red', 'Write the images into files'].toSorted())
    expect(first.steps.filter(({ state }) => state === 'failure').map(({ name }) => name)).toEqual(['The verdict'])
  })

  test('the reference server is no success, and loud', () => {
    expect(first.failed).toBe(true)
    expect(first.outputs).toMatchObject({ verdict: 'unknown', 'exit-code': '2' })
    expect(step(first, 'The verdict')).toMatchObject({ exitCode: 2 })
    expect(step(first, 'The verdict').log).toContain('THE REFERENCE SERVER WAS JUDGED')
    expect(step(first, 'Annotate').log).toMatch(/^::error title=Read this first::REFERENCE SERVER: /m)
  })

  test('that was told to fail on failures alone is green, and says what that is worth', () => {
    expect(second.failed).toBe(false)
    expect(step(second, 'The verdict').log).toContain('NOT A SUCCESS')
  })

  test("nothing that a server says is taken for a command of the runner's", () => {
    const { log } = step(first, 'Simulate')
    const [, token] = /^::stop-commands::([\w-]+)$/m.exec(log)!
    expect(log.trimEnd().endsWith(`::${token}::`)).toBe(true)
    expect(log.indexOf('::stop-commands::')).toBe(0)
    expect(token!.length).toBeGreaterThan(30)
  })

  test('the summary holds the report and the comparison', () => {
    expect(step(first, "Write the job's summary").summary).toMatch(/^## UNKNOWN — The reference server was judged/)
    expect(step(first, 'Compare with the nights before').summary).toContain('no earlier night of this series is kept')
    const compared = step(second, 'Compare with the nights before').summary
    expect(compared).toContain(`the night before: ${path.basename(folders[0]!).replaceAll('-', '\\-')}`)
    expect(compared).toContain('Nothing is red that was not red the night before.')
    expect(compared).toContain('1 comparable night is kept')
  })

  test('report, JUnit and logs are an artifact, and the history another one', () => {
    const { artifacts } = runners[0]!
    const main = readdirSync(path.join(artifacts, 'production-simulation'))
    expect(main).toEqual(expect.arrayContaining(['result.json', 'report.html', 'junit.xml', 'logs', 'config']))
    expect(main.filter((name) => name.startsWith('history') || name === 'crowds')).toEqual([])
    expect(readdirSync(path.join(artifacts, 'production-simulation-history')).some((name) => name.startsWith('history-'))).toBe(true)
    expect(readFileSync(path.join(artifacts, 'production-simulation', 'junit.xml'), 'utf8')).toMatch(/^<\?xml .*<testsuite name="restart-keeps-forks"/s)
  })

  test('each night is kept under a key of its own, with all before it', () => {
    const { cache } = runners[1]!
    const keys = readdirSync(cache).map(decodeURIComponent).filter((key) => key.includes('nights')).toSorted()
    expect(keys).toEqual(['simulation-nights-production-simulation-run-1-1', 'simulation-nights-production-simulation-run-2-1'])
    expect(readdirSync(path.join(cache, encodeURIComponent(keys[1]!))).toSorted()).toEqual(folders.map((folder) => path.basename(folder)).toSorted())
  })

  test('issues are read and changed only where that is asked for', () => {
    expect(step(first, 'Show the issues that would be opened').log).toMatch(/No issue is to be changed\.|Nothing was changed; --apply does it\./)
    expect(asked[0]).toBe('GET /repos/o/r/issues')
  })
})

test('a flag that is wrong leaves no result, and a red job that says where to look', async () => {
  const ran = await act(runnerFor('wrong', 1), { profile: 'slow', runtime: 'processes' })
  expect(ran.failed).toBe(true)
  expect(ran.outputs).toMatchObject({ folder: '', verdict: '', 'exit-code': '64' })
  expect(step(ran, 'Without a result the job is red')).toMatchObject({ exitCode: 64, state: 'failure' })
  expect(step(ran, 'Without a result the job is red').log).toMatch(/^::error title=There is no result::The simulation ended with 64: /)
  expect(step(ran, 'The verdict').state).toBe('skipped')
}, 60_000)

test('a configuration is looked for in the workspace of the caller', async () => {
  const ran = await act(runnerFor('configured', 1), { config: 'deploy/simulate.config.ts', runtime: 'processes' })
  expect(ran.outputs['exit-code']).toBe('64')
  expect(step(ran, 'Simulate').log).toContain('deploy/simulate.config.ts')
}, 60_000)

test('what looks like a script in an input is a word', async () => {
  const planted = path.join(work, 'planted')
  const ran = await act(runnerFor('hostile', 1), { scenarios: `nothing; touch ${planted} $(touch ${planted}) *`, seed: `$(touch ${planted})`, runtime: 'processes', origin: 'reference' })
  expect(ran.outputs['exit-code']).toBe('64')
  expect(existsSync(planted)).toBe(false)
}, 60_000)

describe("the workflow's issues", () => {
  const sample = path.join(root, 'reports/sample')
  const failures = (JSON.parse(readFileSync(path.join(sample, 'result.json'), 'utf8')) as Result).scenarios.flatMap(({ checks }) => checks.filter(({ verdict }) => verdict === 'fail'))

  async function issuesJob(event: string, inputs: object, url: string): Promise<Ran> {
    const runner = runnerFor(`issues-${event}`, 1, { GITHUB_API_URL: url, GITHUB_REPOSITORY: 'o/r', GITHUB_SERVER_URL: 'https://github.example', GITHUB_RUN_ID: '7' })
    cpSync(sample, path.join(runner.artifacts, 'night-all'), { recursive: true })
    // Its steps start in the checkout.
    cpSync(path.join(root, 'harness'), path.join(runner.workspace, 'harness'), { recursive: true })
    for (const name of ['package.json', 'package-lock.json']) cpSync(path.join(root, name), path.join(runner.workspace, name))
    if (!existsSync(path.join(runner.workspace, 'node_modules'))) await execa('ln', ['-s', path.join(root, 'node_modules'), path.join(runner.workspace, 'node_modules')])
    return noted(await runSteps(runner, workflow.jobs.issues.steps, { github: { ...runner.github, event_name: event }, inputs, steps: {} }))
  }

  test('are opened once by a scheduled night, with the fingerprints of the run', async () => {
    await using github = await openFakeGitHub('o/r')
    const first = await issuesJob('schedule', {}, github.url)
    expect(first.failed, JSON.stringify(first.steps)).toBe(false)
    expect(github.issues).toHaveLength(failures.length)
    for (const { fingerprint } of failures) expect(github.issues.filter(({ body }) => body!.includes(`\`${fingerprint}\``))).toHaveLength(1)
    expect(github.issues[0]!.body).toContain('https://github.example/o/r/actions/runs/7')
    expect([...github.tokens]).toEqual(['Bearer a-token'])
    const again = await issuesJob('schedule', {}, github.url)
    expect(step(again, 'Open and update issues').log).toContain('this night is counted already')
    expect(github.issues).toHaveLength(failures.length)
  }, 60_000)

  test('are only shown where a night was started by hand and nothing else was asked for', async () => {
    await using github = await openFakeGitHub('o/r')
    const ran = await issuesJob('workflow_dispatch', { issues: false }, github.url)
    expect(step(ran, 'Open and update issues').state).toBe('skipped')
    expect(step(ran, 'Show the issues that would be opened').log).toContain('Nothing was changed')
    expect(github.requests).toEqual([])
  }, 60_000)

  test('of a red night are opened, of a cancelled one are not', () => {
    const run = (result: string) => holds(workflow.jobs.issues.if, { needs: { simulate: { result } } }, { failed: result !== 'success' })
    expect(['success', 'failure', 'cancelled'].map(run)).toEqual([true, true, false])
  })
})

test('every script of both files was run by one of these tests', () => {
  expect(allSteps.filter(({ run }) => run !== undefined).map(({ name }) => name!).filter((name) => !seenRunning.has(name))).toEqual([])
})
