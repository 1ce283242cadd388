/**
 * The public command as a real process in a place of its own, and what the machine shows of it:
 * processes, listening sockets, folders. Looked up here without the harness's own tags and lists,
 * so that what those forget is found.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Result } from '../../harness/report/result.ts'
import { until, within } from '../../harness/until.ts'

const root = path.resolve(import.meta.dirname, '../..')
const bootstrap = path.join(root, 'harness/bootstrap.mjs')
/** What the brief of clean-up allows. */
export const goneWithinMs = 10_000
const endWithinMs = 120_000

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface Process {
  pid: number
  /** Ticks since boot: the same number may be given to another process later. */
  startTicks: string
  parent: number
  command: string
}

export interface SimulationOptions {
  env?: Record<string, string | undefined>
  /** Replaces `node bootstrap.mjs simulate`; the arguments are appended. */
  command?: string[]
  /** Nothing is known from earlier runs. */
  freshCache?: boolean
}

/** Starts `npm run simulate -- …args` without npm, writing to folders of its own. */
export function startSimulation(args: string[], options: SimulationOptions = {}): Simulation {
  const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'simulate-test-')))
  const [program, ...before] = options.command ?? publicCommand
  for (const name of ['tmp', 'out', 'work']) mkdirSync(path.join(scratch, name))
  const child = spawn(program!, [...before, ...outOf(args, scratch), ...args], {
    // A group of its own, to be signalled as a terminal does.
    detached: true,
    // Programs that are not told where to work stay here, and are known by it.
    cwd: path.join(scratch, 'work'),
    env: {
      ...process.env,
      TMPDIR: path.join(scratch, 'tmp'),
      npm_lifecycle_event: '',
      ...(options.freshCache ? { XDG_CACHE_HOME: path.join(scratch, 'cache') } : {}),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Simulation(child, scratch)
}

export const publicCommand = [process.execPath, bootstrap, 'simulate']

function outOf(args: string[], scratch: string): string[] {
  return args.includes('--out') ? [] : ['--out', path.join(scratch, 'out')]
}

/** Runs it to its end. */
export async function simulate(args: string[], options: SimulationOptions = {}): Promise<Ended & { simulation: Simulation }> {
  const simulation = startSimulation(args, options)
  return { ...(await simulation.ended()), simulation }
}

export class Simulation implements AsyncDisposable {
  readonly child: ChildProcess
  readonly scratch: string
  readonly out: string
  readonly tmp: string
  #stdout = ''
  #stderr = ''
  #ended: Promise<Ended>

  constructor(child: ChildProcess, scratch: string) {
    this.child = child
    this.scratch = scratch
    this.out = path.join(scratch, 'out')
    this.tmp = path.join(scratch, 'tmp')
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject)
      // Not 'close': what is left behind may hold the pipes open, and shall be found, not awaited.
      child.once('exit', (code, signal) => {
        setImmediate(() => resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr }))
      })
    })
  }

  get stderr(): string {
    return this.#stderr
  }

  get pid(): number {
    return this.child.pid!
  }

  ended(): Promise<Ended> {
    return within(this.#ended, { for: `the command to end; it said: ${this.#stderr.slice(-400)}`, timeoutMs: endWithinMs })
  }

  /** Waits until it has said this on stderr. */
  async says(text: string): Promise<void> {
    const said = () => this.#stderr.includes(text) || this.#overEarly(text)
    await until(said, { for: `"${text}"; it said: ${this.#stderr.slice(-400)}`, timeoutMs: 60_000 })
  }

  #overEarly(text: string): false {
    if (this.child.exitCode === null && this.child.signalCode === null) return false
    throw new Error(`It ended before there was "${text}": ${this.#stderr.slice(-600)}`)
  }

  /** All its living processes: they descend from it, or name its folders. */
  processes(): Process[] {
    const all = listProcesses()
    const family = new Set([this.pid])
    // Children come after their parents only mostly: numbers are given again.
    for (let grown = true; grown; ) {
      const more = all.filter((one) => family.has(one.parent) && !family.has(one.pid))
      for (const one of more) family.add(one.pid)
      grown = more.length > 0
    }
    return all.filter((one) => family.has(one.pid) || belongsTo(one.pid, this.scratch))
  }

  /** Its processes whose command line holds all of these words. */
  running(...words: string[]): Process[] {
    return this.processes().filter((one) => words.every((word) => one.command.includes(word)))
  }

  /** Waits until its fleet holds this many connections. */
  async holdsReaders(readers: number): Promise<void> {
    const held = () => this.running('fleet.ts').some((one) => socketsOf(one.pid).length >= readers) || this.#overEarly(`${readers} readers`)
    await until(held, { for: `${readers} readers; it said: ${this.#stderr.slice(-400)}`, timeoutMs: 60_000, everyMs: 5 })
  }

  /** The folder of its one run. */
  get runFolder(): string {
    const [runId, ...others] = this.runFolders()
    if (runId === undefined || others.length > 0) throw new Error(`One run was expected below ${this.out}, there are ${others.length + 1}.`)
    return path.join(this.out, runId)
  }

  runFolders(): string[] {
    return readdirSync(this.out).filter((name) => name !== 'latest')
  }

  result(runId = path.basename(this.runFolder)): Result {
    return JSON.parse(readFileSync(path.join(this.out, runId, 'result.json'), 'utf8')) as Result
  }

  /** What there is below its folder for temporary data. */
  temporary(): string[] {
    return entriesBelow(this.tmp)
  }

  /** What of it is on the machine, in words; empty when nothing is. */
  traces(before: Belongings): string[] {
    const alive = new Map(listProcesses().map((one) => [one.pid, one]))
    const known = before.processes.filter((one) => alive.get(one.pid)?.startTicks === one.startTicks)
    const found = listProcesses().filter((one) => belongsTo(one.pid, this.scratch))
    const processes = new Map([...known, ...found].map((one) => [one.pid, one]))
    const listening = listeners()
    return [
      ...[...processes.values()].map((one) => `process ${one.pid}: ${one.command.slice(0, 160)}`),
      ...before.listeners.filter((inode) => listening.has(inode)).map((inode) => `a listener on port ${listening.get(inode)}`),
      ...this.temporary().map((name) => `temporary ${name}`),
    ]
  }

  /** Its processes and the sockets they listen on now. */
  belongings(): Belongings {
    const processes = this.processes()
    const listening = listeners()
    const own = new Set(processes.flatMap((one) => socketsOf(one.pid)))
    return { processes, listeners: [...listening.keys()].filter((inode) => own.has(inode)) }
  }

  /** Throws, naming what is left, when traces remain 10 s from now. */
  async leavesNothing(before: Belongings): Promise<void> {
    let left: string[] = []
    const gone = () => (left = this.traces(before)).length === 0
    await until(gone, { for: 'everything of the run to be gone', timeoutMs: goneWithinMs, everyMs: 50 }).catch((error: Error) => {
      throw new Error(`${error.message} Left are:\n${left.slice(0, 20).join('\n')}`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.child.exitCode !== null || this.child.signalCode !== null
    for (const one of this.processes()) {
      // Its own number may have been given to somebody else.
      if (one.pid !== this.pid || !ended) killQuietly(one.pid)
    }
    await this.#ended.catch(() => {})
    if (!process.env.KEEP_SIMULATIONS) rmSync(this.scratch, { recursive: true, force: true, maxRetries: 5 })
  }
}

export interface Belongings {
  processes: Process[]
  /** Inodes of listening sockets. */
  listeners: string[]
}

/** Folders may go while they are read. */
function entriesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    return ['that is being removed']
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Ended meanwhile.
  }
}

function listProcesses(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? [])
}

/** Null for one that is gone, or has ended and is not yet buried. */
function readProcess(pid: number): Process | null {
  const stat = readQuietly(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, parent, startTicks] = [fields[0], fields[1], fields[19]]
  if (parent === undefined || startTicks === undefined || state === 'Z' || state === 'X') return null
  const command = readQuietly(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
  return { pid, parent: Number(parent), startTicks, command }
}

function belongsTo(pid: number, scratch: string): boolean {
  if (pid === process.pid) return false
  return `${linkQuietly(`/proc/${pid}/cwd`)}/`.startsWith(`${scratch}/`) || namesFolder(pid, scratch)
}

function namesFolder(pid: number, scratch: string): boolean {
  return ['cmdline', 'environ'].some((what) => readQuietly(`/proc/${pid}/${what}`).includes(scratch))
}

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  if (!existsSync(folder)) return []
  try {
    return readdirSync(folder).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(linkQuietly(`${folder}/${fd}`))?.[1] ?? [])
  } catch {
    return []
  }
}

/** Listening TCP sockets: inode to port. */
function listeners(): Map<string, number> {
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readQuietly(file).split('\n').slice(1))
  return new Map(
    lines.flatMap((line): [string, number][] => {
      const columns = line.trim().split(/\s+/)
      if (columns[3] !== '0A') return []
      return [[columns[9]!, Number.parseInt(columns[1]!.split(':').at(-1)!, 16)]]
    }),
  )
}

function readQuietly(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

function linkQuietly(file: string): string {
  try {
    return readlinkSync(file)
  } catch {
    return ''
  }
}
