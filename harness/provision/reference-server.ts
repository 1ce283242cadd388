import { readFileSync } from 'node:fs'

/** The version of the reference server that npm installed. */
export function referenceVersion(): string {
  const file = new URL('../../node_modules/@durable-streams/server/package.json', import.meta.url)
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return version
}
