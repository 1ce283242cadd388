/** `npm run report`: listing, comparing and pruning folders of runs, by the command itself. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '..')
const names = ['2026-01-01T00-00-00-0001', '2026-01-02T00-00-00-0002', '2026-01-03T00-00-00-0003']
let out = ''

beforeEach(() => {
  out = mkdtempSync(path.join(tmpdir(), 'kept-runs-'))
  for (const name of names) {
    cpSync(path.join(root, 'reports', 'sample'), path.join(out, name), { recursive: true })
    age(path.join(out, name))
  }
  symlinkSync(names[2]!, path.join(out, 'latest'))
})
afterEach(() => rmSync(out, { recursive: true, force: true }))

/** As if nothing had been written to it for a day. */
function age(folder: string): void {
  const yesterday = new Date(Date.now() - 86_400_000)
  for (const name of readdirSync(folder)) utimesSync(path.join(folder, name), yesterday, yesterday)
  utimesSync(folder, yesterday, yesterday)
}

async function report(...args: string[]) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [path.join(root, 'harness/kept-runs.ts'), ...args, '--out', out], { reject: false, stdin: 'ignore' })
  return { exitCode, stdout, stderr }
}

describe('list', () => {
  test('has the newest first, and says what it cannot read', async () => {
    writeFileSync(path.join(out, names[1]!, 'result.json'), '{"schemaVersion": 0}')
    const { stdout, exitCode } = await report('list')
    const lines = stdout.split('\n')
    expect(exitCode).toBe(0)
    expect(lines.map((line) => line.slice(0, names[0]!.length))).toEqual(names.toReversed())
    expect(lines[1]).toContain('a result that this version cannot read')
    expect(lines[0]).toMatch(/UNKNOWN\s+score/)
  })

  test('of no runs says so', async () => {
    rmSync(out, { recursive: true })
    mkdirSync(out)
    expect(await report('list')).toMatchObject({ exitCode: 0, stdout: 'No run is kept here.' })
  })
})

describe('prune', () => {
  test('removes all but the newest, and only runs', async () => {
    mkdirSync(path.join(out, 'mine'))
    expect(await report('prune', '--keep', '1', '--dry-run')).toMatchObject({ stdout: `would remove ${names[1]}\nwould remove ${names[0]}` })
    expect(readdirSync(out)).toHaveLength(5)
    expect(await report('prune', '--keep', '1')).toMatchObject({ exitCode: 0 })
    expect(readdirSync(out).toSorted()).toEqual([names[2], 'latest', 'mine'])
  })

  test('keeps the latest run, and one that may be going on', async () => {
    rmSync(path.join(out, 'latest'))
    symlinkSync(names[0]!, path.join(out, 'latest'))
    writeFileSync(path.join(out, names[1]!, 'history-0001.jsonl'), '')
    expect(await report('prune', '--keep', '1')).toMatchObject({ stdout: 'Nothing to remove.' })
    for (const name of names) expect(existsSync(path.join(out, name))).toBe(true)
  })
})

describe('compare', () => {
  test('names runs by their folder or by a path', async () => {
    const { exitCode, stdout } = await report('compare', names[0]!, path.join(out, names[1]!))
    expect(exitCode).toBe(0)
    expect(stdout).toContain('Nothing is red that was not red before.')
  })
})

describe('nights', () => {
  const nights = (...args: string[]) => report(...args, '--against', path.join(out, 'nights'))

  test('are remembered up to a number, and compared with', async () => {
    const kept = path.join(out, 'nights')
    expect(await report('remember', names[0]!, '--in', kept)).toMatchObject({ exitCode: 0 })
    const [remembered] = readdirSync(kept)
    expect(readdirSync(path.join(kept, remembered!))).toEqual(['result.json'])
    // An older one, a year before.
    const older = '2025-01-01T00-00-00-0001'
    cpSync(path.join(kept, remembered!), path.join(kept, older), { recursive: true })
    const file = path.join(kept, older, 'result.json')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(remembered!, older).replace(/"startedAt": "[^"]*"/, '"startedAt": "2025-01-01T00:00:00.000Z"'))
    expect((await nights('nights', names[0]!)).stdout).toContain(`the night before: ${older}`)
    writeFileSync(file, '{"schemaVersion": 0}')
    expect((await nights('nights', names[0]!)).stdout).toContain('1 of 2 kept nights cannot be read by this version, and are left out.')
    age(path.join(kept, older))
    expect((await report('remember', names[0]!, '--in', kept, '--keep', '1')).stdout).toContain(`forgot ${older}`)
    expect(readdirSync(kept)).toEqual([remembered])
  })

  test('of a run whose name leads elsewhere are not', async () => {
    const file = path.join(out, names[0]!, 'result.json')
    const result = JSON.parse(readFileSync(file, 'utf8')) as { runId: string }
    writeFileSync(file, JSON.stringify({ ...result, runId: '../../elsewhere' }))
    expect(await report('remember', names[0]!, '--in', path.join(out, 'nights'))).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('which is no name of a run; it is not kept.') })
  })
})

test.each<[string, string[], RegExp]>([
  ['JUnit of two runs', ['junit', names[0]!, names[1]!], /^junit writes one file, of one run; name one of them\.$/],
  ['nights without any', ['nights'], /^required option '--against <folder>' not specified\. See: npm run report -- --help$/],
  ['nights that are not there', ['nights', names[0]!, '--against', '/nowhere'], /^--against: \/nowhere cannot be read \(ENOENT\)/],
  ['another gate', ['gate', names[0]!, '--fail-on', 'never'], /Allowed choices are unknown, failure/],
  ['a word that there is not', ['prun'], /^unknown command 'prun' \(Did you mean prune\?\) See: npm run report -- --help$/],
  ['a run that there is not', ['compare', 'a', 'b'], /a is no run: its result\.json cannot be read \(ENOENT\); give a folder below reports\/\.$/],
  ['too little to keep', ['prune', '--keep', '0'], /^--keep takes a whole number from 1, not "0"\.$/],
])('%s is refused in one sentence', async (_name, args, sentence) => {
  const { exitCode, stdout, stderr } = await report(...args)
  expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' })
  expect(stderr).toMatch(sentence)
})
