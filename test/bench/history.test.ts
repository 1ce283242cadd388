/** The benchmarks of a long history, with few operations: that they measure, not how much. */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { KillCycles } from '../../bench/kill-cycles/cycles.ts'
import { playOperations } from '../../bench/million-operations/play.ts'
import { Recorder, Sequence } from '../../harness/recorder.ts'
import type { EventBody, HistoryEvent } from '../../harness/history.ts'

const entry = path.resolve(import.meta.dirname, '../../bench/run.ts')
const bench = (...args: string[]) => promisify(execFile)(process.execPath, [entry, ...args])

describe('the benchmark of a long history', () => {
  it('finishes a run and judges it again', async () => {
    const ids = ['finish-after-1m-operations', 'finish-after-1m-operations-memory', 'rejudge-1m-operations', 'rejudge-1m-operations-memory']
    const { stdout } = await bench('--json', '--rounds', '1', '--operations', '5000', ...ids)
    const { benchmarks } = JSON.parse(stdout) as { benchmarks: Record<string, unknown>[] }
    const shape = { subject: 'harness', value: expect.any(Number), min: expect.any(Number), max: expect.any(Number), rounds: 1, floor: null, ratio: null }
    expect(benchmarks).toEqual(ids.map((id) => ({ id, unit: id.endsWith('memory') ? 'MB' : 'ms', ...shape })))
    for (const { value } of benchmarks) expect(value).toBeGreaterThan(0)
  })

  it('refuses a number that is none with 64', async () => {
    const failed = await bench('--operations', '10').catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 64, stderr: expect.stringMatching(/--operations 10 is not a whole number from 1000/) })
  })

  it('plays exactly as many operations as asked for, each with one outcome', async () => {
    const counts = { invoke: 0, ok: 0, fail: 0, info: 0 }
    const count = (event: HistoryEvent) => {
      if ('op' in event) counts[event.kind] += 1
    }
    await playOperations(new Recorder('played', new Sequence(), [{ write: count }]), 12_345)
    expect(counts.invoke).toBe(12_345)
    expect(counts.ok + counts.fail + counts.info).toBe(12_345)
    // Kills left some without an answer.
    expect(counts.info).toBeGreaterThan(0)
  })
})

describe('kill cycles in a history', () => {
  const append: EventBody = { kind: 'ok', op: 'append', id: 1, actor: 'a', stream: 's', incarnation: 1, via: 'origin', invokedAtMs: 0 }
  const lifecycle = (what: 'killed' | 'stopped' | 'started', tookMs = 0): EventBody => ({ kind: 'lifecycle', hop: 'origin', what, tookMs })

  it('are counted from one ready server to the next, and only where it was killed', () => {
    const found = new KillCycles()
    const events: [number, EventBody][] = [
      [0, lifecycle('started', 50)],
      [40, append],
      [55, lifecycle('killed')],
      [130, lifecycle('started', 70)],
      [150, append],
      [160, lifecycle('stopped')],
      [300, lifecycle('started', 90)],
      [340, append],
      [345, lifecycle('killed')],
      [400, lifecycle('started', 50)],
    ]
    events.forEach(([atMs, body], index) => found.take({ ...body, seq: index + 1, atMs, scenario: 's' } as HistoryEvent))
    expect(found.cycles).toEqual([
      { tookMs: 130, ownMs: 20 },
      { tookMs: 100, ownMs: 10 },
    ])
  })
})
