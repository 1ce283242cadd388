/**
 * Runs upstream's conformance suite against one URL: a program of its own, started with its plan as
 * the argument, that says each test's result as it comes (suite-plan.ts).
 *
 *   node run-suite.ts '{"url": …}'
 *
 * A test that fails is run again, and each result is told: what they mean is for the check.
 *
 * The suite needs the vitest that it brought along (4): another one finds no test in it.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SuiteMessage, SuitePlan, TestState } from './suite-plan.ts'

/** The little that is used of vitest's own interface, version 4. */
interface TestCase {
  fullName: string
  result(): { state: TestState | 'pending'; errors?: readonly { message: string }[] }
  diagnostic(): { duration: number } | undefined
}
interface TestModule {
  errors(): readonly { message: string }[]
}
interface Reporter {
  onTestCaseResult(test: TestCase): void
  onTestRunEnd(modules: readonly TestModule[]): void
}
interface VitestNode {
  startVitest(mode: 'test', filters: string[], options: object): Promise<{ close(): Promise<void> }>
}

const require = createRequire(import.meta.url)
const suiteFile = 'dist/test-runner.js'
/** Upstream allows 5 s, which is meant for a machine that does nothing else. */
const testTimeoutMs = 20_000
/** Where more fail than this, it is not by chance. */
const repeatedMax = 60
/** Nor where more than these fail twice. Of so few each has further tries: one that fails one time in ten fails in all of them once in 10,000 runs. */
const repeatedFurtherMax = 5
const attemptsMax = 4
const errorMaxCharacters = 300

const plan = JSON.parse(process.argv[2]!) as SuitePlan

try {
  await run()
} catch (error) {
  say({ event: 'failed', because: firstLine(error instanceof Error ? error.message : String(error)) })
  process.exitCode = 1
}

async function run(): Promise<void> {
  const suite = packageOf(require.resolve('@durable-streams/server-conformance-tests'))
  const resolveForSuite = createRequire(path.join(suite.folder, suiteFile))
  const vitest = packageOf(resolveForSuite.resolve('vitest/node'))
  say({ event: 'begin', suite: suite.version, vitest: vitest.version })
  const { startVitest } = (await import(resolveForSuite.resolve('vitest/node'))) as VitestNode
  let failed = await runTests(startVitest, suite.folder, 1)
  for (let attempt = 2; attempt <= attemptsMax && failed.length > 0; attempt += 1) {
    if (failed.length > (attempt === 2 ? repeatedMax : repeatedFurtherMax)) break
    failed = await runTests(startVitest, suite.folder, attempt, failed)
  }
  say({ event: 'end' })
}

/** The package that a file belongs to. */
function packageOf(file: string): { folder: string; version: string } {
  const folder = file.slice(0, file.lastIndexOf(`${path.sep}dist${path.sep}`))
  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string }
  return { folder, version }
}

/** Runs all tests, or those named, and says their results. Returns the names of those that failed. */
async function runTests(startVitest: VitestNode['startVitest'], folder: string, attempt: number, only?: string[]): Promise<string[]> {
  const failed: string[] = []
  const broken: string[] = []
  const reporter: Reporter = {
    onTestCaseResult(test) {
      const { state, errors } = test.result()
      if (state === 'pending' || (only !== undefined && !only.includes(test.fullName))) return
      if (state === 'failed') failed.push(test.fullName)
      const error = errors?.[0]?.message
      const durationMs = Math.round(test.diagnostic()?.duration ?? 0)
      say({ event: 'test', test: test.fullName, state, attempt, durationMs, ...(error === undefined ? {} : { error: firstLine(error) }) })
    },
    onTestRunEnd: (modules) => void broken.push(...modules.flatMap((module) => module.errors().map(({ message }) => message))),
  }
  const vitest = await startVitest('test', [], { ...settings(folder), reporters: [reporter], ...(only ? { testNamePattern: patternOf(only) } : {}) })
  await vitest.close()
  if (broken.length > 0) throw new Error(`the suite does not load: ${broken[0]}`)
  return failed
}

function settings(root: string): object {
  return {
    root,
    config: false,
    watch: false,
    cache: false,
    include: [suiteFile],
    // By default everything below node_modules is left out.
    exclude: [],
    pool: 'threads',
    maxWorkers: 1,
    testTimeout: Math.max(testTimeoutMs, plan.longPollTimeoutMs + 1_000),
    setupFiles: [fileURLToPath(new URL('./own-names.ts', import.meta.url))],
    env: { CONFORMANCE_TEST_URL: plan.url, CONFORMANCE_PLAN: JSON.stringify(plan) },
  }
}

/** vitest holds the pattern against a name whose parts are joined by blanks. */
function patternOf(names: string[]): RegExp {
  const escaped = names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(' > ', '(?: > | )'))
  return new RegExp(`^(?:${escaped.join('|')})$`)
}

function say(message: SuiteMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

function firstLine(text: string): string {
  return text.split('\n')[0]!.slice(0, errorMaxCharacters)
}
