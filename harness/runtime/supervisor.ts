/**
 * The supervisor of one run: a program of its own, started before any service, in a session of its
 * own, with its standard input a pipe from the harness. When that pipe ends without a word of
 * `done`, however that came about, it ends the run's processes and removes its temporary folders.
 *
 *   node supervisor.ts '{"runId": …, "runFolder": …, "logFile": …}'
 *
 * It says `ready` on its standard output. On its standard input it is told, a line of JSON each:
 *   {"group": 123}  this process group belongs to the run      {"ended": 123}  it does no longer
 *   {"done": true}  the run has cleaned up after itself
 */
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { killUntilGone } from './ending.ts'
import { removeContainersOf } from './engine-cleanup.ts'
import type { EngineAddress } from './engine.ts'
import { groupPids, identityOf, signalQuietly } from './process-table.ts'
import { addSupervisor, pidsOfRun, removeRunFolder, sweepDeadRuns } from './run-folder.ts'

export interface SupervisorPlan {
  runId: string
  runFolder: string
  logFile: string
  /** Where the run's containers are, if it has any. */
  engine?: EngineAddress
}

export type SupervisorMessage = { group: number } | { ended: number } | { done: true }

const terminateMsMax = 1_500
const killMsMax = 5_000
const lookEveryMs = 20

async function supervise(plan: SupervisorPlan): Promise<void> {
  ignoreTerminal()
  await addSupervisor(plan.runFolder, identityOf(process.pid)!)
  process.stdout.write('ready\n')
  const previous = sweepDeadRuns().then(
    (runs) => runs.length > 0 && log(plan, `removed what dead runs had left: ${runs.join(', ')}`),
    (error: unknown) => log(plan, `could not remove all that dead runs had left: ${String(error)}`),
  )
  const groups = new Set<number>()
  const done = await listen(groups)
  await previous
  if (!done) await cleanUp(plan, groups)
}

/** A Ctrl-C, a closed terminal or a polite kill ends the harness; the supervisor outlives it. */
function ignoreTerminal(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  // Nobody reads any more once the harness is gone.
  process.stdout.on('error', () => {})
}

/** Follows the harness until its pipe ends. True when it said that it was done. */
async function listen(groups: Set<number>): Promise<boolean> {
  let done = false
  for await (const line of createInterface({ input: process.stdin })) {
    const message = parse(line)
    if (message === null) continue
    if ('group' in message) groups.add(message.group)
    else if ('ended' in message) groups.delete(message.ended)
    else done = true
  }
  return done
}

/** Null for the half line of a harness that was killed while it wrote. */
function parse(line: string): SupervisorMessage | null {
  try {
    return JSON.parse(line) as SupervisorMessage
  } catch {
    return null
  }
}

async function cleanUp(plan: SupervisorPlan, groups: Set<number>): Promise<void> {
  const startedAt = performance.now()
  const containers = removeContainers(plan)
  const find = () => [...new Set([...pidsOfRun(plan.runId, plan.runFolder), ...[...groups].flatMap(groupPids)])]
  const found = find()
  for (const pid of found) {
    signalQuietly(pid, 'SIGTERM')
    // One that is paused could not end otherwise.
    signalQuietly(pid, 'SIGCONT')
  }
  const deadline = startedAt + terminateMsMax
  while (performance.now() < deadline && find().length > 0) await delay(lookEveryMs)
  const stubborn = find().length
  await killUntilGone(find, `the run ${plan.runId}`, killMsMax).catch((error: unknown) => log(plan, String(error)))
  const removed = await containers
  await removeRunFolder(plan.runFolder).catch((error: unknown) => log(plan, String(error)))
  const tookMs = Math.round(performance.now() - startedAt)
  log(plan, `the harness ended without cleaning up: ended ${found.length} processes (${stubborn} by SIGKILL)${removed}, removed ${plan.runFolder}, in ${tookMs} ms`)
}

/** What was done, for the log; empty without an engine. */
async function removeContainers({ runId, engine, ...plan }: SupervisorPlan): Promise<string> {
  if (engine === undefined) return ''
  try {
    return `, removed ${await removeContainersOf(runId, engine)} containers`
  } catch (error) {
    log({ runId, ...plan }, String(error))
    return ''
  }
}

function log(plan: SupervisorPlan, text: string): void {
  try {
    appendFileSync(plan.logFile, `${new Date().toISOString()} ${text}\n`)
  } catch {
    // The run's folder was removed meanwhile: there is nobody left to tell.
  }
}

if (import.meta.main) await supervise(JSON.parse(process.argv[2]!) as SupervisorPlan)
