/** Which configuration file a command reads. */
import { lstatSync } from 'node:fs'
import path from 'node:path'
import { UsageError } from '../errors.ts'

/** The first is the usual one; the others say by their name what a project's package.json may say otherwise. */
const names = ['simulate.config.ts', 'simulate.config.mts', 'simulate.config.js', 'simulate.config.mjs']

/**
 * The file that was given, relative to `cwd` or absolute; else the one in `cwd`. Null where there is none, and
 * for "none". Throws UsageError where there are two to choose from.
 */
export function findConfig(given: string | undefined, cwd: string): string | null {
  if (given === 'none') return null
  if (given !== undefined) return given
  // A link to nowhere is there, and is told when it is read.
  const found = names.filter((name) => lstatSync(path.join(cwd, name), { throwIfNoEntry: false }) !== undefined)
  if (found.length > 1) throw new UsageError(`There are two configuration files in ${cwd}, ${found.slice(0, 2).join(' and ')}; remove one, or choose with --config.`)
  return found[0] ?? null
}
