/** Ends processes for certain: looks again until none is left, or says that some would not go. */
import { setTimeout as delay } from 'node:timers/promises'
import { HarnessError } from '../errors.ts'
import { identityOf, isAlive, signalQuietly, type ProcessIdentity } from './process-table.ts'

/**
 * Kills what `find` returns until it returns nothing, and all of that is gone. A process that forks
 * while it is killed is caught by the next look. One that is ending may not be found any more while
 * its sockets are still open: the kernel gives back its memory, and with it its environment, first.
 * @throws HarnessError when some are still there after `timeoutMs`
 */
export async function killUntilGone(
  find: () => number[],
  what: string,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  let left: ProcessIdentity[] = []
  for (;;) {
    const known = new Set(left.map(({ pid }) => pid))
    const found = find().filter((pid) => !known.has(pid)).flatMap((pid) => identityOf(pid) ?? [])
    left = [...left, ...found].filter(isAlive)
    if (left.length === 0) return
    if (performance.now() > deadline) {
      throw new HarnessError(`${left.length} processes of ${what} outlived SIGKILL by ${timeoutMs} ms.`)
    }
    for (const { pid } of left) signalQuietly(pid, 'SIGKILL')
    await delay(1)
  }
}
