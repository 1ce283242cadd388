/**
 * One request as an access log has it, without anything secret: no authorization, no cookies, no bodies,
 * and of the query only what the protocol knows.
 */
export interface LoggedRequest {
  /** When it was sent, milliseconds since 1970. */
  atMs: number
  /** Until its answer had ended; 0 where the log does not tell. */
  tookMs: number
  method: string
  /** As in the request line, without query. */
  path: string
  /** offset, live, cursor: in the log's own order. */
  query: [name: string, value: string][]
  /** 0 or 499: the client had left. */
  status: number
  /** Of the body; null where the log does not tell. */
  requestBytes: number | null
  /** The protocol's request headers, lower case. */
  headers: Record<string, string>
  /** What the answer said of the stream; empty where the log has no response headers. */
  answered: { nextOffset?: string; contentType?: string; upToDate?: boolean }
}

/** Request headers that change what the server does, and hold no secret. */
export const headersKept: ReadonlySet<string> = new Set([
  'content-type',
  'stream-ttl',
  'stream-expires-at',
  'stream-closed',
  'stream-forked-from',
  'stream-fork-offset',
  'if-none-match',
  'producer-id',
  'producer-epoch',
  'producer-seq',
])

const parametersKept: ReadonlySet<string> = new Set(['offset', 'live', 'cursor'])
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS'])

/**
 * Takes a request target apart; null for what no server of streams was asked (an absolute URL is cut to
 * its path). Parameters that the protocol does not know may be tokens, and are dropped.
 */
export function targetOf(target: string): Pick<LoggedRequest, 'path' | 'query'> | null {
  const [path, search = ''] = target.replace(/^https?:\/\/[^/]+/i, '').split('?', 2) as [string, string?]
  if (!/^\/[\x21-\x7e]*$/.test(path) || path.length > 4_096) return null
  const query = [...new URLSearchParams(search)].filter(([name, value]) => parametersKept.has(name) && value.length <= 1_024)
  return { path, query }
}

export function isMethod(method: unknown): method is string {
  return typeof method === 'string' && methods.has(method)
}
