/**
 * Every kind of stream a deployment may hold. A kind says how one such stream is made; the rest of
 * the harness only knows its name.
 */
export interface StreamKind {
  id: string
  contentType: string
  /** How many records it is given when it is made, and how large. */
  records: number
  payloadBytes: number
  ttlSeconds?: number
  /** Seconds from its creation; sent as an absolute time. */
  expiresInSeconds?: number
  /** Created closed, with its whole content, or closed after its records were appended. */
  closed?: 'at-create' | 'after-appends'
  /** Forked in the middle of a freshly made source of this kind. */
  forkOf?: string
  /** Appended by an idempotent producer. */
  producer?: boolean
  /** Deleted again: it must stay gone. */
  deleted?: boolean
  /** Deleted and made again at the same path: the old records must not come back. */
  recreated?: boolean
  /** An odd but legal last segment of the path, already percent-encoded for the request line. */
  name?: string
}

const hour = 3600
const text = 'text/plain'
const json = 'application/json'
const binary = 'application/octet-stream'

const plain = { records: 12, payloadBytes: 90 }

export const streamKinds: readonly StreamKind[] = [
  { id: 'no-expiry', contentType: text, ...plain },
  { id: 'json', contentType: json, ...plain },
  { id: 'binary', contentType: binary, ...plain },
  { id: 'event-stream-type', contentType: 'text/event-stream', ...plain },
  { id: 'charset', contentType: 'text/plain; charset=utf-8', ...plain },
  { id: 'ttl', contentType: text, ttlSeconds: hour, ...plain },
  { id: 'ttl-json', contentType: json, ttlSeconds: hour, ...plain },
  { id: 'expires-at', contentType: text, expiresInSeconds: hour, ...plain },
  { id: 'closed', contentType: text, closed: 'after-appends', ...plain },
  { id: 'closed-json', contentType: json, closed: 'after-appends', ...plain },
  { id: 'created-closed', contentType: text, closed: 'at-create', records: 1, payloadBytes: 200 },
  { id: 'forked', contentType: text, forkOf: 'no-expiry', ...plain },
  { id: 'forked-json', contentType: json, forkOf: 'json', ...plain },
  { id: 'forked-ttl', contentType: text, forkOf: 'ttl', ...plain },
  { id: 'empty', contentType: text, records: 0, payloadBytes: 0 },
  { id: 'large', contentType: binary, records: 1, payloadBytes: 10 * 1024 * 1024 },
  { id: 'many-small', contentType: text, records: 1000, payloadBytes: 8 },
  { id: 'producer', contentType: text, producer: true, ...plain },
  { id: 'producer-json', contentType: json, producer: true, ...plain },
  { id: 'producer-closed', contentType: text, producer: true, closed: 'after-appends', ...plain },
  { id: 'deleted', contentType: text, deleted: true, ...plain },
  { id: 'recreated', contentType: text, recreated: true, ...plain },
  { id: 'name-space', contentType: text, name: 'with%20space', ...plain },
  { id: 'name-unicode', contentType: text, name: '%E6%97%A5%E6%9C%AC%F0%9F%8C%8A', ...plain },
  { id: 'name-punctuation', contentType: text, name: "a:b@c;d,e=f+g!$*'()~x", ...plain },
  { id: 'name-dots', contentType: text, name: 'v1.2..3.log', ...plain },
  { id: 'name-long', contentType: text, name: 'n'.repeat(180), ...plain },
  { id: 'name-percent', contentType: text, name: '100%25-sure', ...plain },
  { id: 'name-nested', contentType: text, name: 'a/b/c/d', ...plain },
]

/** The kinds that `'every'` means; forks are asked for by name, since they depend on another stream. */
export const everyKind: readonly StreamKind[] = streamKinds.filter((kind) => kind.forkOf === undefined)

export function streamKind(id: string): StreamKind {
  const kind = streamKinds.find((candidate) => candidate.id === id)
  if (!kind) throw new TypeError(`no stream kind "${id}"; there are: ${streamKinds.map((k) => k.id).join(', ')}`)
  return kind
}
