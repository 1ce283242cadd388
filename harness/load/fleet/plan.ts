/** What a reader fleet is told to do: the first line on its standard input. */
import { isIPv4 } from 'node:net'
import { z } from 'zod'
import { UsageError } from '../../errors.ts'

const visibleAscii = /^[\x21-\x7e]+$/
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

const lowerCaseName = z.string().regex(headerName).toLowerCase()

const request = z.strictObject({
  /** The request target, as sent: `/v1/stream/a?offset=-1`. */
  path: z.string().startsWith('/').regex(visibleAscii, 'a path has no spaces or controls'),
  headers: z.record(z.string().regex(headerName), z.string().regex(headerValue)).optional(),
})

const read = z.discriminatedUnion('kind', [
  /** One response, to its end. */
  z.strictObject({ kind: z.literal('response') }),
  /** An event stream: the reader is done after so many data events, and hangs up. */
  z.strictObject({ kind: z.literal('sse'), dataEvents: z.int().min(1).max(1_000_000) }),
])

const target = z.strictObject({
  /** A loopback address: 127.0.0.0/8, ::1 or localhost. */
  host: z.string(),
  port: z.int().min(1).max(65_535),
  /** What goes into `Host` or `:authority`. */
  authority: z.string().regex(visibleAscii),
  tls: z.strictObject({ caPem: z.string().min(1), servername: z.string().min(1) }).optional(),
})

export const fleetPlanSchema = z.strictObject({
  readers: z.int().min(1).max(1_000_000),
  /** `h2` is TLS with ALPN h2: `connections`, each with its share of the readers as streams. */
  transport: z.enum(['http1', 'h2']),
  /** h2 only; a hundred readers to a connection unless told. */
  connections: z.int().min(1).max(10_000).optional(),
  target,
  /** Reader i sends `requests[i % requests.length]`. */
  requests: z.array(request).min(1).max(100_000),
  read,
  connectsInFlightMax: z.int().min(1).max(4_096),
  /** 0: as fast as possible. Else an open loop: reader i is due at i/readers of the span. */
  arrivalSpanMs: z.number().min(0).max(86_400_000),
  /** For the whole run; a reader that is not done by then has the outcome `deadline`. */
  deadlineMs: z.number().min(1).max(86_400_000),
  /** Response headers kept for each reader. */
  captureHeaders: z.array(lowerCaseName).max(32),
  columnsFile: z.string().min(1),
})

export type FleetPlan = z.input<typeof fleetPlanSchema>
export type CheckedFleetPlan = z.output<typeof fleetPlanSchema>

/** A later line on the fleet's standard input. */
export const controlSchema = z.strictObject({ stop: z.literal(true) })

/** Load goes to loopback only: whatever a plan says, the fleet never leaves the machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/**
 * Checks a plan from outside.
 * @throws UsageError when it does not fit the schema, leaves loopback, or contradicts itself
 */
export function checkPlan(input: unknown): CheckedFleetPlan {
  const parsed = fleetPlanSchema.safeParse(input)
  if (!parsed.success) {
    throw new UsageError(`The fleet's plan is not valid: ${z.prettifyError(parsed.error)}`)
  }
  const plan = parsed.data
  if (!isLoopback(plan.target.host)) {
    throw new UsageError(
      `The fleet's target ${plan.target.host} is not loopback; load goes to loopback only, so ` +
        'give 127.0.0.1, ::1 or localhost.',
    )
  }
  if (plan.transport === 'h2' && !plan.target.tls) {
    throw new UsageError('The fleet speaks h2 over TLS only; give target.tls in its plan.')
  }
  return plan
}

/** How many connections the plan opens: one a reader, or over h2 a hundredth of them. */
export function connectionsOf(plan: CheckedFleetPlan): number {
  if (plan.transport === 'http1') return plan.readers
  return Math.min(plan.readers, plan.connections ?? Math.ceil(plan.readers / 100))
}
