/**
 * What Linux tells about processes below /proc. Every function copes with processes that end while
 * they are looked at: what is gone is left out.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { setImmediate as yieldToEvents } from 'node:timers/promises'
import type { Usage } from './runtime.ts'

/** Every process of a run carries this variable, and its children inherit it. */
export const runTag = 'DURABLE_STREAMS_SIMULATION_RUN'
/** Which start of which service a process belongs to. */
export const serviceTag = 'DURABLE_STREAMS_SIMULATION_SERVICE'

/** A process for certain: a number alone may be given to another one later. */
export interface ProcessIdentity {
  pid: number
  /** Clock ticks between boot and the start of the process. */
  startTicks: number
}

interface ProcessState {
  state: string
  processGroup: number
  threads: number
  startTicks: number
}

/** All process ids there are now. */
export function listPids(): number[] {
  return readdirSync('/proc').filter(isNumber).map(Number)
}

function isNumber(name: string): boolean {
  const first = name.charCodeAt(0)
  return first >= 48 && first <= 57
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return null
  }
}

/** State letter, group and start time of a process, or null where there is none. */
function stateOf(pid: number): ProcessState | null {
  const text = read(`/proc/${pid}/stat`)
  if (text === null) return null
  // The program's name stands in brackets and may hold anything, brackets and spaces included.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0]!, processGroup: Number(fields[2]), threads: Number(fields[17]), startTicks: Number(fields[19]) }
}

/** Another one after each start of the system: numbers and ticks of processes mean something within one only. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
}

export function identityOf(pid: number): ProcessIdentity | null {
  const state = stateOf(pid)
  return state && { pid, startTicks: state.startTicks }
}

/** True while this very process exists and has not ended (a zombie has). */
export function isAlive(identity: ProcessIdentity): boolean {
  const state = stateOf(identity.pid)
  return state !== null && state.startTicks === identity.startTicks && !hasEnded(state)
}

/** The main thread may be a zombie while others are still ending, and hold what the process has open. */
function hasEnded({ state, threads }: ProcessState): boolean {
  return (state === 'Z' || state === 'X') && threads <= 1
}

export function isStopped(pid: number): boolean {
  const state = stateOf(pid)
  return state === null || hasEnded(state) || state.state === 'T'
}

/** Living processes whose environment holds `name=value`. A process that has ended shows none. */
export function taggedPids(name: string, value: string): number[] {
  return pidsWithEnvironment([`${name}=${value}\0`])
}

/** Living processes whose environment, as the kernel keeps it, holds one of these pieces. */
export function pidsWithEnvironment(pieces: string[]): number[] {
  return listPids().filter((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`)
      return pieces.some((piece) => environment.includes(piece))
    } catch {
      return false
    }
  })
}

/** Living processes of one process group. */
export function groupPids(processGroup: number): number[] {
  return listPids().filter((pid) => {
    const state = stateOf(pid)
    return state !== null && state.processGroup === processGroup && !hasEnded(state)
  })
}

/** A process and its living descendants, by parentage: found whatever group or environment they have. */
export function familyOf(pid: number): number[] {
  const family: number[] = []
  const queue = [pid]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const state = stateOf(next)
    if (state === null || hasEnded(state)) continue
    family.push(next)
    queue.push(...childrenOf(next))
  }
  return family
}

/** Children are listed per thread: the one that forked. */
function childrenOf(pid: number): number[] {
  let threads: string[]
  try {
    threads = readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
  return threads.flatMap((thread) => {
    const text = read(`/proc/${pid}/task/${thread}/children`)
    return text ? text.trim().split(' ').filter(Boolean).map(Number) : []
  })
}

/** Name of the program a process runs, for messages. */
export function programOf(pid: number): string {
  const command = read(`/proc/${pid}/cmdline`)?.split('\0').filter(Boolean) ?? []
  return command.slice(0, 3).join(' ') || read(`/proc/${pid}/comm`)?.trim() || 'unknown program'
}

/** Sends a signal; a process that is gone, or that may not be signalled, is passed over. */
export function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

/** Targets of a process's descriptors, such as `socket:[123]` or a path. */
export function descriptorTargets(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  return descriptorNumbers(folder).flatMap((fd) => {
    try {
      return [readlinkSync(`${folder}/${fd}`)]
    } catch {
      return []
    }
  })
}

function descriptorNumbers(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** What some processes cost together. Memory they share is counted once for each. */
export async function usageOf(pids: number[], dataDir?: string): Promise<Usage> {
  const usage: Usage = {
    rssBytes: 0,
    ownBytes: 0,
    openFiles: 0,
    openDataFiles: 0,
    threads: 0,
    cpuMs: 0,
    processes: 0,
    diskReadBytes: 0,
    diskWrittenBytes: 0,
    readBytes: 0,
    writtenBytes: 0,
    openFilesMax: Number.POSITIVE_INFINITY,
  }
  for (const pid of pids) {
    const status = read(`/proc/${pid}/status`)
    if (status === null) continue
    usage.processes += 1
    usage.rssBytes += 1024 * numberAfter(status, 'VmRSS:')
    usage.ownBytes += 1024 * numberAfter(status, 'RssAnon:')
    usage.threads += numberAfter(status, 'Threads:')
    usage.cpuMs += cpuMsOf(pid)
    addTransfers(usage, pid)
    usage.openFiles += openFilesOf(pid)
    usage.openFilesMax = Math.min(usage.openFilesMax, openFilesLimitOf(pid))
    if (dataDir !== undefined) usage.openDataFiles += await openDataFilesOf(pid, dataDir)
  }
  if (!Number.isFinite(usage.openFilesMax)) usage.openFilesMax = 0
  return usage
}

/** utime, stime, and those of ended children, in the ticks that proc(5) counts in: 100 a second on every Linux of today. */
function cpuMsOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`) ?? ''
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return 10 * fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0)
}

/** What a process has moved, with its ended children; proc_pid_io(5). One of another user's shows nothing. */
function addTransfers(usage: Usage, pid: number): void {
  const io = `\n${read(`/proc/${pid}/io`) ?? ''}`
  usage.readBytes += numberAfter(io, '\nrchar:')
  usage.writtenBytes += numberAfter(io, '\nwchar:')
  usage.diskReadBytes += numberAfter(io, '\nread_bytes:')
  usage.diskWrittenBytes += numberAfter(io, '\nwrite_bytes:')
}

/** What the loopback device of a process's network namespace has passed since it came up; null where that is not told. */
export function loopbackBytesOf(pid: number | 'self'): number | null {
  const line = /^\s*lo:\s*(\d+)/m.exec(read(`/proc/${pid}/net/dev`) ?? '')?.[1]
  return line === undefined ? null : Number(line)
}

function numberAfter(text: string, label: string): number {
  const at = text.indexOf(label)
  return at < 0 ? 0 : Number.parseInt(text.slice(at + label.length), 10)
}

/** Since Linux 6.2 the folder's size is the count; before, it has to be listed. */
function openFilesOf(pid: number): number {
  const folder = `/proc/${pid}/fd`
  try {
    return statSync(folder).size || readdirSync(folder).length
  } catch {
    return 0
  }
}

function openFilesLimitOf(pid: number): number {
  const soft = /^Max open files\s+(\d+)/m.exec(read(`/proc/${pid}/limits`) ?? '')?.[1]
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
}

const descriptorsPerTurn = 1_000

async function openDataFilesOf(pid: number, dataDir: string): Promise<number> {
  const folder = `/proc/${pid}/fd`
  const below = dataDir.endsWith('/') ? dataDir : `${dataDir}/`
  let count = 0
  for (const [looked, fd] of descriptorNumbers(folder).entries()) {
    if (looked > 0 && looked % descriptorsPerTurn === 0) await yieldToEvents()
    if (isRegularFileBelow(`${folder}/${fd}`, below)) count += 1
  }
  return count
}

function isRegularFileBelow(descriptor: string, below: string): boolean {
  try {
    return readlinkSync(descriptor).startsWith(below) && statSync(descriptor).isFile()
  } catch {
    return false
  }
}
