/**
 * The one clock of a run. `CLOCK_MONOTONIC` is the same for every process of one machine, so the
 * fleet's times and the harness's times may be subtracted from each other.
 */
import { readFileSync } from 'node:fs'

/** What `performance.now()` lacks to be the machine's monotonic clock, in milliseconds. */
const originMs = Number(process.hrtime.bigint()) / 1e6 - performance.now()

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
