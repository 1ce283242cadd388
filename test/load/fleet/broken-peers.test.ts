/** What the fleet says of peers that break off, lie or stall: each a real server. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { PartialPlan } from './run-plan.ts'
import { RawServer, type Answer } from './raw-server.ts'
import { runPlan } from './run-plan.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const response = (lines: string[], body = '') =>
  Buffer.from(`HTTP/1.1 200 OK\r\n${lines.map((l) => `${l}\r\n`).join('')}\r\n${body}`)

async function readersOf(answer: Answer, plan: Omit<PartialPlan, 'port'> = {}) {
  await using server = await RawServer.start(answer)
  return await runPlan({ port: server.port, readers: 3, ...plan })
}

describe('a reader whose peer breaks off', () => {
  it.each([
    ['within the head', Buffer.from('HTTP/1.1 200 OK\r\nContent-Le'), 0],
    ['before the head', Buffer.alloc(0), 0],
    ['within a body of known length', response(['Content-Length: 5'], 'abc'), 200],
    ['within a chunk', response(['Transfer-Encoding: chunked'], '5\r\nabc'), 200],
    ['before the last chunk', response(['Transfer-Encoding: chunked'], '3\r\nabc\r\n'), 200],
  ])('%s is truncated', async (_where, bytes, status) => {
    const { rows, summary } = await readersOf((socket) => void socket.end(bytes))
    expect(summary.outcomes).toEqual({ truncated: 3 })
    for (const row of rows) {
      expect(row.status).toBe(status)
      expect(row.bodyHash).toBe(status === 0 ? undefined : sha256('abc'))
      expect(row.lastByteMs).toBeNaN()
    }
  })

  it('has the whole of a body that the end of the connection delimits', async () => {
    const { rows } = await readersOf((socket) => void socket.end(response([], 'abc')))
    expect(rows.map((row) => [row.outcome, row.bodyHash])).toEqual(
      rows.map(() => ['complete', sha256('abc')]),
    )
  })

  it('by a reset is told apart from one cut short', async () => {
    const reset: Answer = (socket) => {
      socket.write(response(['Content-Length: 5'], 'abc'), () => socket.resetAndDestroy())
    }
    const { rows } = await readersOf(reset)
    for (const row of rows) expect(row).toMatchObject({ outcome: 'reset', error: 'ECONNRESET' })
  })

  it('tells which readers were cut, and only those', async () => {
    const oneBroken: Answer = (socket, path) => {
      const whole = response(['Content-Length: 3'], 'abc')
      socket.end(path === '/broken' ? whole.subarray(0, -1) : whole)
    }
    const requests = [{ path: '/a' }, { path: '/broken' }, { path: '/c' }]
    const { rows } = await readersOf(oneBroken, { readers: 6, requests })
    expect(rows.map((row) => row.outcome === 'complete')).toEqual(
      rows.map((_, i) => i % 3 !== 1),
    )
  })
})

describe('a reader whose peer lies', () => {
  it('has a malformed response, with the reason', async () => {
    const { rows } = await readersOf((socket) => void socket.write('HTTP/2 200\r\n\r\n'))
    for (const row of rows) {
      expect(row).toMatchObject({ outcome: 'malformed', error: 'status-line' })
    }
  })

  it('notices bytes behind the end of its response', async () => {
    const { rows } = await readersOf(
      (socket) => void socket.write(response(['Content-Length: 1'], 'a and more')),
    )
    for (const row of rows) {
      expect(row).toMatchObject({ outcome: 'malformed', error: 'bytes-after-response' })
    }
  })
})

describe('a reader without a peer', () => {
  it('could not connect, and the errno says why', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const { rows, events } = await runPlan({ port, readers: 200, connectsInFlightMax: 8 })
    for (const row of rows) {
      expect(row).toMatchObject({ outcome: 'connect-failed', error: 'ECONNREFUSED', status: 0 })
    }
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'connected', count: 0, failed: 200 }),
    )
  })
})

describe('a reader whose peer stalls', () => {
  const stall: Answer = (socket) => {
    socket.write(response(['Content-Length: 5'], 'abc'))
  }

  it('is ended by the deadline, with what it had', async () => {
    const { rows, summary } = await readersOf(stall, { deadlineMs: 300 })
    for (const row of rows) {
      expect(row).toMatchObject({ outcome: 'deadline', status: 200, bodyHash: sha256('abc') })
    }
    expect(summary.durationMs).toBeGreaterThanOrEqual(299)
    expect(summary.durationMs).toBeLessThan(2_000)
  })

  it('is ended by a stop, while those who were done are complete', async () => {
    const stalled: Socket[] = []
    const some: Answer = (socket, path) => {
      if (path === '/') socket.write(response(['Content-Length: 3'], 'abc'))
      else stalled.push(socket)
    }
    await using server = await RawServer.start(some)
    const plan = { port: server.port, readers: 4, requests: [{ path: '/' }, { path: '/held' }] }
    const { rows } = await runPlan(plan, async (fleet) => {
      await fleet.sent
      fleet.stop()
    })
    expect(rows[1]!.outcome).toBe('stopped')
    expect(rows[3]!.outcome).toBe('stopped')
    expect(['complete', 'stopped']).toContain(rows[0]!.outcome)
  })
})
