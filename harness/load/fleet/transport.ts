/** What the fleet asks of a way to carry its requests. */
export interface Transport {
  begin(): void
  /** Hangs up the readers that were done before the last call. */
  hangUpDone(): void
  /** No new arrivals; every connection is closed. */
  stop(): void
}
