/** One look whether a service is ready. Looks are repeated by the runtime until the deadline. */
import { request } from 'node:http'
import { connect } from 'node:net'
import type { ReadyProbe } from './runtime.ts'

/** `instead` is what it answered where that was not what the probe wants; null where it was silent. */
export type Look = { ready: true } | { ready: false; instead: string | null }

const silent: Look = { ready: false, instead: null }

/** Whether the service answers as its probe wants; never rejects, and ends within `timeoutMs`. */
export async function looksReady(probe: ReadyProbe, output: () => string, timeoutMs: number): Promise<Look> {
  switch (probe.kind) {
    case 'http':
      return answersRequest(probe, timeoutMs)
    case 'tcp':
      return (await acceptsConnection(probe.port, timeoutMs)) ? { ready: true } : silent
    case 'line':
      return output().includes(probe.text) ? { ready: true } : silent
  }
}

/** What the probe waits for, for a message. */
export function describeProbe(probe: ReadyProbe): string {
  switch (probe.kind) {
    case 'http':
      return `${probe.method} ${probe.path} on port ${probe.port} to be answered with ${probe.statuses.join(' or ')}`
    case 'tcp':
      return `port ${probe.port} to accept a connection`
    case 'line':
      return `a line with "${probe.text}"`
  }
}

function answersRequest(probe: Extract<ReadyProbe, { kind: 'http' }>, timeoutMs: number): Promise<Look> {
  const { promise, resolve } = Promise.withResolvers<Look>()
  const { port, method, path, statuses } = probe
  const headers = { connection: 'close', ...(probe.host === undefined ? {} : { host: probe.host }) }
  const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false, timeout: timeoutMs })
  asked.once('response', (response) => {
    const status = response.statusCode ?? 0
    resolve(statuses.includes(status) ? { ready: true } : { ready: false, instead: `${describeProbe(probe)}, and it was ${status}` })
    // A stream that stays open must not hold the probe.
    response.destroy()
  })
  asked.once('timeout', () => asked.destroy())
  asked.once('error', () => resolve(silent))
  asked.once('close', () => resolve(silent))
  asked.end()
  return promise
}

function acceptsConnection(port: number, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host: '127.0.0.1', port, timeout: timeoutMs })
  socket.once('connect', () => {
    resolve(true)
    socket.destroy()
  })
  socket.once('timeout', () => socket.destroy())
  socket.once('error', () => resolve(false))
  socket.once('close', () => resolve(false))
  return promise
}
