/** Writers with the client library's idempotent producer, case by case, through TLS and cache. */
import type { ClientWrite } from '../history.ts'
import type { ClientProgram } from '../load/client/launch.ts'
import type { ClientEvent } from '../load/client/plan.ts'
import type { KnownStream } from '../operations.ts'
import { encodeRecord } from '../record.ts'
import type { Interpreter, StepContext } from '../step.ts'
import { streamKind } from '../streams.ts'
import { AwaitedTooLong, within } from '../until.ts'
import { clientWriterCases, type ClientWriterCase, type Write } from './client-writer-cases.ts'
import { createOne, inParallel, recordId } from './create-streams.ts'

export interface ClientWriters {
  kind: 'client-writers'
  /** 'every', or ids of client-writer-cases.ts. */
  cases: 'every' | string[]
  /** Kinds of stream; each case gets a stream of its own of each. Text and JSON. */
  kinds: string[]
}

/** Lets applications write as the table says, each case on streams of its own. */
export function clientWriters(options: Omit<ClientWriters, 'kind'>): ClientWriters {
  return { kind: 'client-writers', ...options }
}

const payloadBytes = 60
const concurrencyMax = 8
const writeWithinMs = 20_000

export const clientWritersInterpreter: Interpreter<ClientWriters> = async (step, context) => {
  const cases = step.cases === 'every' ? clientWriterCases : step.cases.map(caseOf)
  context.progress(`${cases.length * step.kinds.length} cases of writers with the client library`)
  await using stack = new AsyncDisposableStack()
  const program = stack.adopt(await context.world.startClient(), (started) => started.close())
  const orders = new Orders(program)
  const jobs = cases.flatMap((one) => step.kinds.map((kind) => () => runCase(context, orders, one, kind)))
  await inParallel(jobs, concurrencyMax, context.signal)
}

function caseOf(id: string): ClientWriterCase {
  const found = clientWriterCases.find((one) => one.id === id)
  if (!found) throw new TypeError(`no case of writers is called "${id}"`)
  return found
}

type Wrote = Extract<ClientEvent, { event: 'wrote' }>

/** Orders to the client program, and their answers by number. */
class Orders {
  readonly program: ClientProgram
  #next = 1
  #waiting = new Map<number, (wrote: Wrote) => void>()

  constructor(program: ClientProgram) {
    this.program = program
    program.onEvent((event) => {
      if (event.event === 'wrote') this.#waiting.get(event.order)?.(event)
    })
  }

  /** Null where the writer does not come to an end. */
  async write(writer: string, records: { record: string; body: string }[], more: { also?: 'restart' | 'close' }): Promise<Wrote | null> {
    const order = this.#next++
    const { promise, resolve } = Promise.withResolvers<Wrote>()
    this.#waiting.set(order, resolve)
    this.program.send({ write: { writer, order, records, ...more } })
    try {
      return await within(promise, { for: `writer ${writer}`, timeoutMs: writeWithinMs })
    } catch (error) {
      if (error instanceof AwaitedTooLong) return null
      throw error
    } finally {
      this.#waiting.delete(order)
    }
  }
}

async function runCase(context: StepContext, orders: Orders, one: ClientWriterCase, kind: string): Promise<void> {
  const stream = await createOne(context, { ...streamKind(kind), records: 0 }, `writers-${one.id}-${kind}`)
  const { url, tls } = context.world.endpoint('tls')
  for (const [name, { epoch = 0, autoClaim = false, maxInFlight = 5, lingerMs = 5 }] of Object.entries(one.writers)) {
    const plan = { contentType: stream.contentType, producerId: one.id, epoch, autoClaim, maxInFlight, lingerMs }
    orders.program.send({ openWriter: { id: `${stream.name}/${name}`, url: `https://${tls!.servername}:${new URL(url).port}${stream.path}`, ...plan } })
  }
  for (const round of one.rounds) {
    context.signal.throwIfAborted()
    await Promise.all(round.map((write) => writeOne(context, orders, one, stream, write)))
  }
}

async function writeOne(context: StepContext, orders: Orders, { id }: ClientWriterCase, stream: KnownStream, [writer, count, { isFenced, ...more } = {}]: Write): Promise<void> {
  const names = Array.from({ length: count }, () => recordId(stream))
  const records = names.map((record) => ({ record, body: encodeRecord(context.seed, record, stream.contentType, payloadBytes).toString() }))
  const wrote = await orders.write(`${stream.name}/${writer}`, records, more)
  if (more.also === 'close' && wrote?.errors.length === 0) stream.closed = true
  const base = { kind: 'client-write' as const, case: id, stream: stream.name, writer, client: orders.program.client, records: names, ...(isFenced ? { isFenced } : {}) }
  context.recorder.record({ ...base, outcome: outcomeOf(wrote, count), epoch: wrote?.epoch ?? -1, errors: (wrote?.errors ?? []).map(({ name, message }) => `${name}: ${message}`) })
}

/** Of several records, an error does not say which it was. */
function outcomeOf(wrote: Wrote | null, count: number): ClientWrite['outcome'] {
  if (wrote?.errors.length === 0) return 'acknowledged'
  return count === 1 && wrote?.errors.every(({ name }) => name === 'StaleEpochError') ? 'refused' : 'unclear'
}
