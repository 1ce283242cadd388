/** The few lines of a log that tell why a start failed. Pure. */

const stackLines = 16
const endLines = 8

/** Frames of Go itself, below the call that waits: the same in every stack. */
const plumbing = /^(runtime\.|internal\/|sync\.runtime_)/

/**
 * Of a Go program's dump the stack of its first goroutine, where the start hangs, without the frames
 * of Go's own scheduler; of any other log its end.
 */
export function logEssence(lines: string[]): string[] {
  const stack = lines.findIndex((line) => /^goroutine 1 (gp=\S+ m=\S+ )?(mp=\S+ )?\[/.test(line))
  if (stack === -1) return lines.slice(-endLines)
  return lines
    .slice(stack, stack + stackLines * 2)
    .filter((line) => !line.startsWith('\t') && !plumbing.test(line))
    .slice(0, stackLines)
    .map((line) => line.replace(/\(0x[^)]*\)|\(\{?0x.*$/, '()'))
}
