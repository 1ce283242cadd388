/**
 * An idempotent producer of its own, one append after another. It takes a duplicate that it never sent
 * for what it is: another's. Broken in the one behaviour that the twin names.
 */
import type { Producer, ProducerOptions } from '../../../harness/load/client/writer.ts'

class StaleEpochError extends Error {
  override readonly name = 'StaleEpochError'
}

export class SoundProducer implements Producer {
  epoch: number
  #options: ProducerOptions
  #twin: string
  #seq = 0
  #queue: Promise<void> = Promise.resolve()
  #waiting: string[] = []

  constructor(options: ProducerOptions, twin: string) {
    this.#options = options
    this.#twin = twin
    this.epoch = options.epoch
  }

  append(body: string): void {
    this.#waiting.push(body)
    this.#queue = this.#queue.then(async () => {
      const next = this.#twin === 'sends-the-last-first' ? this.#waiting.pop() : this.#waiting.shift()
      if (next === undefined) return
      await this.#send(next, false).catch((error: Error) => this.#options.onError(error))
    })
  }

  flush(): Promise<void> {
    return this.#queue
  }

  async close(last?: string): Promise<void> {
    await this.#queue
    await this.#send(last, true)
  }

  async restart(): Promise<void> {
    await this.#queue
    this.epoch += 1
    this.#seq = 0
  }

  async #send(body: string | undefined, closes: boolean): Promise<void> {
    const response = await this.#post(body, closes)
    const theirs = Number(response.headers.get('producer-epoch') ?? this.epoch)
    const isFirst = this.#seq === 0
    if (response.status === 403 && this.#options.autoClaim) return this.#claim(theirs, body, closes)
    if (response.status === 403 && this.#twin === 'claims-when-fenced') return this.#claim(theirs, body, closes)
    if (response.status === 403) throw new StaleEpochError(`the epoch is ${theirs}`)
    const isForeign = response.status === 204 && isFirst && this.#options.autoClaim
    if (isForeign && this.#twin !== 'believes-a-foreign-duplicate') return this.#claim(theirs, body, closes)
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
    this.#seq += 1
    // Broken: it takes its own answer for lost, and sends the append again as a new one.
    if (this.#twin === 'sends-an-append-twice' && this.#seq === 2) await this.#send(body, closes)
  }

  #claim(epoch: number, body: string | undefined, closes: boolean): Promise<void> {
    this.epoch = epoch + 1
    this.#seq = 0
    // Broken: what had been sent beside the claim was refused with it, and is not sent again.
    if (this.#twin === 'claims-beside-its-batches') this.#waiting.splice(0, 4)
    return this.#send(body, closes)
  }

  #post(body: string | undefined, closes: boolean): Promise<Response> {
    const { url, contentType, producerId } = this.#options
    const headers = {
      'content-type': contentType,
      'producer-id': producerId,
      'producer-epoch': String(this.epoch),
      'producer-seq': String(this.#seq),
      ...(closes ? { 'stream-closed': 'true' } : {}),
    }
    return fetch(url, { method: 'POST', headers, body: body ?? null })
  }
}
