/**
 * The disk gives back another byte than the one that was written: in the middle of each of some streams, while
 * the origin is down. What a server makes of it is for the checks to say.
 */
import { lengthBytes, type Damage, type FlippedByte } from '../data-dir/flip-a-byte.ts'
import { number } from '../report/figures.ts'
import { recordSeries } from '../record-id.ts'
import { WorldBroken, type Interpreter, type StepContext } from '../step.ts'
import type { KnownStream } from '../operations.ts'

export interface FlipAByte {
  kind: 'flip-a-byte'
  /** Streams whose name begins with this, each with three records or more. */
  streams: string
  /** In the payload of a record, or in the length that stands before it. */
  where: Damage['where']
}

/** Changes one byte in the file of each of these streams. The origin has to be down. */
export function flipAByte(streams: string, options: { where: Damage['where'] }): FlipAByte {
  return { kind: 'flip-a-byte', streams, ...options }
}

/** So that there is one before the damage, and one behind it. */
const recordsMin = 3
const proofsMax = 3

export const flipAByteInterpreter: Interpreter<FlipAByte> = async (step, context) => {
  const { world, recorder } = context
  const streams = [...context.streams.values()].filter(({ name, deleted, recordsWritten }) => name.startsWith(step.streams) && !deleted && recordsWritten >= recordsMin)
  if (streams.length === 0) throw new Error(`flipAByte: no stream with ${recordsMin} records begins with "${step.streams}"`)
  if ((await world.usage('origin')) !== null) throw new Error('flipAByte: the origin is running; stop it before')
  const flipped: string[] = []
  const missing: string[] = []
  // By name, so that in every run the same streams have the same one of the four bytes changed.
  const ordered = streams.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  for (const [n, stream] of ordered.entries()) {
    const record = middleOf(stream)
    const damage = step.where === 'payload' ? { where: step.where } : { where: step.where, lengthByte: n % lengthBytes }
    const { byte, because } = await flip(context, stream, record, damage)
    if (byte === undefined) missing.push(`the data of ${record} ${because}`)
    else {
      recorder.record({ kind: 'damaged-record', stream: stream.name, incarnation: stream.incarnation, record, where: step.where, ...byte })
      flipped.push(`byte ${number(byte.at)} of ${byte.file} (${record}) went from ${byte.before} to ${byte.after}`)
    }
  }
  const proven = missing.length === 0
  const proof = fewOf(proven ? flipped : missing)
  recorder.record({ kind: 'fault', fault: `flipped-${step.where}`, phase: 'injected', hop: 'origin', proof, proven })
  if (!proven) throw new WorldBroken(`a byte could not be changed: ${proof}`)
}

/** The byte before and after; or why it could not be changed. */
async function flip({ world }: StepContext, { contentType }: KnownStream, record: string, damage: Damage): Promise<{ byte?: FlippedByte; because?: string }> {
  try {
    const byte = await world.flipAByte(record, contentType, damage)
    return byte === null ? { because: 'was not found below data_dir' } : { byte }
  } catch (error) {
    // In a container they may be another user's.
    return { because: `cannot be changed (${(error as NodeJS.ErrnoException).code ?? String(error)})` }
  }
}

function middleOf({ name, incarnation, recordsWritten }: KnownStream): string {
  return `${recordSeries(name, incarnation)}${Math.ceil(recordsWritten / 2)}`
}

function fewOf(lines: string[]): string {
  const more = lines.length - proofsMax
  return `${lines.slice(0, proofsMax).join(', ')}${more > 0 ? ` and ${number(more)} more` : ''}`
}
