/** Services made of the fixture program, and looks at what is left of a run. */
import { connect } from 'node:net'
import type { Service } from '../../harness/runtime/runtime.ts'
import { runTag, taggedPids } from '../../harness/runtime/process-table.ts'
import { serviceProgram, type Behaviour } from './fixtures/service.ts'

export function fixtureService(id: string, behaviour: Behaviour, overrides: Partial<Service>): Service {
  return {
    id,
    program: process.execPath,
    image: 'node',
    args: [serviceProgram, JSON.stringify(behaviour)],
    env: {},
    cwd: '/',
    ports: [],
    ready: { kind: 'line', text: 'never said' },
    readyWithinMs: 10_000,
    stopSignal: 'SIGTERM',
    stopGraceMs: 5_000,
    ...overrides,
  }
}

/** Ready when GET /ready on its port is answered with 200. */
export function httpService(id: string, port: number, behaviour: Behaviour, overrides: Partial<Service> = {}): Service {
  const ready: Service['ready'] = { kind: 'http', port, path: '/ready', method: 'GET', statuses: [200] }
  return fixtureService(id, behaviour, { ports: [port], ready, ...overrides })
}

export function processesOfRun(runId: string): number[] {
  return taggedPids(runTag, runId)
}

export function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host: '127.0.0.1', port })
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
