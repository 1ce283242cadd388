/** The programs these tests run, where the machine has them. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

const folders = [
  ...(process.env.PATH ?? '').split(':'),
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
]

/** The path of a program, or null where there is none. */
export function findProgram(name: string): string | null {
  return (
    folders
      .filter(Boolean)
      .map((folder) => join(folder, name))
      .find(isExecutable) ?? null
  )
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The production server, where the environment names it. */
export const serverBinary = process.env.DURABLE_STREAMS_SERVER_BIN || null

export const plainCaddy = findProgram('caddy')

export const varnishd = findProgram('varnishd')

/** Says loudly that a part of the tests could not run, and why. */
export function sayNotTested(what: string, because: string): void {
  console.warn(`NOT TESTED: ${what}: ${because}`)
}
