/**
 * What a harness that runs inside a container engine was told by the one that put it there: nothing of
 * it is asked twice, and the report is that of the user's machine. docs/containers.md, "An engine that
 * is elsewhere".
 */
import { readFileSync } from 'node:fs'
import type { Result } from '../../report/result.ts'

/** The variable that names the file; set only by the harness that stays outside. */
export const toldVariable = 'DURABLE_STREAMS_TOLD'
export const toldFile = '/durable-streams-told.json'

/** Where the run's temporary data is, in everything: a short path, since Unix sockets lie below it. */
export const dataFolder = '/durable-streams'
/** The inner harness's XDG_CACHE_HOME. */
export const cacheThere = `${dataFolder}/cache`

/** A volume of the run, at the same path in everything. */
export interface SharedVolume {
  target: string
  volume: string
}

/** How wide a stream of the user's terminal is; null where it is none. */
export type Terminal = Record<'stdout' | 'stderr', { columns: number } | null>

export interface Told {
  volumes: SharedVolume[]
  /** Holds Node and the dependencies: the project's Node programs run in it. */
  image: string
  /** For whatever is started here: who removes it when all else fails. */
  labels: Record<string, string>
  /** The engine, as the user's machine reaches it. */
  engine: string
  terminal: Terminal
  /** Of the checkout, whose history stayed at home. */
  harness: Result['harness']
  /** The command's own: its options and what it had read already. */
  given: unknown
}

let read: Told | null | undefined

/** Null for a harness that runs where it was started. */
export function told(): Told | null {
  const file = process.env[toldVariable]
  return (read ??= file === undefined ? null : (JSON.parse(readFileSync(file, 'utf8')) as Told))
}

/** Makes this process's streams what they are where its user sits. */
export function takeTerminal(terminal: Terminal): void {
  for (const name of ['stdout', 'stderr'] as const) {
    const seen = terminal[name]
    if (seen !== null) Object.assign(process[name], { isTTY: true, columns: seen.columns })
  }
}
