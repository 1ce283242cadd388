/**
 * The one clock of a run. `CLOCK_MONOTONIC` is the same for every process of one machine, so the
 * fleet's times and the harness's times may be subtracted from each other.
 */
import { readFileSync } from 'node:fs'

/**
 * What `performance.now()`, the cheaper one to read, lacks to be the machine's monotonic clock, in
 * milliseconds. The first reading of a clock is slow, so the quickest of several pairs is taken:
 * the error is less than half the time that pair took.
 */
const originMs = Array.from({ length: 32 }, () => {
  const before = process.hrtime.bigint()
  const nowMs = performance.now()
  const after = process.hrtime.bigint()
  return { tookNs: after - before, originMs: Number(before + after) / 2e6 - nowMs }
}).reduce((best, pair) => (pair.tookNs < best.tookNs ? pair : best)).originMs

/** Milliseconds of the machine's monotonic clock, with a fraction. */
export function monotonicMs(): number {
  return originMs + performance.now()
}

/** Which clock the times are read from, and what the kernel feeds it with. */
export function clockSource(): string {
  const path = '/sys/devices/system/clocksource/clocksource0/current_clocksource'
  try {
    return `CLOCK_MONOTONIC/${readFileSync(path, 'utf8').trim()}`
  } catch {
    return 'CLOCK_MONOTONIC'
  }
}
