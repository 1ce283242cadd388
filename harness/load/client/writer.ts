/** One idempotent producer as an application writes it: append, flush, and an onError that takes note. */
import { setImmediate as turn } from 'node:timers/promises'
import { monotonicMs } from '../../clock.ts'
import type { ClientEvent, WriteOrder, WriterPlan } from './plan.ts'

/** The part of `IdempotentProducer` that applications use. */
export interface Producer {
  append(body: string): void
  flush(): Promise<void>
  close(last?: string): Promise<unknown>
  restart(): Promise<void>
  readonly epoch: number
}

export interface ProducerOptions extends Omit<WriterPlan, 'id'> {
  onError(error: Error): void
}

export class Writer {
  #producer: Producer
  #errors: { name: string; message: string }[] = []
  #say: (event: ClientEvent) => void

  constructor({ id: _id, ...plan }: WriterPlan, produce: (options: ProducerOptions) => Producer, say: (event: ClientEvent) => void) {
    this.#say = say
    this.#producer = produce({ ...plan, onError: (error) => this.#note(error) })
  }

  async write({ order, records, also }: WriteOrder): Promise<void> {
    this.#errors = []
    try {
      if (also === 'restart') await this.#producer.restart()
      const last = also === 'close' ? records.at(-1) : undefined
      for (const { body } of last ? records.slice(0, -1) : records) {
        this.#producer.append(body)
        await turn()
      }
      await this.#producer.flush()
      if (last) await this.#producer.close(last.body)
    } catch (error) {
      this.#note(error as Error)
    }
    this.#say({ event: 'wrote', order, epoch: this.#producer.epoch, errors: this.#errors, atMs: monotonicMs() })
  }

  #note(error: Error): void {
    this.#errors.push({ name: error.name, message: error.message.slice(0, 160) })
  }
}
