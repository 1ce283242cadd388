/** The link through a tap that is cut, silent or slow, with real connections. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openProcessRuntime } from '../../../harness/runtime/processes.ts'
import type { Runtime } from '../../../harness/runtime/runtime.ts'
import { openTap, type Tap } from '../../../harness/services/tap/tap-client.ts'
import { until, within } from '../../../harness/until.ts'
import { fate, listenRaw, open, type Listening } from './peers.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'tap-link-'))
let runtime: Runtime
let origin: Listening
beforeAll(async () => {
  runtime = await openProcessRuntime({ runId: path.basename(folder), logsDir: folder })
  // Sends back what it gets, and ends when that ends.
  origin = await listenRaw((socket) => void socket.pipe(socket))
})
afterAll(async () => {
  await origin[Symbol.asyncDispose]()
  await runtime[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

async function withTap(act: (tap: Tap) => Promise<void>): Promise<void> {
  const tap = await openTap(runtime, { upstreamPort: origin.port })
  try {
    await act(tap)
  } finally {
    await tap.close()
  }
}

/** Sends a text and gives back what comes of it, as it comes. */
class Echo {
  readonly socket: Socket
  received = ''
  pieces = 0
  constructor(port: number) {
    this.socket = open(port)
    this.socket.setEncoding('utf8').on('data', (text: string) => {
      this.received += text
      this.pieces += 1
    })
    this.socket.on('error', () => {})
  }

  async returns(text: string): Promise<number> {
    const atMs = performance.now()
    this.socket.write(text)
    await until(() => this.received.endsWith(text), { for: `"${text}" to come back`, timeoutMs: 10_000, everyMs: 1 })
    return performance.now() - atMs
  }
}

describe('a link', () => {
  test('that is cut resets what stands and what comes, and passes again when it is healed', () =>
    withTap(async (tap) => {
      const standing = new Echo(tap.port)
      await standing.returns('before')
      const ended = fate(standing.socket)
      const { standing: connections } = await tap.link({ state: 'cut' })
      expect(connections).toBe(1)
      expect(await ended).toBe('ECONNRESET')
      expect(await fate(open(tap.port))).toBe('ECONNRESET')
      expect(await tap.link({ state: 'open' })).toMatchObject({ reset: 1, refused: 1, passed: 1 })
      await new Echo(tap.port).returns('after')
      expect(await tap.link()).toMatchObject({ reset: 1, refused: 1, passed: 2 })
    }))

  test('that is silent holds bytes and ends, of old connections and new, and delivers them in order when it is healed', () =>
    withTap(async (tap) => {
      const standing = new Echo(tap.port)
      await standing.returns('one')
      await tap.link({ state: 'silent' })
      standing.socket.write('two')
      standing.socket.write('three')
      standing.socket.end('four')
      const late = new Echo(tap.port)
      await once(late.socket, 'connect')
      late.socket.write('hello')
      await until(async () => (await tap.link()).heldPieces >= 2, { for: 'pieces to be held', timeoutMs: 5_000 })
      const { heldPieces, standing: connections } = await tap.link()
      expect([heldPieces >= 2, connections]).toEqual([true, 2])
      expect([standing.received, late.received]).toEqual(['one', ''])
      const over = once(standing.socket, 'end')
      await tap.link({ state: 'open' })
      await within(over, { for: 'the end', timeoutMs: 5_000 })
      expect(standing.received).toBe('onetwothreefour')
      await until(() => late.received === 'hello', { for: 'the late one', timeoutMs: 5_000 })
    }))

  test('that is slow delays both ways by its latency, cuts slices, and is quick again when it is healed', () =>
    withTap(async (tap) => {
      const echo = new Echo(tap.port)
      await echo.returns('quick')
      await tap.link({ state: 'slow', latencyMs: 40, sliceBytes: 2 })
      expect(await echo.returns('12345')).toBeGreaterThanOrEqual(80)
      const { delayedPieces, delayMsMin } = await tap.link()
      expect(delayedPieces).toBeGreaterThanOrEqual(6)
      expect(delayMsMin).toBeGreaterThanOrEqual(40)
      expect(echo.received).toBe('quick12345')
      await tap.link({ state: 'open' })
      await echo.returns('quick again')
      expect((await tap.link()).delayedPieces).toBe(delayedPieces)
    }))

  test('of a bounded rate takes the time that the bytes need', () =>
    withTap(async (tap) => {
      const echo = new Echo(tap.port)
      await echo.returns('x')
      await tap.link({ state: 'slow', latencyMs: 0, bytesPerSecond: 100_000 })
      // One way after the other has 20,000 bytes: 200 ms, and a little less for the overlap of pieces.
      expect(await echo.returns('y'.repeat(20_000))).toBeGreaterThanOrEqual(200)
    }))

  test('that was slow and is cut leaves nothing to come later', () =>
    withTap(async (tap) => {
      const echo = new Echo(tap.port)
      await echo.returns('x')
      await tap.link({ state: 'slow', latencyMs: 60_000 })
      echo.socket.write('never')
      const ended = fate(echo.socket)
      await tap.link({ state: 'cut' })
      expect(await ended).toBe('ECONNRESET')
      await until(async () => (await tap.link()).standing === 0, { for: 'no connection to stand', timeoutMs: 5_000 })
      expect(echo.received).toBe('x')
    }))
})
