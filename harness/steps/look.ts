/**
 * Asks for the same answers again and again, on streams that nobody writes to any more: what an
 * operator does must change none of them. And asks as somebody without credentials.
 */
import { createHash } from 'node:crypto'
import { Agent, request, type Dispatcher } from 'undici'
import { responseNumberHeader, type Via } from '../history.ts'
import { decodedBody, wholeBody } from '../load/decoded-body.ts'
import { unverified, type Endpoint, type KnownStream } from '../operations.ts'
import { findRecords } from '../record.ts'
import type { Interpreter, StepContext } from '../step.ts'
import { createOne, inParallel } from './create-streams.ts'
import { streamKind } from '../streams.ts'

export interface Look {
  kind: 'look'
  group: string
  via: Via[]
}

export interface AskAsStranger {
  kind: 'ask-as-stranger'
  via: Via[]
}

const everyWay: Via[] = ['origin', 'edge', 'tls']

/** Asks for answers of every mode by every way, compressed and not; the streams are made the first time. */
export function look(group: string, options: { via?: Via[] } = {}): Look {
  return { kind: 'look', group, via: everyWay, ...options }
}

/** Reads the streams that were looked at, and writes to them, without credentials. */
export function askAsStranger(options: { via?: Via[] } = {}): AskAsStranger {
  return { kind: 'ask-as-stranger', via: everyWay, ...options }
}

const prefix = 'looked'
const kinds = ['no-expiry', 'json', 'binary', 'closed']
/** More than what servers leave uncompressed. */
const payloadBytes = 700
const answerMs = 10_000
const askedAtOnce = 12

interface Question {
  what: string
  stream: KnownStream
  method: 'GET' | 'HEAD' | 'OPTIONS' | 'PUT'
  query?: string
  headers?: Record<string, string>
  /** An event stream is left after its first control event. */
  isEvents?: boolean
}

export const lookInterpreter: Interpreter<Look> = async (step, context) => {
  const streams = await lookedAt(context)
  const questions = (await Promise.all(streams.map((stream) => questionsOn(context, stream)))).flat()
  const jobs = step.via
    .filter((via) => context.world.reaches(via))
    .flatMap((via) => questions.map((question) => () => askAndNote(context, step.group, via, question)))
  await inParallel(jobs, askedAtOnce, context.signal)
}

async function lookedAt(context: StepContext): Promise<KnownStream[]> {
  const known = [...context.streams.values()].filter((stream) => stream.name.startsWith(prefix))
  if (known.length > 0) return known
  const make = (id: string) => createOne(context, { ...streamKind(id), records: 4, payloadBytes }, `${prefix}-${id}`)
  return Promise.all(kinds.map(make))
}

async function questionsOn(context: StepContext, stream: KnownStream): Promise<Question[]> {
  const head = await context.operations.head('looker', stream, 'origin')
  const tail = encodeURIComponent(head.headers?.['stream-next-offset'] ?? '-1')
  const first = await context.operations.readOnce('looker', stream, 'origin', 'offset=-1', { mode: 'catch-up' })
  const on = { stream, method: 'GET' as const }
  const name = stream.kind
  const gzip = { 'accept-encoding': 'gzip' }
  return [
    { ...on, what: `${name}, from the start`, query: 'offset=-1' },
    { ...on, what: `${name}, from the start, compressed`, query: 'offset=-1', headers: gzip },
    { ...on, what: `${name}, at the tail`, query: `offset=${tail}` },
    { ...on, what: `${name}, from now`, query: 'offset=now' },
    { ...on, what: `${name}, unchanged since`, query: 'offset=-1', headers: { 'if-none-match': first.headers?.etag ?? '"none"' } },
    { ...on, what: `${name}, long-poll from the start`, query: 'offset=-1&live=long-poll' },
    { ...on, what: `${name}, long-poll from the start, compressed`, query: 'offset=-1&live=long-poll', headers: gzip },
    { ...on, what: `${name}, SSE from the start`, query: 'offset=-1&live=sse', isEvents: true },
    { ...on, what: `${name}, SSE from the start, compressed`, query: 'offset=-1&live=sse', headers: gzip, isEvents: true },
    { ...on, what: `${name}, HEAD`, method: 'HEAD' },
    { ...on, what: `${name}, preflight`, method: 'OPTIONS', headers: { origin: 'https://app.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' } },
    { ...on, what: `${name}, from a page of another origin`, query: 'offset=-1', headers: { origin: 'https://app.example' } },
    ...(stream.closed ? [] : [{ ...on, what: `${name}, created again`, method: 'PUT' as const, headers: { 'content-type': stream.contentType } }]),
    { ...on, stream: { ...stream, path: `${stream.path}-none` }, what: `${name}, one that is not there`, query: 'offset=-1' },
  ]
}

async function askAndNote(context: StepContext, group: string, via: Via, question: Question): Promise<void> {
  const base = { kind: 'look' as const, group, what: question.what, via }
  try {
    const endpoint = context.world.endpoint(via)
    // A browser sends no credentials with a preflight.
    const own = question.method === 'OPTIONS' ? {} : (endpoint.headers ?? {})
    const { status, headers, body } = await ask(endpoint, question, { ...own, ...question.headers }, context.signal)
    const sha256 = createHash('sha256').update(body).digest('hex')
    context.recorder.record({ ...base, status, headers, bytes: body.length, sha256 })
  } catch (error) {
    // The scenario's own end is no answer of the subject's.
    if (context.signal.aborted) return
    context.recorder.record({ ...base, status: null, headers: {}, bytes: 0, sha256: '', error: String(error) })
  }
}

interface Answered {
  status: number
  headers: Record<string, string>
  body: Buffer
}

async function ask(endpoint: Endpoint, question: Question, headers: Record<string, string>, signal: AbortSignal): Promise<Answered> {
  const agent = new Agent({ connections: 1, ...unverified(endpoint) })
  const target = question.query === undefined ? question.stream.path : `${question.stream.path}?${question.query}`
  try {
    const response = await request(`${endpoint.url}${target}`, {
      dispatcher: agent,
      method: question.method,
      headers: { host: endpoint.authority, ...headers },
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      signal,
    })
    const body = question.isEvents && response.statusCode === 200 ? await untilControl(response) : await wholeBody(response)
    return { status: response.statusCode, headers: flat(response.headers), body }
  } finally {
    await agent.destroy()
  }
}

/** The tap's own number of a response is no answer of the subject's. */
function flat(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const given = Object.entries(headers).filter(([name]) => name !== responseNumberHeader)
  return Object.fromEntries(given.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]))
}

const controlEvent = /\n?event: ?control\n(data:[^\n]*\n)+\n/

/** The data up to the first control event, and what that one says but for its cursor. */
async function untilControl(response: Dispatcher.ResponseData): Promise<Buffer> {
  let text = ''
  for await (const piece of decodedBody(response)) {
    text += piece.toString('latin1')
    const control = controlEvent.exec(text)
    if (control) return Buffer.from(text.slice(0, control.index + control[0].length).replaceAll(/"streamCursor":"[^"]*"/g, '"streamCursor":"…"'), 'latin1')
  }
  return Buffer.from(text, 'latin1')
}

export const askAsStrangerInterpreter: Interpreter<AskAsStranger> = async (step, context) => {
  const streams = await lookedAt(context)
  const questions = (await Promise.all(streams.map((stream) => questionsOn(context, stream)))).flat().filter(({ method }) => method !== 'OPTIONS')
  const jobs = step.via
    .filter((via) => context.world.reaches(via))
    .flatMap((via) => questions.map((question) => () => askStrangely(context, via, question)))
  await inParallel(jobs, askedAtOnce, context.signal)
}

async function askStrangely(context: StepContext, via: Via, question: Question): Promise<void> {
  const base = { kind: 'stranger' as const, what: question.what, via }
  try {
    const { status, body } = await ask(context.world.endpoint(via), question, question.headers ?? {}, context.signal)
    const marks = body.toString('latin1').split('@r ').length - 1
    const records = Math.max(marks, findRecords(body, question.stream.contentType).records.length)
    context.recorder.record({ ...base, status, records })
  } catch (error) {
    if (context.signal.aborted) return
    context.recorder.record({ ...base, status: null, records: 0, error: String(error) })
  }
}
