/** One start of a service: launched, then readiness raced against its exit and its deadline. */
import { HarnessError } from '../errors.ts'
import { monotonicMs } from '../clock.ts'
import { judgeOwnership, readListeners, type Listeners } from './listeners.ts'
import type { Owned } from './owned.ts'
import { describeProbe, looksReady } from './readiness.ts'
import type { Exit, Limits, Running, Service, StartOutcome } from './runtime.ts'
import type { LogPosition, ServiceLog } from './service-log.ts'

const lookMsMax = 2_000
const logLinesUsual = 40
/** Stacks are long, and the interesting ones come first. */
const logLinesWithStacks = 400
const stacksMsMax = 2_000
const stacksQuietMs = 250

export interface StartContext {
  log: ServiceLog
  signal: AbortSignal
  launch(): Promise<Owned>
  /** Who listens where the service runs; on this host, unless told. Null where nobody can tell. */
  listeners?(): Promise<Listeners | null>
  /**
   * Makes the service's ports reachable from here, where they are not by themselves. Called with
   * ports that it listens on; the one that is taken on this host, or null.
   */
  reach?(ports: number[]): Promise<number | null>
}

type Failed = Extract<StartOutcome, { ready: false }>

/** The state of one start. */
interface Attempt {
  service: Service
  context: StartContext
  owned: Owned
  log: ServiceLog
  logFrom: LogPosition
  startedAtMs: number
}

/** What was seen in one look; `awaited` is null while the probe itself is not answered. */
type Seen = { ready: true } | { ready: false; taken: string } | { ready: false; awaited: string | null }

/**
 * Starts a service and waits until it is ready, has exited, or its deadline passed. Never throws for
 * the service's faults; throws the signal's reason when that is aborted, with the service ended.
 */
export async function startService(service: Service, context: StartContext): Promise<StartOutcome> {
  const { log, signal } = context
  log.note(`start of ${service.program}`)
  const logFrom = log.position()
  const startedAtMs = monotonicMs()
  let owned: Owned
  try {
    owned = await context.launch()
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error
    return notStarted(error.message, monotonicMs() - startedAtMs)
  }
  const attempt: Attempt = { service, context, owned, log, logFrom, startedAtMs: owned.startedAtMs ?? startedAtMs }
  try {
    return await awaitReady(attempt, signal)
  } catch (error) {
    await owned.kill()
    throw error
  }
}

async function awaitReady(attempt: Attempt, signal: AbortSignal): Promise<StartOutcome> {
  const { service, owned, startedAtMs } = attempt
  const deadlineMs = startedAtMs + service.readyWithinMs
  let awaited = describeProbe(service.ready)
  for (;;) {
    const leftMs = deadlineMs - monotonicMs()
    const seen = await look(attempt, Math.max(1, Math.min(leftMs, lookMsMax)))
    signal.throwIfAborted()
    if (owned.exit !== null) return exitedBeforeReady(attempt)
    if (seen.ready) return ready(attempt)
    if ('taken' in seen) return portTaken(attempt, seen.taken)
    // The last look has little time: what an earlier one found missing says more than its silence.
    awaited = seen.awaited ?? awaited
    if (monotonicMs() >= deadlineMs) return deadlinePassed(attempt, awaited)
    await owned.exitedWithin(pauseMs(monotonicMs() - startedAtMs))
  }
}

/** Tight while a restart is expected to end, easy on the processor when it takes seconds. */
function pauseMs(waitedMs: number): number {
  if (waitedMs < 300) return 2
  return waitedMs < 2_000 ? 5 : 20
}

async function look(attempt: Attempt, timeoutMs: number): Promise<Seen> {
  const { service, owned, log, logFrom } = attempt
  const output = () => log.textBetween(logFrom, log.position())
  const unreached = await reach(attempt)
  if (unreached !== null) return unreached
  const seen = await Promise.race([looksReady(service.ready, output, timeoutMs), owned.mainExited.then(() => null)])
  if (!seen?.ready) return { ready: false, awaited: seen?.instead ?? null }
  return judgePorts(attempt)
}

/** Null when the service can be asked. */
async function reach(attempt: Attempt): Promise<Seen | null> {
  const { service, context } = attempt
  if (context.reach === undefined || service.ports.length === 0) return null
  const own = await judgePorts(attempt)
  if (!own.ready) return own
  const taken = await context.reach(service.ports)
  return taken === null ? null : { ready: false, taken: `port ${taken} of this host is listened on by another program` }
}

/** An answer proves nothing while somebody else may have given it. */
async function judgePorts({ service: { ports }, owned, context }: Attempt): Promise<Seen> {
  if (ports.length === 0) return { ready: true }
  const listeners = context.listeners === undefined ? readListeners() : await context.listeners()
  if (listeners === null) return { ready: true }
  const ownership = judgeOwnership(listeners, ports, owned.pids())
  if (ownership.owned) return { ready: true }
  if ('missing' in ownership) return { ready: false, awaited: `its socket on port ${ownership.missing}` }
  return { ready: false, taken: `port ${ownership.port} is listened on by ${ownership.foreign}` }
}

function ready(attempt: Attempt): StartOutcome {
  const readyMs = monotonicMs() - attempt.startedAtMs
  return { ready: true, readyMs, running: new RunningService(attempt) }
}

async function exitedBeforeReady(attempt: Attempt): Promise<Failed> {
  const { service, owned } = attempt
  // Judged before the rest of it is ended: whoever has the port may be what it stumbled over.
  const ports = await judgePorts(attempt)
  const exit = await owned.exited
  const how = describeExit(exit)
  if (!ports.ready && 'taken' in ports) {
    return failed(attempt, 'port-taken', `${service.id} ended with ${how} before it was ready, and ${ports.taken}.`, exit)
  }
  return failed(attempt, 'exited', `${service.id} ended with ${how} before it was ready.`, exit)
}

async function portTaken(attempt: Attempt, taken: string): Promise<Failed> {
  const exit = await attempt.owned.kill()
  return failed(attempt, 'port-taken', `${attempt.service.id} does not have its port for itself: ${taken}.`, exit)
}

async function deadlinePassed(attempt: Attempt, awaited: string): Promise<Failed> {
  const { service, owned } = attempt
  const waitedMs = monotonicMs() - attempt.startedAtMs
  await letPrintStacks(attempt)
  const exit = await owned.kill()
  const because = `${service.id} was not ready within ${service.readyWithinMs} ms: waited for ${awaited}.`
  const lines = service.stackSignal === undefined ? logLinesUsual : logLinesWithStacks
  return { ...failed(attempt, 'deadline', because, exit, lines), waitedMs }
}

/** Waits until it has ended, or has written and fallen silent again. */
async function letPrintStacks({ service, owned, log }: Attempt): Promise<void> {
  if (service.stackSignal === undefined) return
  const untilMs = monotonicMs() + stacksMsMax
  const before = log.position().bytes
  let last = before
  let lastAtMs = monotonicMs()
  owned.askToEnd(service.stackSignal)
  while (monotonicMs() < untilMs && !(await owned.exitedWithin(20))) {
    const { bytes } = log.position()
    if (bytes !== last) lastAtMs = monotonicMs()
    last = bytes
    if (last !== before && monotonicMs() - lastAtMs > stacksQuietMs) return
  }
}

function failed(
  { log, logFrom, startedAtMs }: Attempt,
  reason: Failed['reason'],
  because: string,
  exit: Exit,
  linesMax = logLinesUsual,
): Failed {
  const waitedMs = exit.atMs - startedAtMs
  const lastLogLines = log.linesBetween(logFrom, log.position(), linesMax)
  return { ready: false, reason, because, waitedMs, exit, lastLogLines }
}

function notStarted(because: string, waitedMs: number): Failed {
  return { ready: false, reason: 'not-started', because, waitedMs, exit: null, lastLogLines: [] }
}

function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : signal
}

class RunningService implements Running {
  readonly id: string
  readonly logFile: string
  readonly exited: Promise<Exit>
  #attempt: Attempt
  #logEnd: LogPosition | null = null

  constructor(attempt: Attempt) {
    this.id = attempt.service.id
    this.logFile = attempt.log.file
    this.#attempt = attempt
    this.exited = attempt.owned.exited
    void attempt.owned.mainExited.then(() => (this.#logEnd = attempt.log.position()))
  }

  isRunning(): boolean {
    return this.#attempt.owned.exit === null
  }

  stop(options: { signal?: 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGUSR1'; graceMs?: number } = {}) {
    const { stopSignal, stopGraceMs } = this.#attempt.service
    return this.#attempt.owned.stop(options.signal ?? stopSignal, options.graceMs ?? stopGraceMs)
  }

  kill() {
    return this.#attempt.owned.kill()
  }

  pause() {
    return this.#attempt.owned.pause()
  }

  resume() {
    return this.#attempt.owned.resume()
  }

  limit(limits: Limits) {
    return this.#attempt.owned.limit(limits)
  }

  limitCounters() {
    return this.#attempt.owned.limitCounters()
  }

  usage(dataDir?: string) {
    return this.#attempt.owned.usage(dataDir)
  }

  async lastLogLines(linesMax: number): Promise<string[]> {
    const { log, logFrom } = this.#attempt
    return log.linesBetween(logFrom, this.#logEnd ?? log.position(), linesMax)
  }
}
