/** What is known of the packages of Durable Streams: their names, and the constants they export. Pure. */
import { text, type ExternalValue, type Value } from './values.ts'

/** Of `@durable-streams/client`, as of 0.2.7. */
const constants: Record<string, string> = {
  STREAM_OFFSET_HEADER: 'Stream-Next-Offset',
  STREAM_CURSOR_HEADER: 'Stream-Cursor',
  STREAM_UP_TO_DATE_HEADER: 'Stream-Up-To-Date',
  STREAM_CLOSED_HEADER: 'Stream-Closed',
  STREAM_SEQ_HEADER: 'Stream-Seq',
  STREAM_TTL_HEADER: 'Stream-TTL',
  STREAM_EXPIRES_AT_HEADER: 'Stream-Expires-At',
  PRODUCER_ID_HEADER: 'Producer-Id',
  PRODUCER_EPOCH_HEADER: 'Producer-Epoch',
  PRODUCER_SEQ_HEADER: 'Producer-Seq',
  OFFSET_QUERY_PARAM: 'offset',
  LIVE_QUERY_PARAM: 'live',
  CURSOR_QUERY_PARAM: 'cursor',
}

export const clientPackage = '@durable-streams/client'
export const serverPackage = '@durable-streams/server'

export function isDurableStreams(name: string): boolean {
  return name.startsWith('@durable-streams/')
}

/** The value of an exported constant, else the external itself; `default` of an interop import is dropped. */
export function constantOf(external: ExternalValue): Value {
  if (!isDurableStreams(external.package)) return external
  const path = external.path[0] === 'default' ? external.path.slice(1) : external.path
  const constant = external.package === clientPackage && path.length === 1 ? constants[path[0]!] : undefined
  return constant === undefined ? { ...external, path } : text(constant)
}

/** Whether the value is `name` of the package: `DurableStream.create` is `['DurableStream', 'create']`. */
export function isExport(value: Value, from: string, ...path: string[]): boolean {
  return value.kind === 'external' && value.package === from && value.path.join('.') === path.join('.')
}
