import { createHash, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { Agent, request as undiciRequest } from 'undici'
import { describe, expect, it } from 'vitest'
import { spawnProgram } from '../../../bench/spawn-program.ts'
import { monotonicMs } from '../../../harness/clock.ts'
import { fleetEventSchema, type FleetEvent } from '../../../harness/load/fleet/events.ts'
import { fleetProgram, launchFleet } from '../../../harness/load/fleet/launch.ts'
import { cut, RawServer, writePieces, type Answer } from './raw-server.ts'
import { response } from './responses.ts'
import { planFor, runPlan } from './run-plan.ts'

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

describe('a fleet of readers', () => {
  it('sees what undici sees, byte for byte, however the bytes come', async () => {
    const cases = fc.array(fc.tuple(response, fc.array(fc.nat(), { maxLength: 8 })), {
      minLength: 40,
      maxLength: 40,
    })
    await fc.assert(
      fc.asyncProperty(cases, async (all) => {
        await using server = await RawServer.start(async (socket, path) => {
          const [answer, places] = all[Number(path.slice(1))]!
          await writePieces(socket, cut(answer.wire, places))
          if (answer.untilClose) socket.end()
        })
        const requests = all.map((_, i) => ({ path: `/${i}` }))
        const captureHeaders = ['x-tag']
        const plan = { port: server.port, readers: all.length, requests, captureHeaders }
        const { rows } = await runPlan(plan)
        const agent = new Agent({ pipelining: 0, connections: 8 })
        for (const [i, row] of rows.entries()) {
          const url = `http://127.0.0.1:${server.port}/${i}`
          const seen = await undiciRequest(url, { dispatcher: agent })
          const body = Buffer.from(await seen.body.arrayBuffer())
          const [{ 'x-tag': tag }, { statusCode }] = [seen.headers, seen]
          expect(row).toMatchObject({ outcome: 'complete', status: statusCode })
          expect(row.bodyHash).toBe(sha256(body))
          expect(row.headers['x-tag']).toBe(tag)
        }
        await agent.destroy()
      }),
      { numRuns: 6, endOnFailure: true },
    )
  })

  it('sends one well-formed request a reader, each reader its own', async () => {
    const seen: string[] = []
    await using server = await RawServer.start((socket, path) => {
      seen.push(path)
      socket.write('HTTP/1.1 204 \r\n\r\n')
    })
    const requests = [{ path: '/a?offset=-1' }, { path: '/b', headers: { 'x-a': 'b' } }]
    const { summary, rows } = await runPlan({ port: server.port, readers: 9, requests })
    expect(seen.toSorted()).toEqual([...Array(5).fill('/a?offset=-1'), ...Array(4).fill('/b')])
    expect(summary.outcomes).toEqual({ complete: 9 })
    expect(summary.statuses).toEqual({ 204: 9 })
    expect(rows.every((row) => row.bodyHash === sha256(''))).toBe(true)
  })

  it('tells times of the machine\'s monotonic clock, in their order', async () => {
    const held: (() => void)[] = []
    await using server = await RawServer.start((socket) => {
      held.push(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'))
    })
    const startMs = monotonicMs()
    let releasedMs = 0
    const plan = { port: server.port, readers: 20 }
    const { rows, events, summary } = await runPlan(plan, async (f) => {
      const sent = await f.sent
      expect(sent.atMs).toBeLessThanOrEqual(monotonicMs())
      await expect.poll(() => held.length, { timeout: 5_000 }).toBe(20)
      releasedMs = monotonicMs()
      for (const release of held) release()
    })
    for (const row of rows) {
      const times = [startMs, row.dueMs, row.connectStartMs, row.connectedMs, row.sentMs]
      times.push(releasedMs, row.firstByteMs, row.lastByteMs, monotonicMs())
      expect(times).toEqual(times.toSorted((a, b) => a - b))
    }
    const said = events.map((event) => event.event).filter((event) => event !== 'progress')
    expect(said).toEqual(['ready', 'connected', 'sent', 'done'])
    expect(summary.lastByteAtMs!.max).toBe(Math.max(...rows.map((row) => row.lastByteMs)))
  })

  it('hashes bodies of many megabytes while they pass', async () => {
    const body = randomBytes(9_000_000)
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`
    await using server = await RawServer.start((socket) => {
      socket.write(head)
      socket.write(body)
    })
    const { rows, summary } = await runPlan({ port: server.port, readers: 8 })
    for (const row of rows) {
      expect(row).toMatchObject({ outcome: 'complete', bodyHash: sha256(body) })
    }
    expect(summary.memory.peakKb - summary.memory.idleKb).toBeLessThan(60_000)
  })

  it('keeps no more connects in flight than told, and still serves all', async () => {
    await using server = await RawServer.start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
    const { rows } = await runPlan({ port: server.port, readers: 300, connectsInFlightMax: 3 })
    const moments = rows.flatMap((row) => [
      { at: row.connectStartMs, change: 1 },
      { at: row.connectedMs, change: -1 },
    ])
    let inFlight = 0
    let most = 0
    for (const { change } of moments.sort((a, b) => a.at - b.at || a.change - b.change)) {
      most = Math.max(most, (inFlight += change))
    }
    expect(most).toBeLessThanOrEqual(3)
    expect(rows.every((row) => row.outcome === 'complete')).toBe(true)
  })

  it('lets readers arrive on an open-loop schedule', async () => {
    await using server = await RawServer.start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
    const { rows } = await runPlan({ port: server.port, readers: 100, arrivalSpanMs: 500 })
    const first = rows[0]!.dueMs
    rows.forEach((row, i) => {
      expect(row.dueMs - first).toBeCloseTo(5 * i, 3)
      expect(row.connectStartMs).toBeGreaterThanOrEqual(row.dueMs)
    })
    expect(rows[99]!.connectStartMs - first).toBeGreaterThanOrEqual(494)
  })

  it('hangs up readers that are done while others are still held', async () => {
    const hold: Answer = (socket, path) => {
      if (path === '/now') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    }
    await using server = await RawServer.start(hold)
    const requests = [{ path: '/now' }, { path: '/held' }]
    const plan = { port: server.port, readers: 10, requests }
    const { summary } = await runPlan(plan, async (fleet) => {
      await fleet.sent
      await expect.poll(() => server.connections, { timeout: 5_000 }).toBe(5)
      fleet.stop()
    })
    expect(summary.outcomes).toEqual({ complete: 5, stopped: 5 })
  })
})

describe('the fleet as a program', () => {
  const said = async (lines: AsyncIterable<string>) => {
    const events: FleetEvent[] = []
    for await (const line of lines) events.push(fleetEventSchema.parse(JSON.parse(line)))
    return events
  }

  it('ends with its standard input, since then the harness is gone', async () => {
    await using server = await RawServer.start(() => {})
    const program = spawnProgram(process.execPath, [fleetProgram])
    const events = said(program.lines)
    program.write(JSON.stringify(planFor({ port: server.port, readers: 5 })))
    await expect.poll(() => server.connections, { timeout: 5_000 }).toBe(5)
    program.stdin.end()
    expect(await program.exited).toEqual({ code: 130, signal: null })
    await expect.poll(() => server.connections, { timeout: 5_000 }).toBe(0)
    expect((await events).at(-1)?.event).not.toBe('done')
  })

  it.each([
    ['no JSON', 'hello', /first line on standard input must be the plan/],
    ['no plan', '{"readers":0}', /plan is not valid/],
    ['not loopback', { target: { host: '192.0.2.1' } }, /192\.0\.2\.1 is not loopback/],
    ['a name that may be anywhere', { target: { host: '127.example.org' } }, /not loopback/],
    ['h2 without TLS', { transport: 'h2' as const }, /h2 over TLS only/],
    ['a request that breaks its line', { requests: [{ path: '/\r\nX: y' }] }, /plan is not valid/],
    ['ten million readers', { readers: 10_000_000 }, /plan is not valid/],
  ])('refuses %s with 64', async (_name, plan, complaint) => {
    const program = spawnProgram(process.execPath, [fleetProgram])
    const events = said(program.lines)
    program.write(typeof plan === 'string' ? plan : JSON.stringify(planFor({ port: 9, ...plan })))
    expect(await program.exited).toEqual({ code: 64, signal: null })
    expect((await events).at(-1)).toMatchObject({
      event: 'failed',
      exitCode: 64,
      message: expect.stringMatching(complaint),
    })
  })

  it('is refused by the launcher before anything is started', async () => {
    const plan = planFor({ port: 9, target: { host: '10.0.0.1' } })
    const start = () => {
      throw new Error('started')
    }
    await expect(launchFleet(plan, start)).rejects.toThrow(/10\.0\.0\.1 is not loopback/)
  })

  it('tells the launcher when it dies under way', async () => {
    await using server = await RawServer.start(() => {})
    const program = spawnProgram(process.execPath, [fleetProgram])
    await using fleet = await launchFleet(planFor({ port: server.port }), () => program)
    await fleet.sent
    await program.kill()
    await expect(fleet.done).rejects.toThrow(/ended without a result \(SIGKILL\)/)
  })
})
