/** Questions to a program of the harness's own and its answers, over one conversation, matched by number. */
import { HarnessError } from '../errors.ts'
import type { Conversation } from '../runtime/runtime.ts'
import { within } from '../until.ts'

export interface DialogueOptions<Told> {
  /** 'tap': as errors call the program. */
  of: string
  /** What it says without having been asked. */
  onTold?: (told: Told) => void
}

const answerMsMax = 10_000
const closeMsMax = 5_000

/** `Ready` is what it says once it listens, `Told` what it says unasked. */
export class Dialogue<Question extends { ask: string }, Answer, Ready = unknown, Told = never> {
  readonly ready: Promise<Ready>
  #conversation: Conversation
  #of: string
  #onTold: (told: Told) => void
  #nextId = 1
  #waiting = new Map<number, PromiseWithResolvers<Answer>>()
  #over: HarnessError | null = null

  constructor(conversation: Conversation, { of, onTold = () => {} }: DialogueOptions<Told>) {
    this.#conversation = conversation
    this.#of = of
    this.#onTold = onTold
    const { promise, resolve, reject } = Promise.withResolvers<Ready>()
    this.ready = promise
    promise.catch(() => {})
    void this.#listen(resolve).catch((error: unknown) => {
      this.#over = error instanceof HarnessError ? error : new HarnessError(`The ${of}'s answer is not to be read: ${String(error)}`)
      reject(this.#over)
      for (const waiting of this.#waiting.values()) waiting.reject(this.#over)
    })
  }

  /** @throws HarnessError when it has ended, or does not answer in time */
  async ask<Own extends Answer>(question: Question): Promise<Own> {
    if (this.#over) throw this.#over
    const id = this.#nextId++
    const waiting = Promise.withResolvers<Answer>()
    this.#waiting.set(id, waiting)
    this.#conversation.write(JSON.stringify({ id, ...question }))
    try {
      return (await within(waiting.promise, { for: `the ${this.#of} to answer "${question.ask}"`, timeoutMs: answerMsMax })) as Own
    } finally {
      this.#waiting.delete(id)
    }
  }

  /** Never resolves: the end of the conversation is an error to whoever still waits. */
  async #listen(ready: (given: Ready) => void): Promise<never> {
    for await (const line of this.#conversation.lines) {
      const message = JSON.parse(line) as { ready?: true; failed?: string; id?: number }
      if (message.failed !== undefined) throw new HarnessError(`The ${this.#of} cannot listen: ${message.failed}`)
      if (message.ready) ready(message as Ready)
      else if (message.id === undefined) this.#onTold(message as Told)
      else this.#waiting.get(message.id)?.resolve(message as Answer)
    }
    const lines = await this.#conversation.lastLogLines(5)
    throw new HarnessError(`The ${this.#of} has ended. ${lines.join(' ')}`.trim())
  }
}

/** Lets a program end by itself, and kills it where it does not. `what` is awaited: 'the tap to end'. */
export async function endProgram(conversation: Conversation, what: string): Promise<void> {
  conversation.end()
  try {
    await within(conversation.exited, { for: what, timeoutMs: closeMsMax })
  } finally {
    await conversation.kill()
  }
}
