/** A browser's recording (HAR 1.2): one JSON document, http://www.softwareishard.com/blog/har-12-spec/. */
import { answeredOf, keptOf, lowerCase, textOf } from './log-formats.ts'
import { isMethod, targetOf, type LoggedRequest } from './logged-request.ts'

interface Entry {
  startedDateTime?: unknown
  time?: unknown
  request?: { method?: unknown; url?: unknown; headers?: unknown; bodySize?: unknown }
  response?: { status?: unknown; headers?: unknown }
}

/** The entries, each a request or null where it cannot be read; null for a document that is no HAR. */
export function parseHar(text: string): (LoggedRequest | null)[] | null {
  try {
    const { log } = JSON.parse(text) as { log?: { entries?: unknown } }
    return Array.isArray(log?.entries) ? log.entries.map((entry: unknown) => requestOf((entry ?? {}) as Entry)) : null
  } catch {
    return null
  }
}

function requestOf({ startedDateTime, time, request, response }: Entry): LoggedRequest | null {
  const target = targetOf(textOf(request?.url))
  const atMs = Date.parse(textOf(startedDateTime))
  if (!target || !Number.isFinite(atMs) || !isMethod(request?.method)) return null
  const bodySize = Number(textOf(request.bodySize) || Number.NaN)
  return {
    ...target,
    atMs,
    tookMs: Math.max(0, Number(textOf(time)) || 0),
    method: request.method,
    status: Number.isInteger(response?.status) ? (response!.status as number) : 0,
    requestBytes: Number.isFinite(bodySize) && bodySize >= 0 ? bodySize : null,
    headers: keptOf(headersOf(request.headers)),
    answered: answeredOf(headersOf(response?.headers)),
  }
}

function headersOf(list: unknown): Record<string, string> {
  if (!Array.isArray(list)) return {}
  return lowerCase(Object.fromEntries(list.map((header: { name?: unknown; value?: unknown } | null) => [textOf(header?.name), textOf(header?.value)])))
}
