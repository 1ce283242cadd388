import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Result } from '../../harness/report/result.ts'
import { validateResult } from '../../harness/report/validate.ts'
import { arbitraryResult, sampleResult } from './arbitrary-result.ts'

function problemsOf(value: unknown): string {
  const validation = validateResult(value)
  return validation.valid ? '' : validation.problems.join('\n')
}

test('a consistent result is valid, also after a way through JSON', () => {
  fc.assert(
    fc.property(arbitraryResult, (result) => {
      expect(problemsOf(JSON.parse(JSON.stringify(result)))).toBe('')
    }),
    { numRuns: 50 },
  )
})

test.each<[string, (result: Result) => unknown, string]>([
  ['no object', () => null, 'expected object'],
  ['a missing field', (result) => ({ ...result, verdict: undefined }), 'verdict'],
  ['a field that nobody knows', (result) => ({ ...result, ok: true }), 'ok'],
  ['a negative count', (result) => ({ ...result, host: { ...result.host, cores: -1 } }), 'host.cores'],
])('the schema refuses %s', (_, change, named) => {
  expect(problemsOf(change(sampleResult(1)))).toContain(named)
})

/** A result in which everything is green, as the ground for one wrong thing at a time. */
function green(): Result {
  const result = sampleResult(2)
  return {
    ...result,
    subject: { ...result.subject, kind: 'production' },
    verdict: 'ready',
    exitCode: 0,
    checklist: result.checklist.map((row) => ({ ...unwaived(row), verdict: 'pass', scenarios: [] })),
    boxes: result.boxes.map((box) => ({ ...box, state: 'ticked' })),
  }
}

function unwaived(row: Result['checklist'][number]): Result['checklist'][number] {
  const own = { ...row }
  delete own.waived
  return own
}

const waived = { reason: 'So it is.', until: '2030-01-01' }

function withWaiver(result: Result, id: string): Result {
  return { ...result, checklist: result.checklist.map((row) => (row.id === id ? { ...row, waived } : row)) }
}

function withRow(result: Result, id: string, verdict: 'fail' | 'unknown' | 'pass'): Result {
  return {
    ...result,
    boxes: result.boxes.map((box) => ({ ...box, state: 'open' })),
    checklist: result.checklist.map((row) => (row.id === id ? { ...row, verdict } : row)),
  }
}

const inconsistent: [string, (result: Result) => Result, string][] = [
  ['an exit code of another verdict', (r) => ({ ...r, exitCode: 1 }), 'exitCode: 1'],
  ['a ready reference server', (r) => ({ ...r, subject: { ...r.subject, kind: 'reference' } }), 'reference'],
  ['ready with a failed required row', (r) => withRow(r, 'https', 'fail'), 'https'],
  ['ready with an unknown required row', (r) => withRow(r, 'cors', 'unknown'), 'cors'],
  ['not-ready with nothing failed', (r) => ({ ...r, verdict: 'not-ready', exitCode: 1 }), 'no required row failed'],
  ['a row that is missing', (r) => ({ ...r, checklist: r.checklist.slice(1) }), 'checklist'],
  ['a row that stands there twice', (r) => ({ ...r, checklist: [...r.checklist.slice(0, 25), r.checklist[0]!] }), 'checklist'],
  ['rows in another order', (r) => ({ ...r, checklist: r.checklist.toReversed() }), 'checklist'],
  ['seven boxes', (r) => ({ ...r, boxes: r.boxes.slice(1) }), 'boxes'],
  ['a box ticked over a failed row', (r) => ({ ...withRow(r, 'lifecycle-one', 'fail'), boxes: r.boxes }), 'Not using both'],
  ['a scenario that nobody ran', (r) => ({ ...r, checklist: r.checklist.map((row) => ({ ...row, scenarios: ['ghost'] })) }), 'ghost'],
  ['a high score with a failed critical row', (r) => ({ ...withRow(r, 'https', 'fail'), verdict: 'not-ready', exitCode: 1, score: 80 }), 'score'],
  ['a high score with a failed critical row, waived or not', (r) => ({ ...withWaiver(withRow(r, 'https', 'fail'), 'https'), score: 80 }), 'score'],
  ['a waiver on a row that passed', (r) => withWaiver(r, 'cors'), 'cors'],
  ['not-ready with nothing failed but what is waived', (r) => ({ ...withWaiver(withRow(r, 'cors', 'fail'), 'cors'), verdict: 'not-ready', exitCode: 1 }), 'no required row failed'],
]

describe('what a schema cannot say', () => {
  test('the ground that these cases stand on is valid', () => {
    expect(problemsOf(green())).toBe('')
  })

  test.each(inconsistent)('refuses %s', (_, change, named) => {
    expect(problemsOf(change(green()))).toContain(named)
  })

  test('refuses a pass on nothing examined', () => {
    const check = { id: 'c', rows: [], verdict: 'pass', severity: 'high', because: '', evidence: [], examined: 0 } as const
    const scenario = { ...sampleScenario(), checks: [check] }
    expect(problemsOf({ ...green(), scenarios: [scenario] })).toContain('nothing was examined')
  })

  test('allows ready where all that failed is waived', () => {
    expect(problemsOf({ ...withWaiver(withRow(green(), 'https', 'fail'), 'https'), score: 49 })).toBe('')
  })

  test('allows an interrupted run to end unknown with 130', () => {
    expect(problemsOf({ ...green(), verdict: 'unknown', exitCode: 130 })).toBe('')
  })
})

function sampleScenario(): Result['scenarios'][number] {
  const found = fc.sample(arbitraryResult, { seed: 3, numRuns: 20 }).find((one) => one.scenarios.length > 0)
  return found!.scenarios[0]!
}

describe('as a program', () => {
  const program = path.resolve(import.meta.dirname, '../../harness/report/validate.ts')
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'validate-test-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  async function run(name: string, content: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const file = path.join(folder, name)
    await writeFile(file, content)
    return execute([program, file])
  }

  test('says in one line that a file is valid, and ends 0', async () => {
    const { code, stdout } = await run('good.json', JSON.stringify({ ...green(), runId: 'r1' }))
    expect({ code, stdout: stdout.trimEnd().split('\n').length }).toEqual({ code: 0, stdout: 1 })
    expect(stdout).toContain('run r1')
  })

  test('names what is wrong and ends 1', async () => {
    const { code, stderr } = await run('bad.json', JSON.stringify({ ...green(), exitCode: 2 }))
    expect(code).toBe(1)
    expect(stderr).toContain('exitCode: 2')
  })

  test('a file that is no JSON, or not there, ends 1 with the reason', async () => {
    const broken = await run('broken.json', '{"runId":')
    expect([broken.code, broken.stderr.includes('JSON')]).toEqual([1, true])
    const missing = await execute([program, path.join(folder, 'missing.json')])
    expect([missing.code, missing.stderr.includes('ENOENT')]).toEqual([1, true])
  })

  test('without a file it says how to call it and ends 64', async () => {
    const { code, stderr } = await execute([program])
    expect([code, stderr.includes('Usage')]).toEqual([64, true])
  })
})

function execute(args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}
