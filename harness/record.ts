/**
 * A record is what one append writes: it names itself, so that a reader of the whole stream can
 * tell which appends are there, in which order, how often, and which bytes belong to none.
 *
 * Streams of bytes hold `@r <id> <length> <hash>\n<payload>\n`; JSON streams hold one object each.
 */
import { createHash } from 'node:crypto'
import { randomFor } from './seed.ts'
import type { ReadBack } from './history.ts'

const marker = Buffer.from('@r ')
const newline = 0x0a
/** A header line is never longer: the id is bounded, the rest are numbers. */
const headerBytesMax = 160

export function isJson(contentType: string): boolean {
  return contentType.split(';')[0]!.trim().toLowerCase() === 'application/json'
}

function isText(contentType: string): boolean {
  return contentType.startsWith('text/') || isJson(contentType)
}

/** The body of the append that writes record `id` with a payload of `payloadBytes` (seeded by id). */
export function encodeRecord(seed: number, id: string, contentType: string, payloadBytes: number): Buffer {
  const random = randomFor(seed, 'record', id)
  if (isJson(contentType)) {
    const payload = random.text(payloadBytes)
    return Buffer.from(JSON.stringify({ record: id, hash: shortHash(payload), payload }))
  }
  const payload = isText(contentType) ? Buffer.from(random.text(payloadBytes)) : random.bytes(payloadBytes)
  const header = `@r ${id} ${payload.length} ${shortHash(payload)}\n`
  return Buffer.concat([Buffer.from(header), payload, Buffer.from('\n')])
}

function shortHash(payload: Buffer | string): string {
  return createHash('sha256').update(payload).digest('hex').slice(0, 16)
}

export type Found = Pick<ReadBack, 'records' | 'damaged'>

/** Takes a stream's bytes apart into records and damage. Never throws, whatever the bytes are. */
export function findRecords(body: Buffer, contentType: string): Found {
  return isJson(contentType) ? findInJson(body) : findInBytes(body)
}

function findInJson(body: Buffer): Found {
  const found: Found = { records: [], damaged: [] }
  let messages: unknown
  try {
    messages = body.length === 0 ? [] : JSON.parse(body.toString('utf8'))
  } catch (error) {
    found.damaged.push({ at: 0, bytes: body.length, what: `not JSON: ${String(error).slice(0, 80)}` })
    return found
  }
  if (!Array.isArray(messages)) {
    found.damaged.push({ at: 0, bytes: body.length, what: 'not a JSON array' })
    return found
  }
  messages.forEach((message, index) => {
    const record = recordOfMessage(message)
    if (record) found.records.push(record)
    else found.damaged.push({ at: index, bytes: JSON.stringify(message).length, what: 'message of no append' })
  })
  return found
}

function recordOfMessage(message: unknown): string | null {
  if (typeof message !== 'object' || message === null) return null
  const { record, hash, payload } = message as Record<string, unknown>
  if (typeof record !== 'string' || typeof payload !== 'string') return null
  return shortHash(payload) === hash ? record : null
}

function findInBytes(body: Buffer): Found {
  const found: Found = { records: [], damaged: [] }
  let at = 0
  while (at < body.length) {
    const record = recordAt(body, at)
    if (record) {
      found.records.push(record.id)
      at = record.end
      continue
    }
    const next = nextMarker(body, at + 1)
    found.damaged.push({ at, bytes: next - at, what: preview(body, at) })
    at = next
  }
  return found
}

function recordAt(body: Buffer, at: number): { id: string; end: number } | null {
  if (!body.subarray(at, at + marker.length).equals(marker)) return null
  const headerEnd = body.indexOf(newline, at)
  if (headerEnd === -1 || headerEnd - at > headerBytesMax) return null
  const [, id, lengthText, hash] = body.toString('latin1', at, headerEnd).split(' ')
  const length = Number(lengthText)
  const payloadEnd = headerEnd + 1 + length
  if (!id || !Number.isSafeInteger(length) || body[payloadEnd] !== newline) return null
  if (shortHash(body.subarray(headerEnd + 1, payloadEnd)) !== hash) return null
  return { id, end: payloadEnd + 1 }
}

/** Where the next whole record may begin: a marker whose record parses, or the end. */
function nextMarker(body: Buffer, from: number): number {
  for (let at = body.indexOf(marker, from); at !== -1; at = body.indexOf(marker, at + 1)) {
    if (recordAt(body, at)) return at
  }
  return body.length
}

function preview(body: Buffer, at: number): string {
  return JSON.stringify(body.toString('latin1', at, Math.min(body.length, at + 48)))
}

/** Where a record stands in a file that holds messages as they were sent. */
export interface RecordPlace {
  at: number
  payloadAt: number
  payloadEnd: number
  /** Behind the record. */
  end: number
}

/** What the record with this id begins with. */
export function markOf(id: string, contentType: string): string {
  return isJson(contentType) ? `{"record":"${id}",` : `@r ${id} `
}

/** Null where the record is not there, or not whole. */
export function findPlace(content: Buffer, id: string, contentType: string): RecordPlace | null {
  const at = content.indexOf(markOf(id, contentType))
  if (at === -1) return null
  return isJson(contentType) ? placeOfJson(content, at) : placeOfBytes(content, at)
}

function placeOfBytes(content: Buffer, at: number): RecordPlace | null {
  const record = recordAt(content, at)
  return record && { at, payloadAt: content.indexOf(newline, at) + 1, payloadEnd: record.end - 1, end: record.end }
}

const jsonPayload = '"payload":"'
const jsonEnd = '"}'

function placeOfJson(content: Buffer, at: number): RecordPlace | null {
  const begin = content.indexOf(jsonPayload, at)
  const payloadAt = begin + jsonPayload.length
  const payloadEnd = begin === -1 ? -1 : content.indexOf(jsonEnd, payloadAt)
  if (payloadEnd === -1) return null
  const end = payloadEnd + jsonEnd.length
  const { records } = findInJson(Buffer.from(`[${content.toString('utf8', at, end)}]`))
  return records.length === 1 ? { at, payloadAt, payloadEnd, end } : null
}
