/**
 * Readers that are done hang up a turn later, so that what is still on its way to them is seen, and
 * not before the control event of their last data event.
 */
export class HangUps {
  #done: number[] = []
  #next: number[] = []

  note(reader: number): void {
    this.#done.push(reader)
  }

  /** Hangs up those who were done before the last turn; who has to wait is asked again in the next. */
  turn(mustWait: (reader: number) => boolean, hangUp: (reader: number) => void): void {
    for (const reader of this.#next) {
      if (mustWait(reader)) this.#done.push(reader)
      else hangUp(reader)
    }
    this.#next = this.#done
    this.#done = []
  }
}
