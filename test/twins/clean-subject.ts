/**
 * What each scenario is green on, so that what it finds elsewhere is not its own fault: the sound origin
 * and the sound client, behind the judged cache and TLS edge. Started directly, it is the public command on
 * these: `node test/twins/clean-subject.ts kill-under-load`. Such a run is never `ready`.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(import.meta.dirname, '../..')
const programs = path.join(import.meta.dirname, 'programs')
const command = path.join(root, 'harness/cli.ts')

/** The tests that show these on a subject of their own. */
const onOthers: Record<string, string> = {
  // Drawn into minutes or days, on an origin that does not grow.
  soak: 'twins/soak.test.ts',
  // A data_dir that the production server itself wrote.
  'copied-data-dir-opens': 'cli/data-dir-from.test.ts',
}

export type CleanSubject = { sound: true } | { sound: false; shownBy: string }

export function cleanSubjectOf(scenario: string): CleanSubject {
  const shownBy = onOthers[scenario]
  return shownBy === undefined ? { sound: true } : { sound: false, shownBy }
}

export const scenariosOnOthers = Object.keys(onOthers)

/** Variants that the sound origin has: all there are. */
export const variants = readdirSync(path.join(root, 'harness/variants'))
  .map((name) => path.basename(name, '.ts'))
  .filter((id) => id !== 'variant')

/** Arguments of the public command; for these figures the bounds of a small machine were tried. */
export const soundArguments = ['--origin', 'reference', '--readers', '150', '--streams', '130']

export function soundEnvironment(): Record<string, string> {
  return {
    TWIN: 'sound',
    DURABLE_STREAMS_TWIN_ORIGIN: path.join(programs, 'sound-origin.ts'),
    DURABLE_STREAMS_TWIN_CLIENT: path.join(programs, 'broken-client.ts'),
    DURABLE_STREAMS_TWIN_FILE_HANDLES: '100',
    DURABLE_STREAMS_TWIN_VARIANTS: variants.join(),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = spawnSync(process.execPath, [command, ...process.argv.slice(2), ...soundArguments], { env: { ...process.env, ...soundEnvironment() }, stdio: 'inherit' }).status ?? 70
}
