/**
 * The access logs that can be read, a line at a time: Caddy's JSON, nginx's as JSON, and the combined
 * format that nginx and varnishncsa share. A line that is none of these is null, never an error.
 */
import { headersKept, isMethod, targetOf, type LoggedRequest } from './logged-request.ts'

export type LogFormat = 'caddy' | 'nginx-json' | 'combined'
export const logFormats: readonly LogFormat[] = ['caddy', 'nginx-json', 'combined']

/** Which format a line has; null where it is none. */
export function formatOf(line: string): LogFormat | null {
  return logFormats.find((format) => parseLine(line, format) !== null) ?? null
}

export function parseLine(line: string, format: LogFormat): LoggedRequest | null {
  if (format === 'combined') return parseCombined(line)
  const value = parseJson(line)
  if (value === null) return null
  return format === 'caddy' ? parseCaddy(value) : parseNginxJson(value)
}

type Json = Record<string, unknown>

function parseJson(line: string): Json | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null
  } catch {
    return null
  }
}

/** https://caddyserver.com/docs/caddyfile/directives/log: `ts` is when the answer had ended, seconds. */
function parseCaddy(line: Json): LoggedRequest | null {
  const request = objectOf(line.request)
  const target = request && targetOf(textOf(request.uri))
  const seconds = timeOf(line.ts)
  if (!request || !target || seconds === null || !isMethod(request.method)) return null
  const tookMs = (numberOf(line.duration) ?? 0) * 1_000
  const answer = lowerCase(objectOf(line.resp_headers) ?? {})
  return {
    ...target,
    atMs: seconds * 1_000 - tookMs,
    tookMs,
    method: request.method,
    status: numberOf(line.status) ?? 0,
    requestBytes: numberOf(line.bytes_read),
    headers: keptOf(lowerCase(objectOf(request.headers) ?? {})),
    answered: answeredOf(answer),
  }
}

/** As nginx users write it: a time, `request` or its parts, `status`, and mostly `request_time`. */
function parseNginxJson(line: Json): LoggedRequest | null {
  const [method, uri] = line.request_method === undefined ? textOf(line.request).split(' ') : [line.request_method, line.request_uri ?? line.uri]
  const target = targetOf(textOf(uri))
  const seconds = timeOf(line.msec ?? line.time_iso8601 ?? line.time_local ?? line.time ?? line.timestamp ?? line['@timestamp'])
  if (!target || seconds === null || !isMethod(method)) return null
  const tookMs = (numberOf(line.request_time) ?? 0) * 1_000
  const contentType = line.http_content_type ?? line.content_type
  return {
    ...target,
    atMs: seconds * 1_000 - tookMs,
    tookMs,
    method,
    status: numberOf(line.status) ?? 0,
    requestBytes: numberOf(line.content_length) ?? null,
    headers: typeof contentType === 'string' && contentType !== '' ? { 'content-type': contentType } : {},
    answered: {},
  }
}

/** `1.2.3.4 - - [10/Oct/2026:13:55:36 +0000] "GET /a?offset=-1 HTTP/1.1" 200 2326 …` */
const combined = /^\S+ \S+ \S+ \[([^\]]{10,40})\] "([A-Z]+) (\S+)[^"]*" (\d{3}|-) (\d+|-)(?:\s|$)/

function parseCombined(line: string): LoggedRequest | null {
  const [, time, method, uri, status] = combined.exec(line) ?? []
  const target = targetOf(uri ?? '')
  const seconds = timeOf(time)
  if (!target || seconds === null || !isMethod(method)) return null
  return { ...target, atMs: seconds * 1_000, tookMs: 0, method, status: status === '-' ? 0 : Number(status), requestBytes: null, headers: {}, answered: {} }
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Seconds since 1970, from a number, an ISO time or nginx's own; null for anything else. */
function timeOf(value: unknown): number | null {
  const number = numberOf(value)
  if (number !== null) return number > 0 && number < 1e11 ? number : null
  if (typeof value !== 'string') return null
  const local = /^(\d{2})\/(\w{3})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-]\d{2})(\d{2})$/.exec(value)
  const month = local ? months.indexOf(local[2]!) + 1 : 0
  const iso = local ? `${local[3]}-${String(month).padStart(2, '0')}-${local[1]}T${local[4]}${local[5]}:${local[6]}` : value
  const ms = Date.parse(iso)
  return Number.isFinite(ms) && ms > 0 ? ms / 1_000 : null
}

/** An object may have a toString of its own that is none: it is no text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function numberOf(value: unknown): number | null {
  const number = typeof value === 'number' ? value : typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN
  return Number.isFinite(number) ? number : null
}

function objectOf(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null
}

/** Headers with lower-case names; Caddy has a list of values for each. */
export function lowerCase(headers: Json): Record<string, string> {
  const text = (value: unknown) => (Array.isArray(value) ? value.map(textOf).join(', ') : textOf(value))
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), text(value)]))
}

export function keptOf(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name, value]) => headersKept.has(name) && value !== 'REDACTED' && /^[\t\x20-\x7e]{0,512}$/.test(value)))
}

export function answeredOf(answer: Record<string, string>): LoggedRequest['answered'] {
  return {
    ...(answer['stream-next-offset'] === undefined ? {} : { nextOffset: answer['stream-next-offset'] }),
    ...(answer['content-type'] === undefined ? {} : { contentType: answer['content-type'] }),
    ...(answer['stream-up-to-date'] === undefined ? {} : { upToDate: answer['stream-up-to-date'] === 'true' }),
  }
}
