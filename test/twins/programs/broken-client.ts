/**
 * A client library of its own in the client program, broken in the one behaviour that $TWIN names;
 * with TWIN=sound-client in none. The real library is red by itself where this one is sound.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { serveClients } from '../../../harness/load/client/program.ts'
import type { OpenOptions, Session } from '../../../harness/load/client/reader.ts'
import { readEvents } from './event-stream.ts'
import { twin } from './planted.ts'
import { SoundProducer } from './sound-producer.ts'

const firstDelayMs = 100
const delayMsMax = 3_000
const delayFactor = 1.5
const beatMs = 2_000
const storedWithinMs = 250
const storedPauseMs = 250

interface Answer {
  offset: string
  upToDate: boolean
  text: string
}

type Take = (text: string, told: { offset: string; upToDate: boolean }) => void

class Stopped extends Error {}

class SoundSession implements Session {
  readonly closed: Promise<void>
  #options: OpenOptions
  #headers: OpenOptions['headers']
  #offset: string
  #first: Answer | null
  #close = Promise.withResolvers<void>()
  #failures = 0

  constructor(options: OpenOptions) {
    this.#options = options
    this.#headers = options.headers
    this.#offset = options.offset
    this.#first = null
    this.closed = this.#close.promise
    this.closed.catch(() => {})
  }

  get offset(): string {
    return this.#offset
  }

  /** The first answer, whatever it takes. */
  async begin(): Promise<this> {
    // Broken: it asks live at once, by an address that no cache shares.
    this.#first = await this.#persist(twin === 'asks-live-at-first' ? '&live=long-poll' : '', true)
    return this
  }

  subscribeJson(subscriber: Parameters<Session['subscribeJson']>[0]): void {
    const itemsOf = (text: string) => (text.trim() === '' ? [] : (JSON.parse(text) as unknown[]))
    this.#run((text, told) => subscriber({ ...told, items: itemsOf(text) }))
  }

  subscribeText(subscriber: Parameters<Session['subscribeText']>[0]): void {
    this.#run((text, told) => subscriber({ ...told, text }))
  }

  #run(take: Take): void {
    this.#follow(take).then(this.#close.resolve, this.#close.reject)
  }

  async #follow(take: Take): Promise<void> {
    let answer = this.#first!
    while (!this.#options.signal.aborted) {
      this.#offset = answer.offset
      take(answer.text, answer)
      if (answer.upToDate && this.#options.live === 'sse') return this.#followEvents(take)
      const askedAt = performance.now()
      answer = await this.#persist(answer.upToDate ? '&live=long-poll' : '', false)
      // A poll that brings nothing at once was not waited for by the server: somebody stored it.
      const isStored = answer.upToDate && answer.text === '' && performance.now() - askedAt < storedWithinMs
      if (isStored && twin !== 'spins-on-a-stored-poll') await delay(storedPauseMs)
    }
  }

  async #followEvents(take: Take): Promise<void> {
    while (!this.#options.signal.aborted) {
      await this.#attempt(false, async () => {
        const response = await this.#fetch('&live=sse')
        await readEvents(response, (data, control) => {
          this.#failures = 0
          const isUntold = control === null
          if (isUntold && twin !== 'doubles-after-a-cut') return
          if (control) this.#offset = control.streamNextOffset
          take(data, { offset: this.#offset, upToDate: control?.upToDate ?? false })
        })
      })
      await delay(Math.random() * firstDelayMs)
    }
  }

  /** One answer, tried until it is there or the handler says stop. */
  async #persist(query: string, isFirst: boolean): Promise<Answer> {
    for (;;) {
      const answer = await this.#attempt(isFirst, async () => {
        const response = await this.#fetch(query)
        const offset = response.headers.get('stream-next-offset') ?? this.#offset
        // Broken: it has gone on before it knows that the answer came whole.
        if (twin === 'loses-the-cut-tail') this.#offset = offset
        return { offset, upToDate: response.headers.has('stream-up-to-date'), text: response.status === 204 ? '' : await response.text() }
      })
      if (answer !== null) return answer
    }
  }

  /** Null where it failed and shall be tried again, after the pause that is due. */
  async #attempt<T>(isFirst: boolean, act: () => Promise<T>): Promise<T | null> {
    try {
      const result = await act()
      this.#failures = 0
      return result
    } catch (error) {
      if (this.#options.signal.aborted) throw new Stopped('stopped')
      const { status = 0, retryAfterMs = 0 } = error as { status?: number; retryAfterMs?: number }
      if (status >= 400 && status < 500 && status !== 408 && status !== 429) await this.#ask(error as Error, status, isFirst)
      // Broken: what is no status is no error that it would outlast.
      if (twin === 'ends-in-the-middle' && status === 0 && !isFirst) throw error
      const pauseMs = Math.max(twin === 'ignores-retry-after' ? 0 : retryAfterMs, this.#pauseMs())
      if (pauseMs > 0) await delay(pauseMs)
      return null
    }
  }

  async #ask(error: Error, status: number, isFirst: boolean): Promise<void> {
    if (twin === 'never-asks-on-reconnect' && !isFirst) throw error
    const said = await this.#options.onError(error)
    if (said?.headers) this.#headers = { ...this.#headers, ...said.headers }
    if (said === undefined && !(twin === 'retries-401-for-ever' && status === 401)) throw error
  }

  #pauseMs(): number {
    this.#failures += 1
    // Some of them only: a machine that is busy with all at once lets each send little.
    if (twin === 'retries-without-backoff' && this.#options.live === 'long-poll') return 0
    if (twin === 'comes-back-at-once') return beatMs - (Date.now() % beatMs)
    return Math.random() * Math.min(delayMsMax, firstDelayMs * delayFactor ** this.#failures)
  }

  async #fetch(query: string): Promise<Response> {
    const { url, signal } = this.#options
    const headers = Object.fromEntries(Object.entries(this.#headers).map(([name, value]) => [name, typeof value === 'function' ? value() : value]))
    // A compressed body that is cut looks whole to Node's fetch.
    headers['accept-encoding'] = 'identity'
    const response = await fetch(`${url}?offset=${encodeURIComponent(this.#offset)}${query}`, { headers, signal })
    if (response.ok) return response
    const retryAfterMs = 1_000 * Number(response.headers.get('retry-after') ?? 0)
    await response.text()
    throw Object.assign(new Error(`HTTP ${response.status}`), { status: response.status, retryAfterMs })
  }
}

/** An answer that says there is no such stream is an error; broken, one whose body it cannot read is tried again for ever. */
async function head({ url, headers }: { url: string; headers: Record<string, string> }): Promise<unknown> {
  for (;;) {
    const response = await fetch(url, { method: 'HEAD', headers })
    if (response.ok) return response.headers
    if (twin !== 'retries-a-missing-body') throw Object.assign(new Error(`HTTP ${response.status}`), { status: response.status })
    await delay(firstDelayMs)
  }
}

await serveClients({ client: 'planted client', head, open: (options) => new SoundSession(options).begin(), produce: (options) => new SoundProducer(options, twin) })
