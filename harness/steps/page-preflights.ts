/**
 * For each method and each request header of the protocol a request that a browser sends only if a
 * preflight allowed it. All of them are right: but for a preflight that refuses, each is answered.
 */
import { withPages, type OpenPage, type Pages } from '../browser/open-pages.ts'
import type { probe, Probe } from '../browser/page-program.ts'
import type { Via } from '../history.ts'
import { urlByName } from '../operations.ts'
import type { Interpreter, StepContext } from '../step.ts'
import { newStream } from './create-streams.ts'

export interface PagePreflights {
  kind: 'page-preflights'
  via: Via[]
}

/** Each method alone, then with each header, from a page of another origin. */
export function pagePreflights(options: Omit<PagePreflights, 'kind'>): PagePreflights {
  return { kind: 'page-preflights', ...options }
}

interface Request {
  method: string
  /** The one that is asked about; null for the method alone. */
  header: string | null
  headers: Record<string, string>
  body?: string
}

const producer = { 'producer-id': 'p', 'producer-epoch': '0', 'producer-seq': '0' }
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()

/** `source` is a stream to fork. Three headers of one meaning go together. */
function requests(source: Target): Request[] {
  const fork = { 'stream-forked-from': source.path }
  const put = (header: string | null, headers: Record<string, string> = {}) => ({ method: 'PUT', header, headers })
  const post = (header: string | null, headers: Record<string, string> = {}) => ({ method: 'POST', header, headers: { 'content-type': 'text/plain', ...headers }, body: 'x' })
  const alone = (method: string, header: string | null, value = '') => ({ method, header, headers: header === null ? {} : { [header]: value } })
  return [
    put(null),
    put('content-type', { 'content-type': 'application/json' }),
    put('stream-ttl', { 'stream-ttl': '60' }),
    put('stream-expires-at', { 'stream-expires-at': inAnHour() }),
    put('stream-closed', { 'stream-closed': 'true' }),
    put('stream-forked-from', fork),
    put('stream-fork-offset', { ...fork, 'stream-fork-offset': source.offset }),
    put('authorization', { authorization: 'Bearer x' }),
    post(null),
    post('stream-seq', { 'stream-seq': '1' }),
    post('stream-closed', { 'stream-closed': 'true' }),
    post('producer-id', producer),
    post('authorization', { authorization: 'Bearer x' }),
    alone('GET', 'if-none-match', '"none"'),
    alone('GET', 'authorization', 'Bearer x'),
    alone('HEAD', 'authorization', 'Bearer x'),
    alone('DELETE', null),
    alone('DELETE', 'authorization', 'Bearer x'),
  ]
}

/** All the headers that are asked for, lower case. */
export function askedHeaders(): Set<string> {
  return new Set(requests({ path: '/', offset: '0' }).flatMap(({ headers }) => Object.keys(headers)))
}

export const pagePreflightsInterpreter: Interpreter<PagePreflights> = async (step, context) => {
  await withPages(context, 'Preflights were not looked at', async (pages) => {
    await Promise.all(step.via.map((via) => askAll(context, via, pages)))
  })
}

async function askAll(context: StepContext, via: Via, pages: Pages): Promise<void> {
  const window = await pages.window()
  const page = await pages.open(window)
  const source = await streamOf(context, `preflight-source-${via}`)
  for (const [n, request] of requests(source).entries()) {
    // Browsers remember a preflight by its URL: each has one of its own.
    const name = `preflight-${via}-${n}`
    const path = request.method === 'PUT' ? `${context.world.capabilities.streamBase}${name}` : (await streamOf(context, name)).path
    await ask(context, via, page, request, path)
  }
  await window.close()
}

interface Target {
  path: string
  offset: string
}

async function streamOf(context: StepContext, name: string): Promise<Target> {
  const kind = { id: 'preflight', contentType: 'text/plain', records: 0, payloadBytes: 0 }
  const stream = newStream(context, kind, name)
  const created = await context.operations.create('creator', stream, 'origin', { streamKind: kind.id, contentType: kind.contentType })
  return { path: stream.path, offset: created.headers?.['stream-next-offset'] ?? '-1' }
}

async function ask(context: StepContext, via: Via, { page, kept }: OpenPage, request: Request, path: string): Promise<void> {
  const { method, header, headers, body } = request
  const url = `${urlByName(context.world.endpoint(via))}${path}`
  const answer = await page.evaluate(runProbe, { url, method, headers, ...(body === undefined ? {} : { body }) })
  const words = await kept()
  const allowed = 'status' in answer
  const because = allowed ? undefined : words.join(', ') || answer.error
  context.recorder.record({ kind: 'page-preflight', via, method, header, allowed, ...(because === undefined ? {} : { because }) })
}

/** Runs in the page. */
function runProbe(request: Probe): ReturnType<typeof probe> {
  return (globalThis as unknown as { program: { probe: typeof probe } }).program.probe(request)
}
