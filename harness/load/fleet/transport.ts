/** What the fleet asks of a way to carry its requests. */
export interface Transport {
  begin(): void
  /** Hangs up the readers that were done before the last call. */
  hangUpDone(): void
  /** No new arrivals. Those who are there hang up with the program. */
  stop(): void
}
