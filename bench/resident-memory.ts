/** How much memory a process had at most, as the kernel counts it. */
import { readFileSync } from 'node:fs'

const everyMs = 50

/** Looks at a process until it is told to stop. */
export function watchResidentMax(pid: number): { stop(): number } {
  let maxKb = 0
  // The kernel keeps the maximum itself; only the last look before the end is needed.
  const look = () => void (maxKb = Math.max(maxKb, residentMaxKb(pid)))
  const timer = setInterval(look, everyMs)
  look()
  return {
    stop() {
      clearInterval(timer)
      return maxKb
    },
  }
}

function residentMaxKb(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
