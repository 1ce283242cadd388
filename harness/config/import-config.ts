/** Runs a configuration file, and tells in one sentence where and why that does not work. */
import { stat } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { exitCodes, UsageError } from '../errors.ts'
import { neutralise } from '../report/neutralise.ts'
import { AwaitedTooLong, within } from '../until.ts'

const endings = /\.m?([jt])s$/
const ownTypes = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'define-config.mjs')

/**
 * What the file exports by default, whatever that is. `shown` is how the user would name it. It is a module of
 * ECMAScript, whatever the package.json above it says of such files.
 */
export async function importConfig(file: string, shown: string, loadMsMax: number): Promise<unknown> {
  await refuseOther(file, shown)
  const module = await runModule(file, shown, loadMsMax)
  if (module.default !== undefined) return module.default
  throw new UsageError(`${shown} has no default export; write: export default defineConfig({ … }).`)
}

async function refuseOther(file: string, shown: string): Promise<void> {
  if (!endings.test(file)) throw new UsageError(`The configuration file ${shown} is none that can be run; it ends in .ts, .mts, .js or .mjs.`)
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The configuration file ${shown} cannot be read (${error.code}); give its path with --config.`)
  })
  if (!found.isFile()) throw new UsageError(`The configuration file ${shown} is no file; give its path with --config.`)
}

/** Ending the process would end the command, with whatever code: with 0 it would look like a verdict. */
function refuseToEnd(shown: string): Disposable {
  const tell = () => {
    process.exitCode = exitCodes.usage
    process.stderr.write(`${neutralise(shown)} ended the process while it was read; throw an error instead.\n`)
  }
  process.on('exit', tell)
  return { [Symbol.dispose]: () => process.off('exit', tell) }
}

async function runModule(file: string, shown: string, loadMsMax: number): Promise<{ default?: unknown }> {
  const { href } = pathToFileURL(file)
  const format = endings.exec(file)![1] === 't' ? 'module-typescript' : 'module'
  using _ending = refuseToEnd(shown)
  const hooks = registerHooks({ load: (url, context, next) => next(url, url === href ? { ...context, format } : context) })
  try {
    return (await within(import(href), { for: 'its end', timeoutMs: loadMsMax })) as { default?: unknown }
  } catch (error) {
    throw new UsageError(loadingFailed(error, file, shown, loadMsMax), { cause: error })
  } finally {
    hooks.deregister()
  }
}

function loadingFailed(error: unknown, file: string, shown: string, loadMsMax: number): string {
  if (error instanceof AwaitedTooLong) return `${shown} had not ended after ${loadMsMax.toLocaleString('en-US')} ms; what it awaits does not come.`
  if (!(error instanceof Error)) return `${shown} threw ${JSON.stringify(error) ?? String(error)}.`
  const { code } = error as NodeJS.ErrnoException
  const said = error.message.split('\n')[0]!.replace(/\.$/, '')
  if (code === 'ERR_MODULE_NOT_FOUND') return notFound(said, file, shown)
  const at = brokenLine(error)
  if (at !== null) {
    const place = at.file === file ? shown : at.file
    return `${place}:${at.line}: ${said}${code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' ? '; write it without' : ''}.`
  }
  const frame = frameIn(error, file)
  return `${shown}${frame} threw an error: ${said === '' ? error.name : said}.`
}

/** `Cannot find module '/a/b.mjs' imported from /c/simulate.config.ts` */
function notFound(said: string, file: string, shown: string): string {
  const [, missing, from] = /^Cannot find (?:module|package) '(.*?)' imported from (.*)$/.exec(said) ?? []
  if (missing === undefined) return `${shown}: ${said}.`
  const hint = missing.includes('define-config') ? `; here it is ${relativeImport(file)}` : ''
  return `${from === file ? shown : from} imports ${missing}, which is not there${hint}.`
}

function relativeImport(file: string): string {
  const relative = path.relative(path.dirname(file), ownTypes).split(path.sep).join('/')
  return relative.startsWith('.') ? relative : `./${relative}`
}

/** Where Node did not understand a file: the first line of such an error's stack. */
function brokenLine({ stack = '' }: Error): { file: string; line: string } | null {
  const [, place, line] = /^((?:file:\/\/)?\/.*):(\d+)\n/.exec(stack) ?? []
  return place === undefined ? null : { file: place.startsWith('file:') ? fileURLToPath(place) : place, line: line! }
}

/** ':3:9', where the error passed through this file. */
function frameIn({ stack = '' }: Error, file: string): string {
  const frame = stack.split('\n').find((line) => line.includes(pathToFileURL(file).href) && /^\s+at /.test(line))
  return /:\d+:\d+(?=\)?$)/.exec(frame ?? '')?.[0] ?? ''
}
