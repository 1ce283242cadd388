/** Writes that were taken and have not been answered yet: a stop waits for them, and for no reader. */
import type { IncomingMessage, ServerResponse } from 'node:http'

export function isWrite({ method }: IncomingMessage): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'
}

export class WritesUnderWay {
  #count = 0
  #none = Promise.withResolvers<void>()

  note(request: IncomingMessage, response: ServerResponse): void {
    if (!isWrite(request)) return
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
