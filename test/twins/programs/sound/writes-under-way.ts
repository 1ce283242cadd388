/** Writes that were taken and have not been answered yet: a stop waits for them, and for no reader. */
import type { IncomingMessage, ServerResponse } from 'node:http'

export class WritesUnderWay {
  #count = 0
  #none = Promise.withResolvers<void>()

  note({ method }: IncomingMessage, response: ServerResponse): void {
    if (method === 'GET' || method === 'HEAD') return
    this.#count += 1
    response.once('close', () => {
      this.#count -= 1
      if (this.#count === 0) this.#none.resolve()
    })
  }

  async end(): Promise<void> {
    this.#none = Promise.withResolvers()
    if (this.#count > 0) await this.#none.promise
  }
}
