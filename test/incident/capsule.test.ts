/** Capsules: written for each failed check, and replayed by the public command, broken and mended. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UsageError } from '../../harness/errors.ts'
import { packConfiguration, readCapsule, saveCapsules, unpackConfigurations, type Capsule } from '../../harness/incident/capsule.ts'
import { replayCode, replayWords, seenIn, wilson, type Seen } from '../../harness/report/replay-words.ts'
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
    file = path.join(capsules, readdirSync(capsules)[0]!)
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
    const mended = await simulate(['--replay', file, '--repeat', '2'])
    expect(mended.stdout).toMatch(/NOT REPRODUCED: .* in 0 of 2 runs \(0 %, 95 % between 0 % and 65\.8 %\)\.$/)
    expect(mended.exitCode).toBe(0)
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

  test('holds configurations without secrets, and puts them back', async () => {
    const own = path.join(folder, 'etc')
    const main = path.join(own, 'Caddyfile')
    const outside = path.join(folder, 'elsewhere')
    writeFileSync(outside, 'x')
    rmSync(own, { recursive: true, force: true })
    mkdirSync(path.join(own, 'parts'), { recursive: true })
    writeFileSync(main, 'import parts/*\nheader Authorization "Bearer geheimgeheim"\n')
    writeFileSync(path.join(own, 'parts', 'log'), 'log\n')
    const caddyfile = await packConfiguration([main, path.join(own, 'parts', 'log'), outside])
    expect(caddyfile.map(({ name }) => name)).toEqual(['Caddyfile', 'parts/log'])
    expect(JSON.stringify(caddyfile)).not.toContain('geheim')
    let where = ''
    {
      await using unpacked = await unpackConfigurations({ ...capsule, configurations: { caddyfile } })
      where = unpacked.files.caddyfile!
      expect(path.basename(where)).toBe('Caddyfile')
      expect(statSync(path.join(path.dirname(where), 'parts', 'log')).size).toBe(4)
    }
    expect(() => statSync(where)).toThrow(/ENOENT/)
  })

  test('that would write elsewhere is not unpacked', async () => {
    const evil = { ...capsule, configurations: { edgeConfig: [{ name: '../../evil', text: '' }] } }
    await expect(unpackConfigurations(evil)).rejects.toThrow(/leads out of its folder; it is not replayed\.$/)
  })

  test.each<[string, string | Uint8Array, RegExp]>([
    ['something else', 'hello', /is no capsule of this version/],
    ['half a one', gzipSync('{"schemaVersion":1}').subarray(0, 20), /cannot be read \(/],
    ['one of another version', '{"schemaVersion": 2}', /is no capsule of this version/],
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

  test('has intervals that are right for none and for all', () => {
    expect(wilson(0, 20)[0]).toBe(0)
    expect(wilson(0, 20)[1]).toBeCloseTo(0.161, 3)
    expect(wilson(20, 20)[1]).toBe(1)
  })
})
