/**
 * The client program: live readers and writers with the real client library, in a process of their own, so that
 * they can be killed, measured and replaced. Commands on standard input, events on standard output;
 * it ends with its standard input.
 */
import dns from 'node:dns'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { monotonicMs } from '../../clock.ts'
import { LoopDelay } from '../../loop-delay.ts'
import { clientHeader } from '../../services/fault-proxy/faults.ts'
import type { ClientCommand, ClientEvent } from './plan.ts'
import { messageOf, Reader, statusOf, type StreamLibrary } from './reader.ts'
import { Writer } from './writer.ts'

const lagEveryMs = 500

/** Serves with this library until standard input ends. */
export async function serveClients(library: StreamLibrary): Promise<never> {
  const readers = new Map<string, Reader>()
  const writers = new Map<string, Writer>()
  say({ event: 'ready', client: library.client, atMs: monotonicMs() })
  // A library that leaves a promise unobserved must not end the others' readers.
  process.on('unhandledRejection', (error) => process.stderr.write(`unhandled: ${String(error)}\n`))
  tellLag()
  tellRequests()
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as ClientCommand
    if ('hosts' in command) leadToLoopback(command.hosts)
    if ('open' in command) {
      const reader = new Reader(command.open, library, clientHeader, say)
      readers.set(command.open.id, reader)
      void reader.run()
    }
    if ('token' in command) readers.get(command.token.reader)?.renew(command.token.value)
    if ('stop' in command) readers.get(command.stop)?.stop()
    if ('head' in command) void head(library, command.head)
    if ('openWriter' in command) writers.set(command.openWriter.id, new Writer(command.openWriter, library.produce, say))
    if ('write' in command) void writers.get(command.write.writer)?.write(command.write)
  }
  process.exit(0)
}

async function head(library: StreamLibrary, { id, url }: { id: string; url: string }): Promise<void> {
  const tell = (status: number | null, error: string | null) => say({ event: 'headed', id, status, error, atMs: monotonicMs() })
  try {
    await library.head({ url, headers: { [clientHeader]: id } })
    tell(null, null)
  } catch (error) {
    tell(statusOf(error as Error), messageOf(error as Error))
  }
}

function say(event: ClientEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

/** How late this program was: whoever judges times must know. */
function tellLag(): void {
  const delayed = new LoopDelay()
  setInterval(() => say({ event: 'lag', maxMs: delayed.take(), atMs: monotonicMs() }), lagEveryMs).unref()
}

/** When the library meant to send: hops on the way may be slow. */
function tellRequests(): void {
  const { fetch } = globalThis
  globalThis.fetch = (input, init) => {
    const reader = new Headers(init?.headers).get(clientHeader)
    if (reader !== null) say({ event: 'sent', reader, atMs: monotonicMs() })
    return fetch(input, init)
  }
}

/** The names of a deployment lead here; fetch itself, and all the library does with it, stay as they are. */
function leadToLoopback(hosts: string[]): void {
  const lookup = dns.lookup
  const patched = (name: string, options: unknown, callback: (...args: unknown[]) => void) => {
    const isOurs = hosts.includes(name)
    const target = isOurs ? '127.0.0.1' : name
    return (lookup as (...args: unknown[]) => void)(target, options, callback)
  }
  dns.lookup = patched as unknown as typeof dns.lookup
}

async function realLibrary(): Promise<StreamLibrary> {
  const { DurableStream, IdempotentProducer, stream } = await import('@durable-streams/client')
  const { version } = createRequire(import.meta.url)('@durable-streams/client/package.json') as { version: string }
  return {
    client: `@durable-streams/client ${version}`,
    open: ({ url, ...options }, api) =>
      api === 'function' ? stream({ url, ...options }) : new DurableStream({ url, headers: options.headers, onError: options.onError }).stream(options),
    head: async (options) => {
      const state = await DurableStream.head(options)
      if (!state.exists) throw Object.assign(new Error('it does not exist'), { status: 404 })
    },
    produce: ({ url, contentType, producerId, ...options }) => new IdempotentProducer(new DurableStream({ url, contentType }), producerId, options),
  }
}

if (import.meta.main) await serveClients(await realLibrary())
