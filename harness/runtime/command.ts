/** Runs a short program to its end and collects what it says. */
import type { Readable } from 'node:stream'
import { HarnessError } from '../errors.ts'
import type { OwnedProcess } from './owned-process.ts'
import type { CommandResult } from './runtime.ts'

const outputBytesMax = 64 * 1024 ** 2

/**
 * Waits for the program's end.
 * @throws HarnessError past `timeoutMs`, or when it says more than 64 MiB; it is killed then
 */
export async function runCommand(owned: OwnedProcess, what: string, timeoutMs: number): Promise<CommandResult> {
  const { child } = owned
  const output = Promise.all([collect(child.stdout!, what), collect(child.stderr!, what)])
  // Judged below, after the program has been killed.
  output.catch(() => void owned.kill())
  if (!(await owned.exitedWithin(timeoutMs))) {
    await owned.kill()
    throw new HarnessError(`${what} did not end within ${timeoutMs} ms.`)
  }
  const { code } = await owned.exited
  const [stdout, stderr] = await output
  return { code, stdout, stderr }
}

async function collect(stream: Readable, what: string): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > outputBytesMax) throw new HarnessError(`${what} said more than ${outputBytesMax} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
