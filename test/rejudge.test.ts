/** Judging a run again: a real run of a small scenario, and what becomes of it when its history is doctored. */
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UsageError } from '../harness/errors.ts'
import type { HistoryEvent } from '../harness/history.ts'
import { rejudge } from '../harness/rejudge.ts'
import { validateResult } from '../harness/report/validate.ts'
import { RunJudge } from '../harness/run-judge.ts'

const harness = path.join(import.meta.dirname, '..', 'harness')
let root = ''
let run = ''

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'rejudge-'))
  const config = path.join(root, 'simulate.config.mjs')
  const waivers = [{ row: 'cors', reason: 'No browsers here.', until: new Date(Date.now() + 86_400_000).toISOString().slice(0, 10) }, { row: 'https', reason: 'Until the move.', until: '2026-01-31' }]
  await writeFile(config, `export default ${JSON.stringify({ streams: 40, waivers })}`)
  const args = [path.join(harness, 'cli.ts'), 'start-is-ready-in-time', '--origin', 'reference', '--config', config, '--out', path.join(root, 'runs')]
  const { exitCode, stderr } = await execa(process.execPath, args, { reject: false, stdin: 'ignore' })
  expect({ exitCode, stderr: exitCode === 2 ? '' : stderr }).toEqual({ exitCode: 2, stderr: '' })
  run = path.join(root, 'runs', 'latest')
}, 120_000)
afterAll(() => rm(root, { recursive: true, force: true }))

let copies = 0

/** A copy of the run whose history's lines went through `doctor`. */
async function doctored(doctor: (lines: string[]) => string[]): Promise<string> {
  copies += 1
  const folder = path.join(root, `doctored-${copies}`)
  await cp(`${run}/`, folder, { recursive: true })
  const file = path.join(folder, 'history-0001.jsonl')
  await writeFile(file, doctor((await readFile(file, 'utf8')).split('\n')).join('\n'))
  return folder
}

/** Replaces the last event for which `change` returns one. */
function changeLast(lines: string[], change: (event: HistoryEvent) => HistoryEvent | null): string[] {
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    const changed = lines[at] === '' ? null : change(JSON.parse(lines[at]!) as HistoryEvent)
    if (changed !== null) return lines.with(at, JSON.stringify(changed))
  }
  throw new Error('the history holds no such event')
}

function verdictsOf(result: { scenarios: { checks: { id: string; verdict: string; fingerprint?: string | undefined }[] }[] }) {
  return result.scenarios.flatMap(({ checks }) => checks.map(({ id, verdict, fingerprint }) => [id, verdict, fingerprint]))
}

async function command(...args: string[]) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [path.join(harness, 'rejudge.ts'), ...args], { reject: false, stdin: 'ignore' })
  return { exitCode, stdout, stderr }
}

async function hashes(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => entry.name)
  const hash = async (name: string) => `${name} ${createHash('sha256').update(await readFile(path.join(folder, name))).digest('hex')}`
  return Promise.all(names.toSorted().map(hash))
}

describe('a run that is judged again', () => {
  it('is judged the same', async () => {
    const { saved, result, condition, differences } = await rejudge(run)
    expect(verdictsOf(saved)).toEqual([
      ['ready-within', 'pass', undefined],
      ['nothing-acknowledged-is-lost', 'pass', undefined],
    ])
    expect(differences).toEqual([])
    expect(condition).toMatchObject({ files: 1, torn: false, damage: [] })
    // All that is made from the history, not the verdicts alone.
    expect(result.scenarios).toEqual(saved.scenarios)
    expect(result.checklist).toEqual(saved.checklist)
    expect(result).toMatchObject({ verdict: saved.verdict, because: saved.because, score: saved.score, exitCode: saved.exitCode, notRun: saved.notRun })
  })

  it('has the waivers of its own day, and is repeated with its configuration', async () => {
    const { saved, result } = await rejudge(run)
    expect(saved.waivers!.map(({ row, state }) => `${row} ${state}`)).toEqual(['cors counts', 'https expired'])
    expect(result.waivers).toEqual(saved.waivers)
    expect(saved.checklist.filter(({ waived }) => waived).map(({ id }) => id)).toEqual(['cors'])
    expect(saved.because).toMatch(/Waived, and not counted: cors \(unknown; No browsers here; until .*Waiver expired, so that the row counts again: https \(unknown; it had been waived until 2026-01-31: Until the move\)\.$/)
    expect(saved.checklist.find(({ id }) => id === 'ops-restart')!.reproduce).toMatch(/--config \S+\/simulate\.config\.mjs --seed \d+ --runtime processes --origin reference$/)
    expect(saved.scope).toContain(`Settings: ${path.join(root, 'simulate.config.mjs')}.`)
  })

  it('is judged with its own scenario, whatever the scenarios are today', async () => {
    const stricter = await doctored((lines) => lines.map((line) => line.replace('"readyMs":5000', '"readyMs":1')))
    expect((await rejudge(stricter)).result.scenarios[0]!.checks[0]).toMatchObject({ id: 'ready-within', verdict: 'fail', fingerprint: 'ready-within/slow/any/restart/origin' })
  })

  it('is left as it was, and written anew only where that is asked for', async () => {
    const before = await hashes(run)
    const out = path.join(root, 'again', 'deep')
    const { exitCode, stdout } = await command(run, '--out', out)
    expect(exitCode).toBe(2)
    expect(stdout).toMatch(/^UNKNOWN: The reference server was judged.*\nJudged again .*: 1 scenario, 2 checks, [\d,]+ events; score \d+\.\nThe saved result says the same\.$/)
    expect(await hashes(run)).toEqual(before)
    expect((await readdir(out)).toSorted()).toEqual(['report.html', 'result.json'])
    const written: unknown = JSON.parse(await readFile(path.join(out, 'result.json'), 'utf8'))
    expect(validateResult(written)).toMatchObject({ valid: true })
    expect(JSON.parse((await command(run, '--json')).stdout)).toEqual(written)
  })
})

describe('a doctored history', () => {
  it('turns the right check red, and says where that differs', async () => {
    const folder = await doctored((lines) =>
      changeLast(lines, (event) => {
        if (event.kind !== 'ok' || event.op !== 'read' || event.read!.records.length < 2) return null
        return { ...event, read: { ...event.read!, records: event.read!.records.slice(0, -1) } }
      }),
    )
    const { result } = await rejudge(folder)
    const fingerprint = expect.stringMatching(/^nothing-acknowledged-is-lost\/lost\/no-expiry\/\w+\/origin$/) as string
    expect(verdictsOf(result)).toEqual([
      ['ready-within', 'pass', undefined],
      ['nothing-acknowledged-is-lost', 'fail', fingerprint],
    ])
    const { exitCode, stdout } = await command(folder)
    expect(exitCode).toBe(2)
    expect(stdout).toContain('The saved result differs:\n')
    expect(stdout).toContain('  scenario start-is-ready-in-time: pass, now fail')
    expect(stdout).toContain('  check nothing-acknowledged-is-lost of start-is-ready-in-time: pass, now fail: 1 acknowledged')
    expect(stdout).toContain('  row persistence-data-dir: unknown, now fail')
  })

  it.each<[string, (lines: string[]) => string[], string]>([
    ['in half a line', (lines) => [...lines.slice(0, -4), lines.at(-4)!.slice(0, -30)], 'in half a line'],
    ['between two lines', (lines) => [...lines.slice(0, 3_000), ''], 'before the run does'],
  ])('that ends %s is of a run that died: unknown, with that reason', async (_, cut, told) => {
    const { result } = await rejudge(await doctored(cut))
    expect(result).toMatchObject({ verdict: 'unknown', exitCode: 2 })
    expect(result.because).toContain(`The run died, or has not ended: its history ends ${told}.`)
    expect(result.scenarios[0]).toMatchObject({ id: 'start-is-ready-in-time', verdict: 'unknown' })
    expect(result.scenarios[0]!.because).toContain('The scenario stopped early: the run died before the scenario had ended')
  })

  it('keeps its failures, and loses its passes, where an event is missing', async () => {
    const { result } = await rejudge(await doctored((lines) => lines.toSpliced(100, 1).map((line) => line.replace('"readyMs":5000', '"readyMs":1'))))
    expect(result.because).toContain('The history is damaged: event 101 is not where it should be')
    expect(verdictsOf(result).map(([, verdict]) => verdict)).toEqual(['fail', 'unknown'])
  })

  it('that lost a whole scenario lists it as not judged', async () => {
    const { result } = await rejudge(await doctored((lines) => [lines[0]!, '']))
    expect(result.scenarios).toEqual([])
    expect(result.notRun[0]).toMatchObject({ id: 'start-is-ready-in-time', because: 'The history holds no event of it.' })
  })
})

describe('what cannot be judged again', () => {
  it.each<[string, (folder: string) => Promise<void>, RegExp]>([
    ['a folder without a result', (folder) => rm(path.join(folder, 'result.json')), /is no run: its result\.json cannot be read \(ENOENT\)/],
    ['a result that is none', (folder) => writeFile(path.join(folder, 'result.json'), '{"runId":1}'), /is no result of this version/],
    ['half a result', (folder) => truncate(path.join(folder, 'result.json'), 100), /is no result of this version/],
    ['a run without a history', (folder) => rm(path.join(folder, 'history-0001.jsonl')), /holds no history/],
    ['a history without its beginning', (folder) => writeFile(path.join(folder, 'history-0001.jsonl'), ''), /its beginning is gone, or an older version wrote it/],
  ])('%s is the user to mend', async (_, spoil, told) => {
    const folder = await doctored((lines) => lines)
    await spoil(folder)
    const thrown = await rejudge(folder).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(UsageError)
    expect((thrown as Error).message).toMatch(told)
  })

  it('a check that is not known any more is named', async () => {
    const folder = await doctored((lines) => lines.map((line) => line.replace('"check":"ready-within"', '"check":"ready-soon"')))
    await expect(rejudge(folder)).rejects.toThrow(/cannot be judged by this version: no check is called "ready-soon"/)
  })

  it.each([
    [[], /Give one run's folder/],
    [['a', 'b'], /Give one run's folder/],
    [['--over', 'a'], /--over/],
    [['/nowhere'], /\/nowhere is no run/],
  ])('%j ends with 64 and one line', async (args, told) => {
    const { exitCode, stdout, stderr } = await command(...args)
    expect({ exitCode, stdout, lines: stderr.trim().split('\n').length }).toEqual({ exitCode: 64, stdout: '', lines: 1 })
    expect(stderr).toMatch(told)
  })

  it('a folder that cannot be written ends with 64', async () => {
    const file = path.join(root, 'a-file')
    await writeFile(file, '')
    expect(await command(run, '--out', path.join(file, 'below'))).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('Nothing can be written') })
  })
})

describe('scenarios side by side', () => {
  const facts = { audits: [], originKind: 'reference', partial: false, twins: [], reproduceOptions: '' } as const
  const begin = (id: string) => ({ kind: 'scenario', phase: 'begin', asserts: { id, title: id, why: '', proves: ['ops-restart'], checks: [{ check: 'ready-within', limits: { readyMs: 100 } }] } })
  const started = (tookMs: number) => ({ kind: 'lifecycle', hop: 'origin', what: 'started', tookMs })
  const end = { kind: 'scenario', phase: 'end', stoppedBecause: null }

  it('are judged each by its own events, and not by what comes after its end', () => {
    const judge = new RunJudge()
    const events: [scenario: string, body: object][] = [
      ['', { kind: 'run', phase: 'begin', facts }],
      ['a', begin('a')],
      ['b', begin('b')],
      ['a', started(50)],
      ['b', started(200)],
      ['a', end],
      ['a', started(900)],
      ['b', started(60)],
    ]
    events.forEach(([scenario, body], index) => judge.write({ ...body, scenario, seq: index + 1, atMs: index * 10 } as HistoryEvent))
    expect(judge.resultOf('a')).toMatchObject({ verdict: 'pass', startedAtMs: 10, durationMs: 0 })
    expect(() => judge.resultOf('b')).toThrow(/does not hold the end of scenario "b"/)
    judge.endOpen('it was cut')
    expect(judge.scenarios.map(({ id, verdict }) => [id, verdict])).toEqual([['a', 'pass'], ['b', 'fail']])
    expect(judge.end).toBeNull()
  })
})
