/** Runs the public command on files, and reads what it left. */
import { globSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { readSavedResult } from '../saved-result.ts'
import type { Ran } from './outcome.ts'

const cli = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'cli.ts')
const runMsMax = 900_000
const endMsMax = 10_000
/** Of a mutant that floods its log, the beginning says enough. */
const logCharactersMax = 4_000_000

export interface SimulationRun {
  scenarios: readonly string[]
  flags: readonly string[]
  /** A folder of its own. */
  out: string
  brokeDown: RegExp
  signal: AbortSignal
}

/** Never throws for what the run finds; an interruption is passed on to it, and thrown when it has ended. */
export async function simulateOnce({ scenarios, flags, out, brokeDown, signal }: SimulationRun): Promise<Ran> {
  await mkdir(out, { recursive: true })
  // Whoever has a configuration file of his own here did not mean these runs.
  const ended = await execa(process.execPath, [cli, ...scenarios, ...flags, '--config', 'none', '--out', out], {
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    timeout: runMsMax,
    cancelSignal: signal,
    forceKillAfterDelay: endMsMax,
  })
  signal.throwIfAborted()
  const folder = path.join(out, 'latest')
  const result = await readSavedResult(folder).catch(() => null)
  return { exitCode: ended.exitCode, said: lastWords(ended.stderr), result, brokeDown: brokenIn(folder, brokeDown) }
}

/** Without the lines of progress, each of which begins with its time. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^\d\d:\d\d:\d\dZ /.test(line))
  return lines.join('\n')
}

function brokenIn(folder: string, sign: RegExp): string | null {
  for (const file of globSync('logs/*.edge*', { cwd: folder })) {
    const found = sign.exec(readFileSync(path.join(folder, file), 'utf8').slice(0, logCharactersMax))
    if (found) return `the cache broke down: ${found[0]}`
  }
  return null
}
