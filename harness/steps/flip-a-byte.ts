/**
 * The disk gives back another byte than the one that was written: in the middle of each of some streams, while
 * the origin is down. What a server makes of it is for the checks to say; what it does to the files meanwhile is
 * looked at here, also where it does not come up.
 */
import { lengthBytes, type Damage, type FlippedByte, type SoughtRecord } from '../data-dir/flip-a-byte.ts'
import { number } from '../report/figures.ts'
import { numberIn, recordSeries } from '../record-id.ts'
import { WorldBroken, type AnyStep, type Interpreter, type StepContext } from '../step.ts'
import type { KnownStream } from '../operations.ts'

export interface FlipAByte {
  kind: 'flip-a-byte'
  /** Streams whose name begins with this, each with three records or more. */
  streams: string
  /** In the payload of a record, or in the length that stands before it. */
  where: Damage['where']
  /** What is done then: the origin is started on it. */
  steps: AnyStep[]
}

/**
 * Changes one byte in the file of each of these streams, does these steps, and looks which other records are not
 * in the files any more. The origin has to be down.
 */
export function flipAByte(streams: string, options: { where: Damage['where']; steps: AnyStep[] }): FlipAByte {
  return { kind: 'flip-a-byte', streams, ...options }
}

/** So that there is one before the damage, and one behind it. */
const recordsMin = 3
const proofsMax = 3

export const flipAByteInterpreter: Interpreter<FlipAByte> = async (step, context) => {
  const streams = [...context.streams.values()].filter(({ name, deleted, recordsWritten }) => name.startsWith(step.streams) && !deleted && recordsWritten >= recordsMin)
  if (streams.length === 0) throw new Error(`flipAByte: no stream with ${recordsMin} records begins with "${step.streams}"`)
  if ((await context.world.usage('origin')) !== null) throw new Error('flipAByte: the origin is running; stop it before')
  // By name, so that in every run the same streams have the same one of the four bytes changed.
  const ordered = streams.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  await flipAll(step, context, ordered)
  const sought = ordered.flatMap(othersOf)
  const before = await context.world.recordsOnDisk(sought)
  try {
    await context.run(step.steps)
  } finally {
    tellGone(context, ordered, before.difference(await context.world.recordsOnDisk(sought)))
  }
}

async function flipAll({ where }: FlipAByte, context: StepContext, streams: KnownStream[]): Promise<void> {
  const flipped: string[] = []
  const missing: string[] = []
  for (const [n, stream] of streams.entries()) {
    const record = middleOf(stream)
    const { byte, because } = await flip(context, { record, contentType: stream.contentType }, where === 'payload' ? { where } : { where, lengthByte: n % lengthBytes })
    if (byte === undefined) missing.push(`the data of ${record} ${because}`)
    else {
      context.recorder.record({ kind: 'damaged-record', stream: stream.name, incarnation: stream.incarnation, record, where, ...byte })
      flipped.push(`byte ${number(byte.at)} of ${byte.file} (${record}) went from ${byte.before} to ${byte.after}`)
    }
  }
  const proven = missing.length === 0
  const proof = fewOf(proven ? flipped : missing)
  context.recorder.record({ kind: 'fault', fault: `flipped-${where}`, phase: 'injected', proof, proven })
  if (!proven) throw new WorldBroken(`a byte could not be changed: ${proof}`)
}

/** The byte before and after; or why it could not be changed. */
async function flip({ world }: StepContext, sought: SoughtRecord, damage: Damage): Promise<{ byte?: FlippedByte; because?: string }> {
  try {
    const byte = await world.flipAByte(sought, damage)
    return byte === null ? { because: 'was not found below data_dir' } : { byte }
  } catch (error) {
    // In a container they may be another user's.
    return { because: `cannot be changed (${(error as NodeJS.ErrnoException).code ?? String(error)})` }
  }
}

function middleOf({ name, incarnation, recordsWritten }: KnownStream): string {
  return `${recordSeries(name, incarnation)}${Math.ceil(recordsWritten / 2)}`
}

/** All records of a stream but the one that was damaged. */
function othersOf(stream: KnownStream): SoughtRecord[] {
  const { name, incarnation, recordsWritten, contentType } = stream
  const records = Array.from({ length: recordsWritten }, (_, index) => `${recordSeries(name, incarnation)}${index + 1}`)
  return records.filter((record) => record !== middleOf(stream)).map((record) => ({ record, contentType }))
}

function tellGone({ recorder }: StepContext, streams: KnownStream[], gone: ReadonlySet<string>): void {
  for (const { name, incarnation } of streams) {
    const records = [...gone].filter((record) => numberIn(recordSeries(name, incarnation), record) > 0)
    if (records.length > 0) recorder.record({ kind: 'records-gone', stream: name, incarnation, records })
  }
}

function fewOf(lines: string[]): string {
  const more = lines.length - proofsMax
  return `${lines.slice(0, proofsMax).join(', ')}${more > 0 ? ` and ${number(more)} more` : ''}`
}
