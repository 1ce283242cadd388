/**
 * The streams of a copied data_dir: what their files hold, before any server has opened them, and what
 * the server serves of each from its start to its tail.
 */
import { isJson } from '../record.ts'
import type { CopiedStream } from '../history.ts'
import type { StoredStream } from '../data-dir/inspect.ts'
import type { Interpreter, StepContext } from '../step.ts'
import { inParallel } from './create-streams.ts'

export interface ReadCopiedStreams {
  kind: 'read-copied-streams'
  /** False: only the files are looked at. */
  served: boolean
}

/** Needs a world with `copiedDataDir`. */
export function readCopiedStreams(options: { served?: boolean } = {}): ReadCopiedStreams {
  return { kind: 'read-copied-streams', served: true, ...options }
}

const readersMax = 16
const chunksMax = 100_000
/** The server counts a lifetime in whole seconds of its own clock. */
const expirySlackMs = 2_000

export const readCopiedStreamsInterpreter: Interpreter<ReadCopiedStreams> = async (step, context) => {
  const streams = context.world.storedStreams.filter(({ hidden }) => !hidden)
  if (!step.served) {
    for (const stream of streams) context.recorder.record(storedEvent(stream))
    return
  }
  context.progress(`reading ${streams.length} copied streams`)
  await inParallel(streams.map((stream) => () => readOne(stream, context)), readersMax, context.signal)
}

async function readOne(stored: StoredStream, context: StepContext): Promise<void> {
  const event = storedEvent(stored)
  const outcome = await serve(stored, context).then(
    (served) => ({ served }),
    (error: unknown) => ({ served: null, error: error instanceof Error ? error.message : String(error) }),
  )
  context.recorder.record({ ...event, ...outcome })
}

function storedEvent(stored: StoredStream): CopiedStream {
  const { segment, committedBytes } = stored
  return {
    kind: 'copied-stream',
    stream: stored.path,
    json: isJson(stored.contentType),
    closed: stored.closed,
    forked: stored.forkedFrom !== null,
    mayHaveExpired: couldHaveExpired(stored, Date.now()),
    stored: segment && { committedBytes, ...segment },
  }
}

/** When it was last read or written, which renews a TTL, stands in no file: so it may, after its first. */
function couldHaveExpired({ ttlSeconds, createdAt, expiresAt }: StoredStream, nowMs: number): boolean {
  const atMs = expiresAt?.getTime() ?? (ttlSeconds === null ? Number.POSITIVE_INFINITY : createdAt.getTime() + ttlSeconds * 1_000)
  return atMs < nowMs + expirySlackMs
}

async function serve(stored: StoredStream, context: StepContext): Promise<NonNullable<CopiedStream['served']>> {
  const target = encodeURI(stored.path).replaceAll('?', '%3F').replaceAll('#', '%23')
  const json = isJson(stored.contentType)
  let [bytes, messages, offset] = [0, 0, '-1']
  for (let chunk = 0; chunk < chunksMax; chunk += 1) {
    context.signal.throwIfAborted()
    const { status, headers, body } = await context.operations.send('origin', 'GET', `${target}?offset=${encodeURIComponent(offset)}`)
    bytes += body.length
    if (json && status === 200) messages += messagesIn(body)
    const next = headers['stream-next-offset'] ?? null
    const closed = headers['stream-closed'] === 'true'
    const upToDate = headers['stream-up-to-date'] === 'true'
    if (status !== 200 || upToDate || closed || next === null || next === offset) {
      return { status, bytes, messages: json ? messages : null, upToDate, closed }
    }
    offset = next
  }
  throw new Error(`no tail after ${chunksMax} chunks`)
}

/** A chunk of a JSON stream is an array. What is none counts nothing, and is found to be missing. */
function messagesIn(body: Buffer): number {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    return Array.isArray(parsed) ? parsed.length : 0
  } catch {
    return 0
  }
}
