/** Capsules: written for each failed check, and replayed by the public command, broken and mended. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSources } from '../../harness/confine/caddyfile.ts'
import { UsageError } from '../../harness/errors.ts'
import { packConfiguration, readCapsule, saveCapsules, unpackConfigurations, type Capsule } from '../../harness/incident/capsule.ts'
import { until } from '../../harness/until.ts'
import { foundLines, othersIn, replayCode, replayLine, replayWords, seenIn, wilson, type Seen } from '../../harness/report/replay-words.ts'
import type { Result } from '../../harness/report/result.ts'

const root = path.join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(path.join(tmpdir(), 'capsule-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const broken = { DURABLE_STREAMS_TWIN_ORIGIN: path.join(root, 'test/twins/programs/broken-origin.ts'), TWIN: 'drops-one-append' }

async function simulate(args: string[], env: Record<string, string> = {}) {
  const out = path.join(folder, 'runs')
  return execa(process.execPath, [path.join(root, 'harness/cli.ts'), ...args, '--origin', 'reference', '--runtime', 'processes', '--out', out], { env, reject: false, stdin: 'ignore' })
}

describe('a failed check', { timeout: 120_000 }, () => {
  let file = ''

  beforeAll(async () => {
    const ran = await simulate(['restart-keeps-forks', '--seed', '7'], broken)
    expect(ran.exitCode, ran.stderr.slice(-500)).toBe(2)
    const capsules = path.join(folder, 'runs', 'latest', 'capsules')
    expect(readdirSync(capsules)).toEqual(['capsule.restart-keeps-forks.nothing-acknowledged-is-lost.json.gz'])
    file = path.join(realpathSync(capsules), readdirSync(capsules)[0]!)
  }, 120_000)

  test('leaves a small capsule with all that made it', async () => {
    expect(statSync(file).size).toBeLessThan(20_000)
    const capsule = await readCapsule(file)
    expect(capsule).toMatchObject({ seed: 7, edge: 'varnish', configurations: {}, sizes: { profile: 'quick', readers: 10_000 }, scenario: { id: 'restart-keeps-forks' }, failure: { check: 'nothing-acknowledged-is-lost' } })
    expect(capsule.failure.fingerprint).toMatch(/^nothing-acknowledged-is-lost\/lost\//)
  })

  test('is seen again in what is broken still, and not in what is mended', async () => {
    const again = await simulate(['--replay', file], broken)
    expect(again.stdout).toMatch(/STILL FAILING: nothing-acknowledged-is-lost\/lost\/.* of restart-keeps-forks\.$/)
    expect(again.exitCode).toBe(1)
    // Not the verdict on all rows, of which nothing else was run.
    expect(again.stdout).toMatch(/^!! REFERENCE SERVER[^]*\n✖ 1 acknowledged append of 1 stream \(forked\) was missing[^]*\nReport .*report\.html\n!! REFERENCE SERVER/)
    expect(again.stdout).not.toContain('exit code')
    const mended = await simulate(['--replay', file, '--repeat', '2'])
    expect(mended.stdout).toMatch(/NOT REPRODUCED: .* in 0 of 2 runs \(0 %, 95 % between 0 % and 65\.8 %\); timings were moved by up to 2 ms in 1 of them\.$/)
    expect(mended.exitCode).toBe(0)
  })

  test('is told before its world is left running, and ends with its own code', async () => {
    const replay = execa(process.execPath, [path.join(root, 'harness/cli.ts'), '--replay', file, '--keep', '--origin', 'reference', '--runtime', 'processes', '--out', path.join(folder, 'runs')], { env: broken, reject: false, stdin: 'ignore' })
    let [told, said] = ['', '']
    replay.stdout.on('data', (chunk: Buffer) => void (told += chunk.toString()))
    replay.stderr.on('data', (chunk: Buffer) => void (said += chunk.toString()))
    await until(() => said.includes('Stop it with Ctrl-C'), { for: 'the kept world', timeoutMs: 60_000 })
    expect(told).toMatch(/\n✖ 1 acknowledged append of 1 stream \(forked\) was missing[^]*\nSTILL FAILING: .* of restart-keeps-forks\.\n$/)
    expect(said).toContain('Kept: the temporary data')
    replay.kill('SIGINT')
    expect(await replay).toMatchObject({ exitCode: 1, stdout: told.trimEnd() })
  })

  test('is made as short as it still fails, as a scenario that fails by itself and on nothing that is sound', async () => {
    const shrunk = await simulate(['--replay', file, '--shrink', '--for', '60s'], broken)
    expect(shrunk.exitCode, shrunk.stderr.slice(-500)).toBe(1)
    expect(shrunk.stdout).toMatch(/^8 steps became [1-4], in .*\nBefore it failed in 3 of 3 runs, now in /)
    const written = path.join(file.replace('.json.gz', '.shrunk'), 'restart-keeps-forks-shrunk.ts')
    const verdictOn = async (env: Record<string, string>) => {
      const ran = await simulate([written, '--seed', '7', '--json'], env)
      return (JSON.parse(ran.stdout) as Result).scenarios.flatMap(({ checks }) => checks.map(({ id, verdict }) => [id, verdict]))
    }
    expect(readFileSync(written, 'utf8')).toContain("copy it to scenarios/restart-keeps-forks-shrunk.ts, and import from '../harness/scenario.ts'")
    expect(await verdictOn(broken)).toEqual([['nothing-acknowledged-is-lost', 'fail']])
    expect(await verdictOn({})).toEqual([['nothing-acknowledged-is-lost', 'pass']])
  })

  test('is as short as it was by then where the search is interrupted', async () => {
    const out = path.join(folder, 'runs')
    const search = execa(process.execPath, [path.join(root, 'harness/cli.ts'), '--replay', file, '--shrink', '--for', '5m', '--origin', 'reference', '--runtime', 'processes', '--out', out], { env: broken, reject: false, stdin: 'ignore' })
    let said = ''
    search.stderr.on('data', (chunk: Buffer) => void (said += chunk.toString()))
    await until(() => said.includes('steps still fail'), { for: 'a shorter one', timeoutMs: 60_000 })
    search.kill('SIGINT')
    const ended = await search
    expect(ended).toMatchObject({ exitCode: 130 })
    expect(ended.stdout).toMatch(/^8 steps became \d, in .*, when time was over\.\n.*now in an unknown share/)
    expect(readFileSync(path.join(file.replace('.json.gz', '.shrunk'), 'restart-keeps-forks-shrunk.ts'), 'utf8')).toContain("id: 'restart-keeps-forks-shrunk'")
  })
})

const capsule: Capsule = {
  schemaVersion: 1,
  harness: { version: '0', commit: null, dirty: false },
  runId: 'r',
  subject: { kind: 'reference', version: '1', hops: [] },
  runtime: 'processes',
  seed: 1,
  sizes: { profile: 'quick', forMs: 1, readers: 1, streams: 1, staleMs: 1 },
  edge: 'varnish',
  configurations: {},
  scenario: { id: 's' } as Capsule['scenario'],
  failure: { check: 'c', fingerprint: 'c/x/any/none/origin', because: 'It was.', evidence: [] },
}

describe('a capsule', () => {
  test('of one check asked twice has a name of its own, and one too large is not kept', async () => {
    // What is random cannot be packed.
    const evidence = Array.from({ length: 30 }, () => randomBytes(60_000).toString('base64'))
    const large = { ...capsule, failure: { ...capsule.failure, evidence } }
    expect(await saveCapsules(path.join(folder, 'twice'), [capsule, capsule, large])).toEqual(['capsule.s.c.3.json.gz'])
    expect(readdirSync(path.join(folder, 'twice', 'capsules')).toSorted()).toEqual(['capsule.s.c.2.json.gz', 'capsule.s.c.json.gz'])
  })

  test('holds configurations without secrets, and puts them back where includes find them, by whatever path', async () => {
    const etc = path.join(folder, 'etc')
    rmSync(etc, { recursive: true, force: true })
    mkdirSync(path.join(etc, 'sites', 'parts'), { recursive: true })
    const main = path.join(etc, 'sites', 'Caddyfile')
    writeFileSync(main, `import parts/*\nimport ../common\nimport ${etc}/sites/parts/log\nheader Authorization "Bearer geheimgeheim"\n`)
    writeFileSync(path.join(etc, 'sites', 'parts', 'log'), 'log\n')
    writeFileSync(path.join(etc, 'common'), 'x')
    const caddyfile = await packConfiguration([main, path.join(etc, 'sites', 'parts', 'log'), path.join(etc, 'common')])
    expect(caddyfile.map(({ name }) => name)).toEqual(['sites/Caddyfile', 'sites/parts/log', 'common'])
    expect(JSON.stringify(caddyfile)).not.toContain('geheim')
    expect(JSON.stringify(caddyfile)).not.toContain(etc)
    const elsewhere = path.join(folder, 'colleague')
    const { caddyfile: where } = await unpackConfigurations({ configurations: { caddyfile } }, elsewhere)
    expect(where).toBe(path.join(elsewhere, 'caddyfile', 'sites', 'Caddyfile'))
    const imports = readFileSync(where!, 'utf8').split('\n').filter((line) => line.startsWith('import'))
    expect(imports).toEqual(['import parts/*', 'import ../common', `import ${elsewhere}/caddyfile/sites/parts/log`])
    expect(readSources(where!).files.map((file) => path.relative(elsewhere, file))).toEqual(['caddyfile/sites/Caddyfile', 'caddyfile/sites/parts/log', 'caddyfile/common'])
  })

  test('that would write elsewhere is not unpacked', async () => {
    const evil = { ...capsule, configurations: { edgeConfig: [{ name: '../../evil', text: '' }] } }
    await expect(unpackConfigurations(evil, path.join(folder, 'evil', 'inside'))).rejects.toThrow(/leads out of its folder; it is not replayed\.$/)
  })

  test.each<[string, string | Uint8Array, RegExp]>([
    ['something else', 'hello', /is no capsule of this version/],
    ['half a one', gzipSync('{"schemaVersion":1}').subarray(0, 20), /cannot be read \(/],
    ['one of another version', '{"schemaVersion": 2}', /is no capsule of this version/],
    ['one whose scenario is named like a path', JSON.stringify({ ...capsule, scenario: { id: '../../evil' } }), /is no capsule of this version: .*names no file/],
    ['one that unpacks without end', gzipSync(Buffer.alloc(70 * 1024 ** 2)), /cannot be read \(ERR_BUFFER_TOO_LARGE\)/],
  ])('is not %s', async (_name, content, sentence) => {
    const file = path.join(folder, 'other.json.gz')
    writeFileSync(file, content)
    const refused = await readCapsule(file).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(UsageError)
    expect((refused as Error).message).toMatch(sentence)
  })
})

describe('a replay', () => {
  const failure = { scenario: 's', check: 'c', fingerprint: 'c/x/any/none/origin' }
  const result = (...checks: [id: string, verdict: string, fingerprint?: string][]) =>
    ({ scenarios: [{ id: 's', checks: checks.map(([id, verdict, fingerprint]) => ({ id, verdict, fingerprint })) }] }) as unknown as Result

  test.each<[string, Result, Seen]>([
    ['the same fingerprint is seen again', result(['c', 'fail', 'c/x/any/none/origin'], ['d', 'pass']), 'again'],
    ['the check passed', result(['c', 'pass'], ['d', 'unknown']), 'fixed'],
    ['it failed in another way', result(['c', 'fail', 'c/y/any/none/origin']), 'otherwise'],
    ['another check failed', result(['c', 'pass'], ['d', 'fail', 'd/x/any/none/origin']), 'otherwise'],
    ['it could not be judged', result(['c', 'unknown']), 'unknown'],
    ['it was not asked', result(['d', 'pass']), 'unknown'],
  ])('where %s', (_name, ran, seen) => expect(seenIn(ran, failure)).toBe(seen))

  test('ends with 1 while it fails, 0 when all runs passed, else 2', () => {
    expect([replayCode(['fixed', 'again']), replayCode(['otherwise']), replayCode(['fixed', 'fixed']), replayCode(['fixed', 'unknown']), replayCode([])]).toEqual([1, 1, 0, 2, 2])
  })

  test('tells the rate with its interval', () => {
    const words = replayWords(failure, [...Array<Seen>(17).fill('again'), 'fixed', 'fixed', 'unknown'])
    expect(words).toBe('STILL FAILING: c/x/any/none/origin of s in 17 of 20 runs (85 %, 95 % between 64 % and 94.8 %); 1 could not be judged.')
  })

  test('tells whether it took moved timings to see it', () => {
    const words = replayWords(failure, ['fixed', 'again', 'again', 'fixed'], { movedMs: [0, 2, 8, 0] })
    expect(words).toMatch(/ in 2 of 4 runs .*; with timings as they were in 0 of 2, moved by up to 8 ms in 2 of 2\.$/)
  })

  test('tells how it failed otherwise: in the same check, or else in others', () => {
    const otherwise = result(['c', 'fail', 'c/y/any/none/origin'], ['d', 'fail', 'd/x/any/none/origin'])
    expect(othersIn(otherwise, failure)).toEqual(['c/y/any/none/origin'])
    expect(othersIn(result(['c', 'pass'], ['d', 'fail', 'd/x/any/none/origin']), failure)).toEqual(['d/x/any/none/origin'])
    expect(othersIn(result(['c', 'fail', failure.fingerprint], ['d', 'fail', 'd/x/any/none/origin']), failure)).toEqual([])
    expect(replayWords(failure, ['otherwise'], { others: ['c/y/any/none/origin'] })).toBe('FAILS OTHERWISE than in the capsule: c/x/any/none/origin of s (c/y/any/none/origin).')
    expect(replayWords(failure, ['again', 'otherwise', 'otherwise'], { others: ['c/y', 'c/y'] })).toContain('; 2 failed otherwise (c/y)')
    expect(replayWords(failure, ['otherwise', 'otherwise'], { others: ['1', '2', '3', '4', '5'] })).toContain('(1, 2, 3, and 2 more)')
  })

  test('tells what one run found: its own check first, with its evidence', () => {
    const check = (id: string, because: string, evidence: string[] = []) => ({ id, verdict: 'fail', because, evidence })
    const checks = [check('a', 'A.'), check('b', 'B.'), check('c', 'C is lost.', ['1', '2', '3', '4']), check('d', 'D.')]
    const found = { banners: ['TWIN'], scenarios: [{ id: 's', checks }] } as unknown as Result
    expect(foundLines(found, failure, 'r/report.html')).toEqual(['!! TWIN', '✖ C is lost.', '    1', '    2', '    3', '✖ A.', '✖ B.', 'and 1 more failed check', 'Report r/report.html', '!! TWIN'])
    expect(replayLine('again', { nth: 3, of: 20, tookMs: 4_100 })).toBe('Run 3 of 20, 4.1 s: STILL FAILING')
  })

  test('of which no run came to its end is not judged', () => {
    expect(replayWords(failure, [])).toBe('NOT JUDGED: c/x/any/none/origin of s; no run came to its end.')
  })

  test('has intervals that are right for none and for all', () => {
    expect(wilson(0, 20)[0]).toBe(0)
    expect(wilson(0, 20)[1]).toBeCloseTo(0.161, 3)
    expect(wilson(20, 20)[1]).toBe(1)
  })
})
