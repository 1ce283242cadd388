/**
 * What a run puts into an engine that is elsewhere: known by labels, removed by them. It belongs to two
 * processes of the user's machine, the harness that stays there and its guard; when both are dead it is
 * the next start's to remove.
 */
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { HarnessError } from '../../errors.ts'
import { cacheFolder } from '../../provision/cache-folder.ts'
import type { Docker } from '../engine.ts'
import { bootId, identityOf, isAlive } from '../process-table.ts'

/** Which run in an engine elsewhere a container or volume belongs to. */
export const elsewhereLabel = 'durable-streams-simulator.elsewhere'
/** Who has to be dead before it is swept, as JSON. */
const ownerLabel = 'durable-streams-simulator.elsewhere-owner'
const imageLabel = 'durable-streams-simulator.elsewhere-image'

/** What is read in a label is removed only where it is certainly such a folder. */
const stagingShape = /^\/.*\/\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-[0-9a-f]{4}$/

/** A busy engine takes its time over a container that much was written in. */
const removeMsMax = 60_000
const lookEveryMs = 100

export interface Process {
  pid: number
  /** As this system tells it: a number may be given to another process later. */
  startedAt: string
}

export interface ElsewhereOwner {
  machine: string
  harness: Process
  guard: Process
  /** A folder of that machine that goes with the run. */
  staging: string
}

export function labelsOf(id: string, owner: ElsewhereOwner): Record<string, string> {
  return { [elsewhereLabel]: id, [ownerLabel]: JSON.stringify(owner) }
}

/** Of the container that holds the harness. */
export function harnessName(id: string): string {
  return `durable-streams-${id}-harness`
}

/** Of the volume of the run's temporary data: what is mounted below it can be taken away with this image. */
export function releasedBy(image: string): Record<string, string> {
  return { [imageLabel]: image }
}

/** Two machines may have one name, and share an engine; a home may be shared by several. Processes are known within one namespace. */
export function thisMachine(env: NodeJS.ProcessEnv = process.env): string {
  const file = path.join(cacheFolder(env), 'machine-id')
  mkdirSync(path.dirname(file), { recursive: true })
  try {
    writeFileSync(file, randomUUID(), { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const namespace = process.platform === 'linux' ? readlinkSync('/proc/self/ns/pid') : ''
  return `${hostname()} ${readFileSync(file, 'utf8').trim()} ${namespace}`
}

/** Null where there is none of this number. Systems without /proc are asked by `ps`. */
export function processOf(pid: number): Process | null {
  if (process.platform === 'linux') {
    const identity = identityOf(pid)
    return identity !== null && isAlive(identity) ? { pid, startedAt: `${bootId()} ${identity.startTicks}` } : null
  }
  const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })
  return stdout?.trim() ? { pid, startedAt: stdout.trim() } : null
}

/** Only of this machine can it be judged; what cannot be is alive. */
export function isDead({ machine, harness, guard }: ElsewhereOwner, here = thisMachine(), find = processOf): boolean {
  const isGone = ({ pid, startedAt }: Process) => find(pid)?.startedAt !== startedAt
  return machine === here && isGone(harness) && isGone(guard)
}

/** Removes what dead runs of this machine left in the engine. Returns their ids. */
export async function sweepDead(docker: Docker): Promise<string[]> {
  const dead = new Map<string, ElsewhereOwner>()
  for (const labels of await labelled(docker, elsewhereLabel)) {
    const owner = ownerIn(labels)
    if (owner !== null && isDead(owner)) dead.set(labels[elsewhereLabel]!, owner)
  }
  for (const [id, { staging }] of dead) {
    await removeAll(docker, id)
    if (stagingShape.test(staging)) await rm(staging, { recursive: true, force: true })
  }
  return [...dead.keys()]
}

function ownerIn(labels: Record<string, string>): ElsewhereOwner | null {
  try {
    return JSON.parse(labels[ownerLabel] ?? '') as ElsewhereOwner
  } catch {
    return null
  }
}

async function labelled(docker: Docker, label: string): Promise<Record<string, string>[]> {
  const { containers, volumes } = await find(docker, label)
  return [...containers.map(({ Labels }) => Labels), ...volumes.map(({ Labels }) => Labels)]
}

async function find(docker: Docker, label: string) {
  const filters = { label: [label] }
  const [containers, { Volumes }] = await Promise.all([docker.listContainers({ all: true, filters }), docker.listVolumes({ filters })])
  return { containers, volumes: Volumes ?? [] }
}

/**
 * Removes all containers of a run, running or not, then its volumes. One that was under way when its harness died
 * is caught by the next look.
 * @throws HarnessError when some are still there
 */
export async function removeAll(docker: Docker, id: string): Promise<void> {
  const deadline = performance.now() + removeMsMax
  for (let problem = ''; ; await delay(lookEveryMs)) {
    const { containers, volumes } = await find(docker, `${elsewhereLabel}=${id}`)
    if (containers.length + volumes.length === 0) return
    if (performance.now() > deadline) {
      throw new HarnessError(`${containers.length} containers and ${volumes.length} volumes of the run ${id} are still in the container engine${problem}.`)
    }
    await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true }).catch(() => {})))
    // A volume that is in use cannot be removed.
    if (containers.length > 0) continue
    for (const { Name, Labels, Mountpoint } of volumes) {
      await docker.getVolume(Name).remove().catch(async (error: Error) => {
        problem = `: ${error.message.trim()}`
        const image = Labels[imageLabel]
        if (image !== undefined && /busy/i.test(problem)) await release(docker, { image, folder: Mountpoint, labels: { [elsewhereLabel]: id } })
      })
    }
  }
}

/** What a harness had mounted that was killed before it could take it away stays mounted in the engine's host. */
async function release(docker: Docker, { image, folder, labels }: { image: string; folder: string; labels: Record<string, string> }): Promise<void> {
  const container = await docker.createContainer({
    Image: image,
    User: '0:0',
    Entrypoint: ['node'],
    Cmd: ['-e', unmountAll],
    Labels: labels,
    HostConfig: {
      CapAdd: ['SYS_ADMIN'],
      SecurityOpt: ['apparmor=unconfined', 'label=disable'],
      Mounts: [{ Type: 'bind', Source: folder, Target: '/data', BindOptions: { Propagation: 'rshared' } }],
    },
  })
  try {
    await container.start()
    await container.wait()
  } finally {
    await container.remove({ force: true, v: true })
  }
}

const unmountAll = `
const points = require('fs').readFileSync('/proc/self/mountinfo', 'utf8').split('\\n').map((line) => line.split(' ')[4] ?? '')
for (const point of points.filter((one) => one.startsWith('/data/')).reverse()) require('child_process').spawnSync('umount', ['--lazy', point])
`
