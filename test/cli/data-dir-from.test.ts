/**
 * `--data-dir-from` by the public command: a data_dir that the production server itself wrote, as it is
 * and with damage planted in it. Without that server only what is refused can be shown.
 */
import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CheckResult } from '../../harness/report/result.ts'
import { sayNotTested, serverBinary } from '../confine/programs.ts'
import { simulate, startSimulation } from './simulation.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'data-dir-from-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('needs the production server', async () => {
  const refused = await simulate(['--data-dir-from', folder, '--origin', 'reference'])
  await using _simulation = refused.simulation
  expect(refused).toMatchObject({ code: 64, stdout: '' })
  expect(refused.stderr).toMatch(/^--data-dir-from .* needs the production server, which could not be had/)
})

test('is needed by its scenario', async () => {
  const refused = await simulate(['copied-data-dir-opens'])
  await using _simulation = refused.simulation
  expect(refused).toMatchObject({ code: 64, stderr: 'copied-data-dir-opens needs --data-dir-from; see: npm run simulate -- --help\n' })
})

if (serverBinary === null) sayNotTested('a copy of a data_dir', 'DURABLE_STREAMS_SERVER_BIN names no production server')

describe.skipIf(serverBinary === null)('a data_dir of the production server', { timeout: 120_000 }, () => {
  const original = path.join(folder, 'original')

  beforeAll(async () => {
    // Without forks and lifetimes, whose restarts the server is known to fail.
    await using simulation = startSimulation(['start-is-ready-in-time', '--runtime', 'processes', '--keep', '--server-bin', serverBinary!])
    await simulation.says('Stop it with Ctrl-C')
    process.kill(-simulation.pid, 'SIGINT')
    await simulation.ended()
    const kept = path.join(simulation.out, 'latest', 'kept')
    const data = readdirSync(kept, { recursive: true, encoding: 'utf8' }).find((name) => path.basename(name) === 'data' && existsSync(path.join(kept, name, 'streams')))
    cpSync(path.join(kept, data!), original, { recursive: true })
  }, 120_000)

  async function opened(dataDir: string): Promise<{ checks: CheckResult[]; code: number | null }> {
    const ended = await simulate(['--data-dir-from', dataDir, '--runtime', 'processes', '--json', '--server-bin', serverBinary!])
    await using _simulation = ended.simulation
    const { scenarios } = JSON.parse(ended.stdout) as { scenarios: { checks: CheckResult[] }[] }
    return { checks: scenarios.flatMap((scenario) => scenario.checks), code: ended.code }
  }

  test('is served whole', async () => {
    const { checks, code } = await opened(original)
    expect(code).toBe(2)
    expect(checks.map(({ id, verdict }) => [id, verdict])).toEqual([['copied-streams-are-whole', 'pass'], ['ready-within', 'pass']])
    expect(checks[0]!.because).toMatch(/^1,000 copied streams were served with all that was acknowledged\.$/)
  })

  test('that lacks a stream is not, also where the server does not start', async () => {
    const damaged = path.join(folder, 'lacks-one')
    cpSync(original, damaged, { recursive: true })
    rmSync(path.join(damaged, 'streams', readdirSync(path.join(damaged, 'streams'))[0]!), { recursive: true })
    const { checks } = await opened(damaged)
    expect(checks[0]).toMatchObject({ verdict: 'fail', value: 1, fingerprint: 'copied-streams-are-whole/file-is-gone/any/copy/origin' })
  })

  test('is not changed, whatever the server makes of the copy', async () => {
    const torn = path.join(folder, 'torn')
    cpSync(original, torn, { recursive: true })
    const segment = path.join(torn, 'streams', readdirSync(path.join(torn, 'streams'))[0]!, 'data.seg')
    appendFileSync(segment, Buffer.from([0, 0, 0, 9, 1, 2]))
    const { size } = statSync(segment)
    await opened(torn)
    expect(statSync(segment).size).toBe(size)
  })

  test('that ends before what was acknowledged is found, also where the server does not start', async () => {
    const short = path.join(folder, 'short')
    cpSync(original, short, { recursive: true })
    const segment = path.join(short, 'streams', readdirSync(path.join(short, 'streams'))[0]!, 'data.seg')
    truncateSync(segment, statSync(segment).size - 1)
    const { checks } = await opened(short)
    expect(checks[0]).toMatchObject({ verdict: 'fail', value: 1, fingerprint: 'copied-streams-are-whole/file-is-short/any/copy/origin' })
  })
})
