/** `npm run simulate -- …`: reads the flags, sets up, runs, shows the result, ends with its code. */
import { constants, existsSync } from 'node:fs'
import { access, mkdir, readdir, statfs } from 'node:fs/promises'
import { randomInt } from 'node:crypto'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { audit } from './audit.ts'
import { parseOptions, type Options } from './options.ts'
import { exitCodes, UsageError } from './errors.ts'
import { gather } from './gather.ts'
import { hostLimit } from './host-limit.ts'
import { loadScenarios, planRun, type Plan } from './plan.ts'
import { provision } from './provision/provision.ts'
import { openProgress, type Progress } from './report/progress.ts'
import { renderTerminal } from './report/terminal.ts'
import type { Result } from './report/result.ts'
import { run } from './run.ts'
import { openProcessRuntime } from './runtime/processes.ts'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
const freeBytesMin = 1024 ** 3
const endWithinMs = 9_000

process.exitCode = await main(process.argv.slice(2)).catch(explain)

async function main(args: string[]): Promise<number> {
  const options = parseOptions(args)
  const plan = planRun(await loadScenarios(path.join(root, 'scenarios')), options.ids)
  if (options.list) return list(plan)
  const interrupt = interruption()
  const progress = openProgress(process.stderr, {
    tty: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 80,
    colour: coloured(process.stderr),
  })
  try {
    const result = await simulate(options, plan, progress, interrupt)
    progress.end()
    show(result, options, path.resolve(options.out ?? path.join(root, 'reports')))
    return result.exitCode
  } finally {
    progress.end()
  }
}

async function simulate(options: Options, plan: Plan, progress: Progress, signal: AbortSignal): Promise<Result> {
  const out = path.resolve(options.out ?? path.join(root, 'reports'))
  await checkOutput(out)
  const provided = await provision({ ...options, env: process.env, signal, onProgress: (line) => progress.note(line) })
  const subject = await gather({
    ...provided,
    ...(options.caddyfile === undefined ? {} : { caddyfile: options.caddyfile }),
    ...(options.vcl === undefined ? {} : { vcl: options.vcl }),
  })
  if (provided.server.kind === 'reference') progress.note(`REFERENCE SERVER, not production: ${provided.server.because}`)
  const runId = newRunId()
  const folder = path.join(out, runId)
  await mkdir(path.join(folder, 'logs'), { recursive: true })
  const seed = options.seed ?? randomInt(2 ** 31)
  await using runtime = await openProcessRuntime({ runId, logsDir: path.join(folder, 'logs'), signal })
  return await run({
    runId,
    folder,
    subject,
    plan,
    runtime,
    audits: audit(subject),
    sizes: { profile: options.profile, readers: options.readers, streams: options.streams, staleMs: options.staleMs },
    seed,
    options: { ...options },
    reproduceOptions: reproduceOptions(options, seed),
    readersMax: await hostLimit(options.readers),
    progress,
    signal,
  })
}

function reproduceOptions(options: Options, seed: number): string {
  const flags: [string, string | number | undefined][] = [
    ['--seed', seed],
    ['--profile', options.profile === 'quick' ? undefined : options.profile],
    ['--origin', options.origin === 'auto' ? undefined : options.origin],
    ['--server-bin', options.serverBin],
    ['--caddyfile', options.caddyfile],
    ['--vcl', options.vcl],
    ['--readers', options.readers === 10_000 ? undefined : options.readers],
    ['--stale-ms', options.staleMs === 1_000 ? undefined : options.staleMs],
  ]
  return flags.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${value}`])).join(' ')
}

function list(plan: Plan): number {
  for (const scenario of plan.scenarios) {
    process.stdout.write(`${scenario.id.padEnd(34)} ${scenario.title}\n${' '.repeat(35)}proves ${scenario.proves.join(', ')}\n`)
  }
  return exitCodes.ready
}

function show(result: Result, options: Options, out: string): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
    return
  }
  const reportFile = path.relative(process.cwd(), path.join(out, result.runId, 'report.html'))
  const width = Math.min(process.stdout.columns ?? 80, 100)
  process.stdout.write(renderTerminal(result, { width, colour: coloured(process.stdout), reportFile }))
}

/** https://no-color.org: any non-empty value switches colour off. */
function coloured(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR
}

/** Aborted at the first SIGINT or SIGTERM, with the exit code as its reason. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  const interrupt = (code: number) => {
    controller.abort(code)
    // Whatever still hangs then is left to the supervisor, which stops and removes all that is ours.
    setTimeout(() => process.exit(code), endWithinMs).unref()
  }
  process.once('SIGINT', () => interrupt(exitCodes.interrupted))
  process.once('SIGTERM', () => interrupt(exitCodes.terminated))
  return controller.signal
}

/** '2026-11-24T04-58-42-1a2b': sorts by time, and two at once differ. */
function newRunId(): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
  return `${time}-${randomInt(0x10000).toString(16).padStart(4, '0')}`
}

/** Refuses a folder that cannot be written, or a disk that is almost full, before anything is made. */
async function checkOutput(out: string): Promise<void> {
  const existing = nearestExisting(out)
  try {
    await access(existing, constants.W_OK)
    // Making folders below /proc can go on for ever.
    if (out.startsWith('/proc/')) throw Object.assign(new Error(), { code: 'EROFS' })
    await readdir(existing)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw new UsageError(`Nothing can be written to the output folder ${out} (${code}); give another one with --out.`)
  }
  const { bavail, bsize } = await statfs(existing)
  if (bavail * bsize < freeBytesMin) {
    const free = Math.round((bavail * bsize) / 1024 ** 2)
    throw new UsageError(`Only ${free} MiB are free where the output folder ${out} is; a run needs 1,024 MiB: free some, or give another folder with --out.`)
  }
}

function nearestExisting(folder: string): string {
  return existsSync(folder) ? folder : nearestExisting(path.dirname(folder))
}

function explain(error: unknown): number {
  const real = error instanceof SuppressedError ? error.suppressed : error
  if (real instanceof UsageError) {
    process.stderr.write(`${real.message}\n`)
    return exitCodes.usage
  }
  process.stderr.write(`The harness failed; this says nothing of your server.\n${real instanceof Error ? real.stack : String(real)}\n`)
  return exitCodes.harnessFault
}
