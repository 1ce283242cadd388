/**
 * Removes a run's containers by their label, with nothing but the engine's HTTP API: the supervisor,
 * which does it for a harness that died, has no time to load a library.
 */
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { HarnessError } from '../errors.ts'
import type { EngineAddress } from './engine.ts'
import { isDead, type Owner } from './run-folder.ts'

/** Which run a container belongs to. */
export const runLabel = 'durable-streams-simulator.run'
/** Harness and supervisor of that run, as JSON: who has to be dead before it is swept. */
export const ownerLabel = 'durable-streams-simulator.owner'

const answerMsMax = 10_000
const removeMsMax = 9_000
const lookEveryMs = 50

interface ListedContainer {
  Id: string
  Labels: Record<string, string>
}

/** Removes all containers of a run, running or not. Returns how many there were. */
export async function removeContainersOf(runId: string, engine: EngineAddress): Promise<number> {
  const deadline = performance.now() + removeMsMax
  const removed = new Set<string>()
  for (;;) {
    // One may have been under way when its harness died.
    const found = await list(engine, `${runLabel}=${runId}`)
    if (found.length === 0) return removed.size
    if (performance.now() > deadline) {
      throw new HarnessError(`${found.length} containers of the run ${runId} are still there after ${removeMsMax} ms.`)
    }
    await Promise.all(found.map(({ Id }) => ask(engine, 'DELETE', `/containers/${Id}?force=1&v=1`)))
    for (const { Id } of found) removed.add(Id)
    await delay(lookEveryMs)
  }
}

/** Removes what dead runs left; a run that lives, or that cannot be judged from here, is left alone. */
export async function sweepDeadContainers(engine: EngineAddress): Promise<string[]> {
  const dead = new Set<string>()
  for (const { Labels } of await list(engine, runLabel)) {
    const owner = parse(Labels[ownerLabel])
    if (owner !== null && isDead(owner)) dead.add(Labels[runLabel]!)
  }
  for (const runId of dead) await removeContainersOf(runId, engine)
  return [...dead]
}

function parse(text: string | undefined): Owner | null {
  try {
    return text === undefined ? null : (JSON.parse(text) as Owner)
  } catch {
    return null
  }
}

async function list(engine: EngineAddress, label: string): Promise<ListedContainer[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }))
  const { status, body } = await ask(engine, 'GET', `/containers/json?all=1&filters=${filters}`)
  if (status !== 200) throw new HarnessError(`The container engine answered ${status} when asked for containers: ${body.slice(0, 200)}`)
  return JSON.parse(body) as ListedContainer[]
}

function ask(engine: EngineAddress, method: string, path: string): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const asked = request({ ...engine, method, path, timeout: answerMsMax }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }))
    response.on('error', reject)
  })
  asked.once('timeout', () => asked.destroy(new HarnessError(`The container engine did not answer within ${answerMsMax} ms.`)))
  asked.once('error', reject)
  asked.end()
  return promise
}
