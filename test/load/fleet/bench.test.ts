/** The benchmark's command, with few readers: that it measures, not how much. */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { compilePrograms } from '../../../bench/held-readers/compile.ts'

const entry = path.resolve(import.meta.dirname, '../../../bench/run.ts')
const bench = (...args: string[]) => promisify(execFile)(process.execPath, [entry, ...args])

const compiled = await compilePrograms()
await compiled?.[Symbol.asyncDispose]()
if (!compiled) console.log('No C compiler: the benchmark of the fleet is not tested.')

describe('the benchmark', () => {
  it.runIf(compiled)('holds every subject against the floor', async () => {
    const ids = ['fleet-cpu', 'fleet-spread-p99']
    const { stdout } = await bench('--json', '--rounds', '2', '--readers', '300', ...ids)
    const { benchmarks } = JSON.parse(stdout)
    const measured = benchmarks.map((one: Record<string, unknown>) => `${one.id} ${one.subject}`)
    expect(measured.toSorted()).toEqual([
      'fleet-cpu autocannon',
      'fleet-cpu c-epoll',
      'fleet-cpu fleet',
      'fleet-cpu undici',
      'fleet-spread-p99 c-epoll',
      'fleet-spread-p99 fleet',
      'fleet-spread-p99 undici',
    ])
    for (const { value, floor, ratio, unit, rounds } of benchmarks) {
      expect({ unit, rounds }).toEqual({ unit: expect.stringMatching(/^(s|ms)$/), rounds: 2 })
      expect(value).toBeGreaterThan(0)
      expect(ratio).toBeCloseTo(value / floor, 6)
    }
  })

  it.each([
    [['fleet-cpus'], /no benchmark fleet-cpus/],
    [['--rounds', '0'], /--rounds 0 is not a whole number/],
    [['--quick'], /--quick/],
  ])('refuses %j with 64', async (args, complaint) => {
    const failed = await bench(...args).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 64, stderr: expect.stringMatching(complaint) })
  })
})
