/**
 * The reference server, broken in the one behaviour that $TWIN names. Started with the same
 * argument as the real one.
 *
 * Where the reference server itself is red, a twin needs a sound base: $TWIN then names what this
 * program does better (`bounded-pool`, `locks-its-data-dir`, `frees-expired-streams`).
 */
import { existsSync, openSync, statfsSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { dirname } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { DurableStreamTestServer, FileBackedStreamStore } from '@durable-streams/server'
import { passOn, send } from './passing.ts'
import { originArgument, twin } from './planted.ts'
import { treatmentOf, withoutProducer } from './producer-twins.ts'
import { WritesUnderWay } from './sound/writes-under-way.ts'

const { port, dataDir, longPollTimeoutMs, maxFileHandles } = originArgument()
const restarted = existsSync(dataDir)
const front = http.createServer({ requestTimeout: 0 })
process.once('SIGTERM', () => void stop())

/** More than there will be streams. */
const unboundedHandles = 1_000_000
const sweepEveryMs = 500

/** Of streams of which one append is mistreated, this is the one. */
const chosenStream = /\/s-forked-0$/
const chosenAppend = 5
const losing = new Set<string>()
/** By stream: how often it was created, what was appended, what is acknowledged and not yet stored. */
const creates = new Map<string, number>()
const written = new Map<string, Buffer[]>()
const heldBack = new Map<string, Buffer>()
let appendsSinceRestart = 0
/** Streams whose next append is refused, and stored all the same. */
const refusing = new Set<string>()
/** Streams that were appended to since the start. */
const opened = new Set<string>()

/** How long it holds live readers off after a start, and appends back before they are stored. */
const stallMs = 10_000
const storeAfterMs = 400
const startedAt = performance.now()
/** Of appends that are acknowledged at once and stored later, by stream: the last one's storing. */
const storing = new Map<string, Promise<unknown>>()
/** Live readers that have no answer yet. */
const waiting = new Set<http.ServerResponse>()
/** Streams of which one live read after the restart has been falsified. */
const falsified = new Set<string>()

/** Streams of which an append was refused because the disk was full. */
const refusedForRoom = new Set<string>()
/** Those that look whether the disk of their data_dir has room, and do something about it. */
const lookForRoom = ['asks-for-room', 'stays-refusing-after-a-full-disk', 'unreadable-after-a-full-disk', 'acknowledges-on-a-full-disk'].includes(twin)

/** Until when live readers are held off, after a connection was cut. */
let stalledUntil = 0

/** Writes that have not been answered yet, and each stream's last one. */
const underWay = new WritesUnderWay()
const writes = new Map<string, Promise<void>>()
let isStopping = false

/**
 * With live readers attached the reference server takes longer to stop than a container is given. This
 * one answers the writes that it has, and goes.
 */
async function stop(): Promise<void> {
  if (twin === 'ignores-sigterm') return
  isStopping = true
  front.close()
  if (twin === 'ends-readers-with-an-error') {
    for (const response of waiting) if (!response.headersSent) response.writeHead(404, { 'content-type': 'text/plain' }).end('shutting down')
  }
  await Promise.all([delay(50), underWay.end()])
  process.exit(0)
}

async function answer(inner: number, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  if (isStopping) return void response.destroy()
  const path = request.url!.split('?')[0]!
  const isWrite = request.method !== 'GET' && request.method !== 'HEAD'
  if (!isWrite) {
    // The reference server shows what is being written, and then tells the offset before it.
    await writes.get(path)
    return pass(inner, request, response)
  }
  underWay.note(request, response)
  const { promise, resolve } = Promise.withResolvers<void>()
  writes.set(path, promise)
  response.once('close', resolve)
  return pass(inner, request, response)
}

async function pass(inner: number, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const headers = { ...request.headers }
  const url = request.url!
  if (twin === 'ttl-ignored') for (const name of ['stream-ttl', 'stream-expires-at']) delete headers[name]
  const ttl = String(headers['stream-ttl'] ?? '')
  if (twin === 'ttl-doubled' && /^[1-9]\d*$/.test(ttl)) headers['stream-ttl'] = String(Number(ttl) * 2)
  if (twin === 'ttl-halved' && /^[1-9]\d*$/.test(ttl)) headers['stream-ttl'] = String(Math.floor(Number(ttl) / 2))
  if (request.method === 'PUT') creates.set(url, (creates.get(url) ?? 0) + 1)
  if (request.method === 'PUT' && headers['content-type'] === 'application/json') losing.add(url)
  if (twin === 'loses-json-at-restart' && restarted && /json/.test(url) && !losing.has(url)) {
    response.writeHead(404).end()
    return
  }
  if (twin === 'handle-limit-becomes-errors' && request.method === 'POST' && !isOpened(url)) {
    response.writeHead(500).end('too many open files')
    return
  }
  if (lookForRoom && isWithoutRoom(request, response)) return
  const body = await buffer(request)
  if (leaks('time') && request.method === 'POST') await delay((performance.now() - startedAtMs) / (slowly ? 5_000 : 50))
  if (request.method === 'POST' && headers['producer-id'] !== undefined) {
    await passProducer(inner, request, response, headers, body)
    return
  }
  if (isLive(request)) return passLive(inner, request, response)
  if (twin === 'forgets-at-a-stop' && /\/live-(no-expiry|json|binary)-/.test(url) && request.method === 'POST') return storeLater(inner, request, response, body)
  const stored = isAppend(request) ? whatIsStored(url, body) : [body]
  if (stored.length === 0) response.writeHead(204, { 'stream-next-offset': 'lost' }).end()
  else await inTurn(request, () => forward(inner, request, response, headers, stored))
}

/** Answers a request that a full disk, or one that was full, leaves its mark on; true when it did. */
function isWithoutRoom({ method, url }: http.IncomingMessage, response: http.ServerResponse): boolean {
  const path = url!.split('?')[0]!
  if (twin === 'unreadable-after-a-full-disk' && method === 'GET' && refusedForRoom.has(path)) {
    response.writeHead(500).end('corrupted segment file')
    return true
  }
  const { bavail } = statfsSync(dirname(dataDir))
  const isRefused = bavail === 0 || (twin === 'stays-refusing-after-a-full-disk' && refusedForRoom.size > 0)
  if (method !== 'POST' || !isRefused) return false
  refusedForRoom.add(path)
  if (twin === 'acknowledges-on-a-full-disk') response.writeHead(204, { 'stream-next-offset': 'nowhere' }).end()
  else response.writeHead(500).end('no space left on device')
  return true
}

/** Streams that a producer has appended to since the start. */
const produced = new Set<string>()

async function passProducer(
  inner: number,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  headers: http.IncomingHttpHeaders,
  body: Buffer,
): Promise<void> {
  const url = request.url!
  const treatment = treatmentOf(twin, url, headers, { isFirstSinceStart: !produced.has(url), restarted })
  produced.add(url)
  if (!treatment.storeFirst && !treatment.storeInstead) return forward(inner, request, response, headers, [body])
  const answer = await send(inner, request, response, withoutProducer(headers), body)
  answer.resume()
  if (treatment.storeFirst) return forward(inner, request, response, headers, [body])
  const echoed = { 'producer-epoch': headers['producer-epoch'], 'producer-seq': headers['producer-seq'] }
  response.writeHead(200, { 'stream-next-offset': answer.headers['stream-next-offset'], ...echoed }).end()
}

function isLive({ method, url }: http.IncomingMessage): boolean {
  return method === 'GET' && /[?&]live=/.test(url!)
}

/** A live read, as it is or falsified once for each stream after the restart. */
async function passLive(inner: number, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const url = request.url!
  const path = url.split('?')[0]!
  if (twin === 'stalls-readers-after-a-start' && restarted) await delay(Math.max(0, stallMs - (performance.now() - startedAt)))
  if (twin === 'stalls-after-a-cut') await delay(Math.max(0, stalledUntil - performance.now()))
  const falsifies = ['skips-a-record-on-resumption', 'repeats-on-resumption'].includes(twin) && restarted && /live-no-expiry-.*live=long-poll/.test(url)
  waiting.add(response)
  response.once('close', () => waiting.delete(response))
  if (!falsifies || falsified.has(path)) return forward(inner, request, response, { ...request.headers }, [Buffer.alloc(0)])
  const asked = twin === 'repeats-on-resumption' ? { url: url.replace(/offset=[^&]*/, 'offset=-1'), method: 'GET' } : request
  const answer = await send(inner, asked, response, { ...request.headers }, Buffer.alloc(0))
  const body = await buffer(answer)
  const { 'content-length': _, 'transfer-encoding': __, ...headers } = answer.headers
  const second = body.indexOf('\n@r ', 1) + 1
  const falsifiable = twin === 'repeats-on-resumption' || (answer.statusCode === 200 && body.length > 0)
  if (falsifiable) falsified.add(path)
  const shown = twin === 'skips-a-record-on-resumption' && falsifiable ? (second > 0 ? body.subarray(second) : Buffer.alloc(0)) : body
  response.writeHead(answer.statusCode!, { ...headers, 'content-length': String(shown.length) }).end(shown)
}

/** Acknowledged at once, stored a while later, in order: what is not stored yet goes with the process. */
async function storeLater(inner: number, request: http.IncomingMessage, response: http.ServerResponse, body: Buffer): Promise<void> {
  const url = request.url!
  const isClose = request.headers['stream-closed'] !== undefined
  const before = storing.get(url) ?? Promise.resolve()
  const stored = Promise.all([before, delay(storeAfterMs)]).then(async () => {
    if (isClose) return forward(inner, request, response, { ...request.headers }, [body])
    ;(await send(inner, request, response, { ...request.headers }, body)).resume()
  })
  storing.set(url, stored.catch(() => {}))
  if (!isClose) response.writeHead(204, { 'stream-next-offset': 'soon' }).end()
  else await stored
}

const startedAtMs = performance.now()
const leaked: Buffer[] = []
const leakEveryMs = 100

/** For runs that last longer than tests. */
const slowly = twin.startsWith('slowly-')

/** `leaks-memory`, `leaks-descriptors`, `leaks-disk`, `leaks-time`, or all at once: `leaks-everything`. */
function leaks(what: string): boolean {
  return [`leaks-${what}`, 'leaks-everything'].includes(twin.replace('slowly-', ''))
}

/** A little more all the time, as long as the program lives: what a soak is to find. */
function leak(): void {
  if (leaks('memory')) leaked.push(Buffer.alloc(300_000, 1))
  if (leaks('descriptors')) openSync('/dev/null', 'r')
  if (leaks('disk')) writeFileSync(`${dataDir}/dead-${performance.now()}`, Buffer.alloc(300_000))
}

function isOpened(url: string): boolean {
  if (opened.size < maxFileHandles!) opened.add(url)
  return opened.has(url)
}

let lastWrite: Promise<unknown> = Promise.resolve()

/** The reference server's pool closes files that are still written to; one write at a time hides it. */
function inTurn(request: http.IncomingMessage, act: () => Promise<void>): Promise<void> {
  if (maxFileHandles === null || request.method === 'GET' || request.method === 'HEAD') return act()
  const write = lastWrite.then(act)
  lastWrite = write.catch(() => {})
  return write
}

function isAppend({ method, headers }: http.IncomingMessage): boolean {
  return method === 'POST' && headers['stream-closed'] === undefined && headers['producer-id'] === undefined
}

/** The bodies that an append of `body` becomes, one after another; none where it is dropped. */
function whatIsStored(url: string, body: Buffer): Buffer[] {
  const earlier = written.get(url) ?? []
  written.set(url, [...earlier, body])
  const isChosen = chosenStream.test(url) && earlier.length + 1 === chosenAppend
  if (twin === 'drops-one-append' && isChosen) return []
  if (twin === 'drops-one-append-after-a-restart' && restarted && /\/chat-/.test(url) && ++appendsSinceRestart === 3) return []
  if (twin === 'doubles-one-append' && isChosen) return [body, body]
  if (twin === 'stores-what-it-refuses' && isChosen) refusing.add(url)
  if (twin === 'reorders-one-append') return reordered(url, body, isChosen)
  if (twin === 'expired-path-serves-old-bytes' && creates.get(url) === 2) {
    creates.delete(url)
    return [...earlier, body]
  }
  return [body]
}

/** The chosen append is acknowledged at once, and stored behind the next one. */
function reordered(url: string, body: Buffer, isChosen: boolean): Buffer[] {
  if (isChosen) {
    heldBack.set(url, body)
    return []
  }
  const late = heldBack.get(url)
  heldBack.delete(url)
  return late ? [body, late] : [body]
}

/** Sends the request once for each body; the last one's answer is passed on as it comes. */
async function forward(
  inner: number,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  headers: http.IncomingHttpHeaders,
  bodies: Buffer[],
): Promise<void> {
  for (const body of bodies.slice(0, -1)) (await send(inner, request, response, headers, body)).resume()
  const answer = await send(inner, request, response, headers, bodies.at(-1)!)
  passOn(answer, response, answer.rawHeaders, refusing.delete(request.url!) ? 409 : answer.statusCode)
}

async function serve(): Promise<void> {
  if (twin === 'locks-its-data-dir') lockDataDir()
  const server = openServer()
  if (twin === 'frees-expired-streams') setInterval(() => sweep(server), sweepEveryMs)
  const inner = Number(new URL(await server.start()).port)
  setInterval(leak, slowly ? 100 * leakEveryMs : leakEveryMs)
  front.on('request', (request, response) => void answer(inner, request, response).catch(() => response.destroy()))
  front.on('connection', (socket) => socket.on('error', () => (stalledUntil = performance.now() + stallMs)))
  front.listen(port, '127.0.0.1')
}

function openServer(): DurableStreamTestServer {
  const settings = { host: '127.0.0.1', port: 0, longPollTimeout: longPollTimeoutMs }
  // In memory it tells no offset that is older than what it tells with it, as it does now and then from disk.
  if (lookForRoom || ['memory-only', 'stalls-after-a-cut'].includes(twin)) return new DurableStreamTestServer(settings)
  if (maxFileHandles === null) return new DurableStreamTestServer({ ...settings, dataDir })
  const handles = twin === 'descriptor-leak' ? unboundedHandles : maxFileHandles
  // The store has a setting for its pool; the server does not pass it on.
  const store = new FileBackedStreamStore({ dataDir, maxFileHandles: handles })
  return Object.assign(new DurableStreamTestServer(settings), { store })
}

/** Ends the program where another one holds the folder. */
function lockDataDir(): void {
  writeFileSync(`${dataDir}.lock`, String(process.pid), { flag: 'wx' })
}

/** The store frees an expired stream when it is asked for it. */
function sweep(server: DurableStreamTestServer): void {
  for (const path of (server.store as FileBackedStreamStore).list()) server.store.has(path)
}

// Never ready again: it waits for nothing, without a listener, as a start that hangs does.
if (twin === 'never-ready-again' && restarted) setInterval(() => {}, 60_000)
else await serve()
