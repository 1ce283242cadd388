/** Starts the fault proxy, asks it, and hands on what it observes. */
import { fileURLToPath } from 'node:url'
import { HarnessError } from '../../errors.ts'
import type { Conversation, Runtime } from '../../runtime/runtime.ts'
import { within } from '../../until.ts'
import type { Armed, FaultProxyAnswer, FaultProxyPlan, FaultProxyQuestion, Observation } from './faults.ts'

export interface FaultProxy {
  /** The authority of its wrong certificates, which clients are to trust. */
  readonly caPem: string
  /** A port that leads this client to the TLS edge. */
  door(client: string): Promise<number>
  arm(client: string, armed: Armed): Promise<void>
  /** How often the fault had struck. */
  disarm(client: string): Promise<number>
  endAnswers(client: string): Promise<number>
  /** Told each observation as it comes; one listener at a time. */
  onObservation(listener: (observation: Observation) => void): void
  close(): Promise<void>
}

const program = fileURLToPath(new URL('./fault-proxy.ts', import.meta.url))
const readyMsMax = 15_000
const answerMsMax = 10_000
const closeMsMax = 5_000

/** @throws HarnessError when it does not come up */
export async function openFaultProxy(runtime: Pick<Runtime, 'converse'>, id: string, plan: FaultProxyPlan): Promise<FaultProxy> {
  const conversation = await runtime.converse(id, process.execPath, [program])
  const dialogue = new Dialogue(conversation)
  conversation.write(JSON.stringify(plan))
  try {
    const { caPem } = await within(dialogue.ready, { for: 'the fault proxy to be ready', timeoutMs: readyMsMax })
    return proxyOver(dialogue, conversation, caPem)
  } catch (error) {
    await conversation.kill()
    throw error
  }
}

function proxyOver(dialogue: Dialogue, conversation: Conversation, caPem: string): FaultProxy {
  return {
    caPem,
    door: async (client) => (await dialogue.ask<{ port: number }>({ ask: 'door', client })).port,
    arm: async (client, armed) => void (await dialogue.ask({ ask: 'arm', client, armed })),
    disarm: async (client) => (await dialogue.ask<{ struck: number }>({ ask: 'disarm', client })).struck,
    endAnswers: async (client) => (await dialogue.ask<{ ended: number }>({ ask: 'end-answers', client })).ended,
    onObservation: (listener) => void (dialogue.listener = listener),
    close: async () => {
      conversation.end()
      try {
        await within(conversation.exited, { for: 'the fault proxy to end', timeoutMs: closeMsMax })
      } finally {
        await conversation.kill()
      }
    },
  }
}

/** Questions and answers over one conversation, and observations between them. */
class Dialogue {
  readonly ready: Promise<{ caPem: string }>
  listener: (observation: Observation) => void = () => {}
  #conversation: Conversation
  #nextId = 1
  #waiting = new Map<number, PromiseWithResolvers<FaultProxyAnswer>>()
  #over: HarnessError | null = null

  constructor(conversation: Conversation) {
    this.#conversation = conversation
    const { promise, resolve, reject } = Promise.withResolvers<{ caPem: string }>()
    this.ready = promise
    promise.catch(() => {})
    void this.#listen(resolve).catch((error: unknown) => {
      this.#over = error instanceof HarnessError ? error : new HarnessError(`The fault proxy's answer is not to be read: ${String(error)}`)
      reject(this.#over)
      for (const waiting of this.#waiting.values()) waiting.reject(this.#over)
    })
  }

  async ask<Answer extends FaultProxyAnswer>(question: FaultProxyQuestion): Promise<Answer> {
    if (this.#over) throw this.#over
    const id = this.#nextId++
    const waiting = Promise.withResolvers<FaultProxyAnswer>()
    this.#waiting.set(id, waiting)
    this.#conversation.write(JSON.stringify({ id, ...question }))
    try {
      return (await within(waiting.promise, { for: `the fault proxy to answer "${question.ask}"`, timeoutMs: answerMsMax })) as Answer
    } finally {
      this.#waiting.delete(id)
    }
  }

  /** Never resolves: the end of the conversation is an error to whoever still waits. */
  async #listen(ready: (given: { caPem: string }) => void): Promise<never> {
    for await (const line of this.#conversation.lines) {
      const message = JSON.parse(line) as { ready?: true; caPem: string; failed?: string; id?: number }
      if (message.failed !== undefined) throw new HarnessError(`The fault proxy cannot listen: ${message.failed}`)
      if (message.ready) ready(message)
      else if (message.id === undefined) this.listener(message as unknown as Observation)
      else this.#waiting.get(message.id)?.resolve(message as unknown as FaultProxyAnswer)
    }
    const lines = await this.#conversation.lastLogLines(5)
    throw new HarnessError(`The fault proxy has ended. ${lines.join(' ')}`.trim())
  }
}
