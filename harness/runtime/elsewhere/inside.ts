/**
 * What runs in the container engine that is elsewhere: starts the command, passes on what is said on its
 * standard input (a signal's name a line), and takes the end of that for the end of the harness outside.
 * It ends when the command has, and the supervisors of its runs with it: else the container's end would
 * be theirs.
 *
 *   node inside.ts <what node is given for the command>
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { runsFolder } from '../run-folder.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** Of the command, once nobody is there any more to be told anything. */
const orphanMsMax = 4_000
const supervisorsMsMax = 8_000
const lookEveryMs = 20

async function main(args: string[]): Promise<number> {
  mkdirSync(tmpdir(), { recursive: true })
  const command = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  for (const signal of signals) process.on(signal, () => command.kill(signal))
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => void signals.filter((signal) => signal === line.trim()).forEach((signal) => command.kill(signal)))
  lines.once('close', () => {
    command.kill('SIGHUP')
    setTimeout(() => command.kill('SIGKILL'), orphanMsMax).unref()
  })
  const { promise, resolve } = Promise.withResolvers<number>()
  command.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]))
  const code = await promise
  const deadline = performance.now() + supervisorsMsMax
  while (existsSync(runsFolder()) && performance.now() < deadline) await delay(lookEveryMs)
  return code
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)))
