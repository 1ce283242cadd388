/** What one start of a service is to a runtime, be it a process or a container. */
import type { Exit, LimitCounters, Limits, StopSignal, Usage } from './runtime.ts'

export interface Owned {
  /** When the program itself was started, where that took its own time to prepare. */
  readonly startedAtMs?: number
  /** Null while it runs. */
  readonly exit: Exit | null
  /** The main process has ended, and all it had written is in its log. */
  readonly mainExited: Promise<Exit>
  /** Nothing of it is left: no process, no listener. */
  readonly exited: Promise<Exit>
  exitedWithin(timeoutMs: number): Promise<boolean>
  /** Its living processes as this host numbers them; none where the host does not see them. */
  pids(): number[]
  /** Signals the main process; its exit is expected from then on. */
  askToEnd(signal: StopSignal): void
  kill(): Promise<Exit>
  stop(signal: StopSignal, graceMs: number): Promise<{ exit: Exit; tookMs: number; killed: boolean }>
  pause(): Promise<void>
  resume(): Promise<void>
  limit(limits: Limits): Promise<void>
  limitCounters(): Promise<LimitCounters>
  usage(dataDir?: string): Promise<Usage>
}
