/** Lets Varnish itself say whether a VCL is right, in terms of the user's own file and lines. */
import { mkdirSync } from 'node:fs'
import { UsageError } from '../../errors.ts'
import { confinedEnvironment, searchPath } from '../../confine/environment.ts'
import { redactText } from '../../confine/redact.ts'
import type { SourceLine } from '../../confine/includes.ts'
import { onThisHost, type RunProgram } from '../../confine/run-program.ts'

export interface CompileVclOptions {
  readonly varnishdPath: string
  /** The file to compile: the confined one. */
  readonly file: string
  /** A folder of the run; Varnish and its C compiler write below it only. */
  readonly workDir: string
  /** `ConfinedVcl.lines`, to name the user's files in messages. */
  readonly lines?: readonly SourceLine[]
  readonly timeoutMs?: number
  /** The command that compiles C, for machines where varnishd's own one does not fit. */
  readonly ccCommand?: string
  /** How the compiler is run; on this host unless told. */
  readonly run?: RunProgram | undefined
}

const wordsMax = 600

/**
 * Compiles a VCL without starting a cache.
 *
 * @throws UsageError with the compiler's own words, or saying that no C compiler was found.
 */
export async function compileVcl(options: CompileVclOptions): Promise<void> {
  const { varnishdPath, file, workDir, timeoutMs = 60_000, run = onThisHost } = options
  mkdirSync(workDir, { recursive: true })
  const compiler = options.ccCommand === undefined ? [] : ['-p', `cc_command=${options.ccCommand}`]
  const args = ['-C', '-j', 'none', '-f', file, '-n', workDir, ...compiler]
  const env = { ...confinedEnvironment(workDir), PATH: searchPath(process.env) }
  const result = await run(varnishdPath, { args, cwd: workDir, env, timeoutMs })
  if (result.exitCode === 0) return
  if (result.timedOut) throw new UsageError(`Varnish did not compile ${file} in ${timeoutMs} ms.`)
  if (result.exitCode === undefined) {
    throw new UsageError(`${varnishdPath} could not be run: ${result.shortMessage}.`)
  }
  // The generated C goes to standard output; it is no message.
  throw new UsageError(compilerError(result.stderr, options))
}

function compilerError(stderr: string, { file, lines = [] }: CompileVclOptions): string {
  if (lacksCompiler(stderr)) {
    return (
      'Varnish needs a C compiler to load a VCL and found none; install one ' +
      '(Debian and Ubuntu: apt-get install gcc libc6-dev).'
    )
  }
  const failed = /^Running C-compiler failed, (.*)$/m.exec(stderr)
  if (failed !== null) return brokenCompiler(stderr, failed[1] ?? '')
  const at = /\('?([^'()]*?)'? Line (\d+) Pos (\d+)\)/.exec(stderr)
  const message = /Message from VCC-compiler:\n([\s\S]*?)(\nRunning VCC-compiler failed|$)/.exec(
    stderr,
  )
  const words = (message?.[1] ?? stderr).trim()
  if (at === null) {
    const first = lines[0]?.file ?? file
    return `${first}: ${redactText(oneSentence(words))} (said by Varnish's compiler).`
  }
  const place = lines[Number(at[2]) - 1] ?? { file, line: Number(at[2]) }
  return `${place.file}:${place.line}: ${redactText(oneSentence(words))} (said by Varnish's compiler).`
}

/** What Varnish itself says stands behind the whole C text, which is no message. */
function brokenCompiler(stderr: string, how: string): string {
  const said = /Message from C-compiler:\n([\s\S]*?)\nRunning C-compiler failed/.exec(stderr)?.[1] ?? ''
  const words = oneSentence(said)
  const quoted = words === '' ? 'said nothing' : `said "${redactText(words)}"`
  return `The C compiler that Varnish needs for each VCL does not work: it ${how} and ${quoted}; mend or reinstall it (Debian and Ubuntu: apt-get install --reinstall gcc libc6-dev).`
}

function lacksCompiler(stderr: string): boolean {
  if (!stderr.includes('Message from C-compiler')) return false
  return /not found|No such file or directory|Permission denied|exited with 127/.test(stderr)
}

/** What the compiler says before it names a place, and the line it quotes below that. */
function oneSentence(words: string): string {
  const lines = words.split('\n').map((line) => line.trim())
  const at = lines.findIndex((line) => / Line \d+ Pos \d+\)/.test(line))
  if (at < 0)
    return lines
      .filter((line) => line !== '')
      .join(' ')
      .slice(0, wordsMax)
  const said = lines.slice(0, at).filter((line) => line !== '' && !line.startsWith('(program line'))
  const quoted = lines[at + 1] ?? ''
  return `${said.join(' ')} at "${quoted}"`.slice(0, wordsMax)
}
