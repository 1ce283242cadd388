/** How a reader's story can end. The number in a column is the index in this list. */
export const outcomes = [
  /** Still under way; never in a finished run. */
  'pending',
  /** The whole response, or as many data events as asked for. */
  'complete',
  /** The event stream ended in good order, but before as many data events as asked for. */
  'ended',
  /** The peer closed before the end of the head, the body or the event. */
  'truncated',
  /** The connection or the stream was reset. */
  'reset',
  /** No connection; `error` has the errno or the TLS code. */
  'connect-failed',
  /** The bytes are not HTTP, or not an event stream; `error` says where. */
  'malformed',
  /** Not done when the run's time was up. */
  'deadline',
  /** Not done when the harness stopped the fleet. */
  'stopped',
] as const

export type Outcome = (typeof outcomes)[number]

/** The number of an outcome in the column `outcome`. */
export const outcomeCode = Object.fromEntries(
  outcomes.map((name, code) => [name, code]),
) as Record<Outcome, number>
