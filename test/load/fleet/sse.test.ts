/** Readers of event streams, against a real server that writes Durable Streams' events. */
import { createHash, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { fromBase64 } from '../../../harness/load/fleet/receiver.ts'
import { RawServer, writePieces } from './raw-server.ts'
import { runPlan } from './run-plan.ts'

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')
const head = (...lines: string[]) =>
  ['HTTP/1.1 200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked', ...lines]
    .map((line) => `${line}\r\n`)
    .join('') + '\r\n'
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const data = (...lines: string[]) => `event: data\n${lines.map((l) => `data:${l}\n`).join('')}\n`
const control = (fields: object) => `event: control\ndata:${JSON.stringify(fields)}\n\n`
const open = head() + chunk(control({ streamNextOffset: '0_0', upToDate: true, streamCursor: '7' }))
const last = '0\r\n\r\n'

async function readers(count: number, dataEvents: number, serve: (socket: Socket) => void) {
  await using server = await RawServer.start(serve)
  const read = { kind: 'sse' as const, dataEvents }
  return await runPlan({ port: server.port, readers: count, read, deadlineMs: 5_000 })
}

describe('readers of an event stream', () => {
  it('are open, then receive events, then hang up', async () => {
    const sockets: Socket[] = []
    await using server = await RawServer.start((socket) => {
      sockets.push(socket)
      socket.write(open)
    })
    const plan = { port: server.port, readers: 50, read: { kind: 'sse' as const, dataEvents: 3 } }
    const { rows, events, summary } = await runPlan(plan, async (fleet) => {
      expect(await fleet.open).toMatchObject({ count: 50, failed: 0 })
      for (let n = 1; n <= 3; n++) {
        const event = chunk(data(`event ${n}`)) + chunk(control({ streamNextOffset: `0_${n}` }))
        for (const socket of sockets) socket.write(event)
      }
    })
    expect(events.map((e) => e.event)).toContain('open')
    expect(summary.outcomes).toEqual({ complete: 50 })
    expect(summary.dataEvents).toBe(150)
    for (const row of rows) {
      expect(row.bodyHash).toBe(sha256('event 1event 2event 3'))
      expect(row.headers).toEqual({ 'sse:streamNextOffset': '0_3' })
      expect(row.lastByteMs).toBeGreaterThanOrEqual(row.firstByteMs)
    }
  })

  it('join the lines of an event, and decode base64 by event', async () => {
    const text = await readers(2, 2, (socket) => {
      socket.write(open + chunk(data('[1,', ' 2]')) + chunk(data('') + control({})))
    })
    for (const row of text.rows) expect(row.bodyHash).toBe(sha256('[1,\n2]'))
    const bytes = [randomBytes(1_000), randomBytes(1_001)]
    const coded = bytes.map((b) => b.toString('base64').match(/.{1,76}/g)!)
    const binary = await readers(2, 2, (socket) => {
      socket.write(head('Stream-SSE-Data-Encoding: base64'))
      for (const lines of coded) socket.write(chunk(data(...lines) + control({})))
    })
    for (const row of binary.rows) expect(row.bodyHash).toBe(sha256(Buffer.concat(bytes)))
  })

  it('put together events that come byte by byte, chunks cutting through them', async () => {
    const { rows } = await readers(3, 1, (socket) => {
      const event = data('split') + control({ streamNextOffset: '0_1', streamClosed: true })
      const wire = open + [...event].map(chunk).join('')
      void writePieces(socket, [...Buffer.from(wire)].map((byte) => Buffer.from([byte])))
    })
    for (const row of rows) {
      expect(row).toMatchObject({ outcome: 'complete', dataEvents: 1, bodyHash: sha256('split') })
      expect(row.headers['sse:streamClosed']).toBe('true')
    }
  })

  it('wait for the control event of their last data event', async () => {
    const { rows } = await readers(3, 1, (socket) => {
      socket.write(open + chunk(data('x')))
      setTimeout(() => socket.write(chunk(control({ streamNextOffset: '0_9' }))), 1_200)
    })
    for (const row of rows) expect(row.headers['sse:streamNextOffset']).toBe('0_9')
  })

  it.each([
    ['ended', chunk(data('a') + control({})) + last, 1],
    ['ended', last, 0],
    ['truncated', chunk(data('a')), 1],
    ['truncated', chunk('event: data\ndata: a\n') + last, 0],
    ['malformed', chunk('event: control\ndata: {\n\n'), 0],
  ])('are %s when the stream ends so (%#)', async (outcome, rest, events) => {
    const { rows } = await readers(3, 2, (socket) => void socket.end(open + rest))
    for (const row of rows) expect(row).toMatchObject({ outcome, dataEvents: events })
  })

  it('are malformed when base64 was promised and is not what came', async () => {
    const { rows } = await readers(2, 1, (socket) => {
      socket.write(head('Stream-SSE-Data-Encoding: base64') + chunk(data('not base64!')))
    })
    for (const row of rows) expect(row).toMatchObject({ outcome: 'malformed', error: 'base64' })
  })

  it('tell an answer that is no event stream by its status and bytes', async () => {
    const { rows } = await readers(2, 1, (socket) => {
      socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone')
    })
    for (const row of rows) {
      expect(row).toMatchObject({ outcome: 'ended', status: 404, bodyHash: sha256('gone') })
    }
  })
})

describe('base64', () => {
  it('is taken with line ends, and refused where it is not standard', () => {
    expect(fromBase64(Buffer.from('AQID\nBAUG'))).toEqual(Buffer.from([1, 2, 3, 4, 5, 6]))
    expect(fromBase64(Buffer.alloc(0))).toEqual(Buffer.alloc(0))
    for (const bad of ['AQI', 'A===', '_-__', 'AQ ID', 'AQ==AQ==']) {
      expect(fromBase64(Buffer.from(bad)), bad).toBeUndefined()
    }
  })
})
