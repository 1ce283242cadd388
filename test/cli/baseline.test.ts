/** `--baseline-server-bin`: two servers in turn; one that starts late is found to. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { BesideBaseline } from '../../harness/report/baseline.ts'
import { sayNotTested, serverBinary } from '../confine/programs.ts'
import { simulate } from './simulation.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'baseline-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const scenario = path.join(folder, 'starts.ts')
writeFileSync(scenario, `export default {
  id: 'starts', title: 'It starts in time', why: 'It is small.', proves: ['ops-restart'],
  timeoutMs: { quick: 30_000, full: 30_000 }, world: { hops: ['origin'] }, runs: 'beside-others',
  steps: [{ kind: 'create-streams', kinds: ['no-expiry'], each: 1, prefix: 's' }, { kind: 'stop', hop: 'origin', signal: 'SIGTERM', graceMs: 10_000 }, { kind: 'start', hop: 'origin' }],
  healed: [{ kind: 'read-all', streams: '', via: ['origin'] }],
  checks: [{ check: 'nothing-acknowledged-is-lost', limits: {} }, { check: 'ready-within', limits: { readyMs: 5_000 } }],
}
`)

test('a baseline that is none is told as such, and nothing is left of the run', async () => {
  const ended = await simulate([scenario, '--origin', 'reference', '--runtime', 'processes', '--baseline-server-bin', '/nowhere'])
  await using simulation = ended.simulation
  expect(ended.code).toBe(64)
  expect(ended.stderr).toMatch(/^The baseline could not be run: --baseline-server-bin: \/nowhere does not exist; .*\.\n$/m)
  expect(simulation.runFolders()).toEqual([])
})

if (serverBinary === null) sayNotTested('a candidate beside a baseline', 'DURABLE_STREAMS_SERVER_BIN names no production server')

describe.skipIf(serverBinary === null)('a candidate beside the current release', { timeout: 180_000 }, () => {
  /** The same server, which waits before it starts. */
  const late = path.join(folder, 'late-server')
  writeFileSync(late, `#!/bin/sh\n[ "$1" = run ] && sleep 2\nexec '${serverBinary}' "$@"\n`)
  chmodSync(late, 0o755)

  test('that starts late is found to, beyond the noise; the verdict is its own', async () => {
    const ended = await simulate([scenario, '--runtime', 'processes', '--server-bin', late, '--baseline-server-bin', serverBinary!, '--repeat', '4'])
    await using simulation = ended.simulation
    expect(ended.code, ended.stderr.slice(-600)).toBe(2)
    expect(ended.stdout).toMatch(/^UNKNOWN — Only a part of the scenarios was run\./)
    expect(ended.stdout).toMatch(/Nothing fails in the candidate that did not fail in the baseline as well\./)
    expect(ended.stdout).toMatch(/ {2}worse: ready-within of starts: \d+ ms, now [2-4]\.?\d* s: [\d.]+ x \(95 %: /)
    expect(ended.stdout).toMatch(/Different to begin with\n {2}origin: durable-streams-server .* now durable-streams-server /)
    const runs = simulation.runFolders()
    expect(runs).toHaveLength(4)
    const last = path.join(simulation.out, 'latest')
    const compared = JSON.parse(readFileSync(path.join(last, 'beside-baseline.json'), 'utf8')) as BesideBaseline
    expect(compared.candidate.runIds).toEqual(runs.toSorted())
    expect(compared.baseline.runIds.every((id, round) => existsSync(path.join(simulation.out, compared.candidate.runIds[round]!, 'baseline', id, 'report.html')))).toBe(true)
    expect(readFileSync(path.join(last, 'beside-baseline.html'), 'utf8')).toContain('class="worse"')
  })

  test('that is the same is the same', async () => {
    const ended = await simulate([scenario, '--runtime', 'processes', '--server-bin', serverBinary!, '--baseline-server-bin', serverBinary!, '--repeat', '2', '--json'])
    await using _simulation = ended.simulation
    const compared = JSON.parse(ended.stdout) as BesideBaseline & { exitCode: number; verdict: string }
    expect(compared).toMatchObject({ exitCode: 2, verdict: 'unknown', rounds: 2, differently: [] })
    expect(compared.checks.map(({ change }) => change)).toEqual(['same', 'same'])
    // By chance one comparison in twenty says that something moved: that is for the test of many of them.
    expect(compared.figures.map(({ words, ratio }) => [words, ratio !== null])).toEqual([['ready-within', true]])
  })
})
