/** Lets nginx itself say whether a configuration is right, in terms of the user's own file and lines. */
import { mkdirSync } from 'node:fs'
import { confinedEnvironment, searchPath } from '../../confine/environment.ts'
import type { SourceLine } from '../../confine/includes.ts'
import { redactText } from '../../confine/redact.ts'
import { onThisHost, type RunProgram } from '../../confine/run-program.ts'
import { UsageError } from '../../errors.ts'

export interface TestNginxOptions {
  readonly program: string
  /** The confined configuration. */
  readonly file: string
  /** A folder of the run; nginx writes below it only. */
  readonly workDir: string
  /** `ConfinedNginx.lines`, to name the user's files in messages. */
  readonly lines: readonly SourceLine[]
  /** How it is run; on this host unless told. */
  readonly run?: RunProgram | undefined
}

const timeoutMs = 20_000
const wordsMax = 600

/**
 * `nginx -t`: reads the configuration and makes its folders; it listens nowhere.
 *
 * @throws UsageError with nginx's own words
 */
export async function testNginx({ program, file, workDir, lines, run = onThisHost }: TestNginxOptions): Promise<void> {
  mkdirSync(workDir, { recursive: true })
  const args = ['-t', '-q', '-e', 'stderr', '-p', `${workDir}/`, '-c', file]
  const env = { ...confinedEnvironment(workDir), PATH: searchPath(process.env) }
  const result = await run(program, { args, cwd: workDir, env, timeoutMs })
  if (result.exitCode === 0) return
  if (result.exitCode === undefined) throw new UsageError(`${program} could not be run: ${result.shortMessage}.`)
  throw new UsageError(nginxError(result.stderr, file, lines))
}

/** `nginx: [emerg] unknown directive "foo" in /run/edge.conf:12` as the user's file and line. */
export function nginxError(stderr: string, file: string, lines: readonly SourceLine[]): string {
  const said = /\[emerg\] (?:\d+#\d+: )?(.*)/.exec(stderr)?.[1] ?? stderr.trim()
  const at = / in \S+:(\d+)$/.exec(said)
  const words = redactText(said.replace(/ in \S+:\d+$/, '')).slice(0, wordsMax)
  const place = at === null ? { file: lines[0]?.file ?? file, line: null } : (lines[Number(at[1]) - 1] ?? { file, line: Number(at[1]) })
  return `${place.file}${place.line === null ? '' : `:${place.line}`}: ${words} (said by nginx).`
}
