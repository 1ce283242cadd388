/** What a fleet says on its standard output, one JSON object a line. */
import { z } from 'zod'

const count = z.int().min(0)

const milestone = {
  /** Readers that got so far; the others were done before, `failed` of them. */
  count,
  failed: count,
  /** Since the plan was taken up, and on the machine's monotonic clock. */
  ms: z.number(),
  atMs: z.number(),
}

/** Milliseconds; null when no reader has the value. */
const distribution = z
  .strictObject({ min: z.number(), p50: z.number(), p99: z.number(), max: z.number() })
  .nullable()

/** The most frequent values first, at most a hundred; `distinct` counts them all. */
const counted = z.strictObject({
  distinct: count,
  absent: count,
  top: z.array(z.strictObject({ value: z.string(), count })),
})

export const fleetSummarySchema = z.strictObject({
  readers: count,
  /** By outcome; outcomes that no reader had are absent. */
  outcomes: z.record(z.string(), count),
  /** By status; readers without a response are under `0`. */
  statuses: z.record(z.string(), count),
  errors: counted,
  /** sha256 in hex of what readers received. */
  bodies: counted,
  headers: z.record(z.string(), counted),
  bodyBytes: z.number(),
  dataEvents: count,
  /** From the start of a reader's connect to its end. */
  connectMs: distribution,
  /** From the request's writing to the first and to the last byte (the last data event's). */
  firstByteMs: distribution,
  lastByteMs: distribution,
  /** The moments themselves, on the machine's monotonic clock. */
  connectedAtMs: distribution,
  sentAtMs: distribution,
  firstByteAtMs: distribution,
  lastByteAtMs: distribution,
  /** How late readers arrived against the open-loop schedule. */
  arrivalDelayMs: distribution,
  memory: z.strictObject({
    idleKb: z.number(),
    /** When every request was written. */
    heldKb: z.number(),
    peakKb: z.number(),
    kbPerReader: z.number(),
  }),
  cpuSeconds: z.number(),
  durationMs: z.number(),
  clock: z.string(),
  columnsFile: z.string(),
})

export const fleetEventSchema = z.discriminatedUnion('event', [
  /** Waiting for its plan. */
  z.strictObject({ event: z.literal('ready'), openFilesMax: z.number(), clock: z.string() }),
  /** Every connection is up, or has failed. */
  z.strictObject({ event: z.literal('connected'), ...milestone }),
  /** Every reader's request has been written. */
  z.strictObject({ event: z.literal('sent'), ...milestone }),
  /** Event streams only: every reader has the head and its first event. */
  z.strictObject({ event: z.literal('open'), ...milestone }),
  /** At most four a second. */
  z.strictObject({
    event: z.literal('progress'),
    connected: count,
    sent: count,
    open: count,
    done: count,
    atMs: z.number(),
  }),
  z.strictObject({ event: z.literal('done'), summary: fleetSummarySchema }),
  /** The last word of a fleet that ends without a result, with the code it ends with. */
  z.strictObject({ event: z.literal('failed'), message: z.string(), exitCode: z.int() }),
])

export type FleetEvent = z.output<typeof fleetEventSchema>
export type FleetMilestone = Extract<FleetEvent, { event: 'connected' | 'sent' | 'open' }>
export type FleetSummary = z.output<typeof fleetSummarySchema>
export type Distribution = z.output<typeof distribution>
export type Counted = z.output<typeof counted>
