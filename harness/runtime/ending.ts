/** Ends processes for certain: looks again until none is left, or says that some would not go. */
import { setTimeout as delay } from 'node:timers/promises'
import { HarnessError } from '../errors.ts'
import { signalQuietly } from './process-table.ts'

/**
 * Kills what `find` returns until it returns nothing. A process that forks while it is killed is
 * caught by the next look.
 * @throws HarnessError when some are still there after `timeoutMs`
 */
export async function killUntilGone(
  find: () => number[],
  what: string,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const left = find()
    if (left.length === 0) return
    if (performance.now() > deadline) {
      throw new HarnessError(`${left.length} processes of ${what} outlived SIGKILL by ${timeoutMs} ms.`)
    }
    for (const pid of left) signalQuietly(pid, 'SIGKILL')
    await delay(1)
  }
}
