/** An incident from its log to its replay, by the public commands. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, describe, expect, test } from 'vitest'
import type { CheckResult } from '../../harness/report/result.ts'

const root = path.join(import.meta.dirname, '..', '..')
const incident = path.join(root, 'harness', 'incident', 'incident.ts')
const out = mkdtempSync(path.join(tmpdir(), 'incident-'))
afterAll(() => rmSync(out, { recursive: true, force: true }))
const name = 'replayed'

/** What a server was asked in two seconds. `refused` is the status of the last request. */
function log(refused: number): string {
  const line = (at: number, request: string, status: number, contentLength = 0) =>
    JSON.stringify({ msec: 1_795_600_000 + at, request_time: 0.001, request: `${request} HTTP/1.1`, status, content_length: contentLength, http_content_type: 'text/plain' })
  return [
    line(0, 'PUT /v1/stream/replayed', 201),
    ...Array.from({ length: 20 }, (_, n) => line(0.2 + n * 0.05, 'POST /v1/stream/replayed', 204, 300)),
    line(1.3, 'GET /v1/stream/replayed?offset=-1', 200),
    line(1.4, 'HEAD /v1/stream/replayed', 200),
    line(1.5, 'DELETE /v1/stream/replayed', 204),
    line(2, 'GET /v1/stream/replayed?offset=-1', refused),
  ].join('\n')
}

async function command(...args: string[]) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [incident, ...args], { reject: false, stdin: 'ignore' })
  return { exitCode, stdout, stderr }
}

async function replayed(refused: number): Promise<CheckResult> {
  const file = path.join(out, 'access.log')
  writeFileSync(file, log(refused))
  const made = await command('import', file, '--name', name, '--out', out, '--force', '--speed', '2x')
  expect(made).toMatchObject({ exitCode: 0, stderr: '' })
  const runs = path.join(out, 'runs')
  const ran = await execa(process.execPath, [path.join(root, 'harness/cli.ts'), path.join(out, `${name}.ts`), '--origin', 'reference', '--runtime', 'processes', '--out', runs, '--json'], { reject: false, stdin: 'ignore' })
  expect(ran.exitCode, ran.stderr.slice(-500)).toBe(2)
  const { scenarios } = JSON.parse(ran.stdout) as { scenarios: { checks: CheckResult[] }[] }
  return scenarios[0]!.checks[0]!
}

describe('an incident', { timeout: 60_000 }, () => {
  test('is replayed, and answered as it was', async () => {
    expect(await replayed(404)).toMatchObject({ id: 'answers-are-as-recorded', verdict: 'pass', examined: 25, because: '25 of 25 answers were as recorded.' })
  })

  test('that goes otherwise today is drift', async () => {
    const check = await replayed(200)
    expect(check).toMatchObject({ verdict: 'fail', value: 1, limit: 0, fingerprint: 'answers-are-as-recorded/200-now-404/any/none/get' })
    expect(check.because).toMatch(/^1 of 25 answers \(4 %\) differ from the recorded ones, most of them GET 200, now 404\.$/)
  })

  test('is not written over, nor spoiled by an import that fails', async () => {
    const scenario = readFileSync(path.join(out, `${name}.ts`), 'utf8')
    const recording = readFileSync(path.join(out, `${name}.recording.jsonl`), 'utf8')
    const empty = path.join(out, 'empty.log')
    writeFileSync(empty, 'nothing\n')
    expect(await command('import', empty, '--name', name, '--out', out)).toMatchObject({ exitCode: 64, stdout: '', stderr: expect.stringMatching(/^There is a scenario .*; give another --name, or --force to write over it\.$/) as string })
    expect(await command('import', empty, '--name', name, '--out', out, '--force')).toMatchObject({ exitCode: 64, stdout: '' })
    expect(readFileSync(path.join(out, `${name}.ts`), 'utf8')).toBe(scenario)
    expect(readFileSync(path.join(out, `${name}.recording.jsonl`), 'utf8')).toBe(recording)
    expect(existsSync(path.join(out, `${name}.recording.jsonl.partial`))).toBe(false)
  })

  test.each<[string, string[], RegExp]>([
    ['a name that is none', ['--name', 'Über uns'], /^--name takes small letters, digits and dashes, not "Über uns"\.$/],
    ['a time that is none', ['--name', 'x1', '--from', 'gestern'], /^--from takes a time as 2026-05-04T10:00:00Z, not "gestern"\.$/],
    ['a speed that is none', ['--name', 'x1', '--speed', '0'], /^--speed takes a factor up to 1000, as 10x, not "0"\.$/],
    ['no name', [], /^required option '--name <id>' not specified\. See: npm run incident -- import --help$/],
  ])('with %s is refused in one sentence', async (_name, args, sentence) => {
    const refused = await command('import', path.join(out, 'access.log'), ...args, '--out', out)
    expect(refused).toMatchObject({ exitCode: 64, stdout: '' })
    expect(refused.stderr).toMatch(sentence)
  })
})
