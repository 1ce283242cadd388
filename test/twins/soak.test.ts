/**
 * Planted growth is found by the public command, in time that is compressed: what leaks much in
 * seconds here leaks little in minutes elsewhere. The sound base is the same program that breaks
 * nothing; what is red on it (a run so short tells little of what holds, but alarms nothing) is red on
 * the twins as well.
 */
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CheckResult } from '../../harness/report/result.ts'
import { judgePlanted } from './judge-planted.ts'

const program = path.join(import.meta.dirname, 'programs', 'broken-origin.ts')

async function soaked(twin: string): Promise<CheckResult[]> {
  const args = ['--profile', 'soak', '--for', '70s', '--seed', '1', '--origin', 'reference']
  const env = { DURABLE_STREAMS_TWIN_ORIGIN: program, TWIN: twin, DURABLE_STREAMS_TWIN_SIDE_BY_SIDE: '1' }
  const { scenarios } = await judgePlanted(args, env, 200_000)
  expect(scenarios.map(({ id }) => id)).toEqual(['soak'])
  return scenarios[0]!.checks
}

/** Checks by what they found, of the fingerprint as much as does not hang on the moment. */
function red(checks: CheckResult[]): string[] {
  const failed = checks.filter(({ verdict }) => verdict === 'fail')
  return [...new Set(failed.map(({ id, fingerprint }) => (id === 'nothing-drifts' ? fingerprint!.split('/').slice(0, 2).join('/') : id)))].toSorted()
}

const twins: [string, string[]][] = [
  // At once, as a soak takes its time; each of them makes its own check red and no other.
  ['leaks-everything', ['nothing-drifts/disk', 'nothing-drifts/handles', 'nothing-drifts/latency', 'nothing-drifts/memory']],
  ['drops-one-append-after-a-restart', ['live-readers-miss-nothing', 'nothing-acknowledged-is-lost']],
]

let base: Promise<CheckResult[]> | undefined

/** One run for all, and another one the next time where something was red on this one. */
async function redOnBase(): Promise<string[]> {
  const found = red(await (base ??= soaked('none')))
  if (found.length > 0) base = undefined
  return found
}

// A machine that is busy with other tests can make a growth of seconds too short to tell.
describe.concurrent('a soak of seconds', () => {
  it('is not red on an origin that is sound', { timeout: 240_000, retry: 1 }, async () => {
    expect(await redOnBase()).toEqual([])
  })

  it.each(twins)('on an origin that %s finds just that', { timeout: 240_000, retry: 1 }, async (twin, reddens) => {
    expect(await redOnBase()).toEqual([])
    expect(red(await soaked(twin))).toEqual(reddens)
  })
})
