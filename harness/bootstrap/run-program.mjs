import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { exitFault, Stop } from './stop.mjs'

const keptCharacters = 1_000_000

/**
 * Starts a program in a session of its own: Ctrl-C, which a terminal sends to its whole process
 * group and npm forwards once more, then reaches the program once, from us.
 */
export function start(program, args, options) {
  const child = spawn(program, args, { detached: true, ...options })
  child.on('error', () => {}) // untilEnd() tells; before it listens nothing must be thrown.
  return child
}

/** Runs a program whose output matters only when it fails. */
export async function runQuietly(program, args, options, relay) {
  if (isAbsolute(program) && !existsSync(program)) {
    throw new Stop(exitFault, `${program} is missing; it is needed to go on.`)
  }
  relay.stopIfInterrupted()
  const child = start(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-keptCharacters)
    })
  }
  const code = await relay.untilEnd(child, 'close')
  relay.stopIfInterrupted()
  return { code, output }
}

/** Without addresses: a registry's may carry a password, and logs are passed around. */
export function lastLines(output) {
  const lines = output
    .trim()
    .replaceAll(/\bhttps?:\/\/\S+/g, '(address)')
    .split('\n')
  return lines.slice(-15).join('\n')
}
