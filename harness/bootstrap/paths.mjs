import { dirname, join } from 'node:path'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The checkout this file belongs to. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const modules = join(root, 'node_modules')
export const lockFile = join(root, 'package-lock.json')

/** What was installed, and which Node was seen to work; inside, so that it goes with the folder. */
export const stampFile = join(modules, '.durable-streams-simulator.json')

/** Where Node keeps what it made of our TypeScript: half of a warm start's time otherwise. */
export const compileCache = join(modules, '.cache', 'durable-streams-simulator')

/** The parsed file, or undefined when it is missing or damaged. */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}
