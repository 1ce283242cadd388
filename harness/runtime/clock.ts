/** The clock all of a run's times are told on: CLOCK_MONOTONIC, the same in every process of a host. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1e6
}
