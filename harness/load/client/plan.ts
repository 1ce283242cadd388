/** What the client program is told, and what it tells: lines of JSON both ways. */

/** What an application's onError does with an error. */
export type Handler =
  /** Stops on what will not go away by itself (4xx but 408 and 429), retries everything else. */
  | 'stops-on-permanent'
  /** The same, but on 401 it fetches a new token and goes on with that. */
  | 'renews-the-token'

export interface ReaderPlan {
  id: string
  /** 'https://localhost:20001/v1/stream/orders' */
  url: string
  /** By the function `stream()`, or by a `DurableStream` and its method. */
  api: 'function' | 'handle'
  live: 'long-poll' | 'sse' | 'auto'
  contentType: string
  offset: string
  handler: Handler
  /** Where a new session begins after one that ended by an error; the library offers both. */
  resumesFrom: 'last-batch' | 'session'
  /** Sent as `Authorization: Bearer …`; by a function that is asked for each request, or as a plain value. */
  token?: { value: string; given: 'by-function' | 'as-value' }
}

export interface WriterPlan {
  id: string
  url: string
  contentType: string
  producerId: string
  epoch: number
  autoClaim: boolean
  maxInFlight: number
  lingerMs: number
}

/** Records for a writer, appended one after another without waiting, then flushed. */
export interface WriteOrder {
  writer: string
  /** Unique; its answer names it. */
  order: number
  /** Bodies as text. */
  records: { record: string; body: string }[]
  /** Before the records: a new epoch. After them: the last record closes the stream. */
  also?: 'restart' | 'close'
}

export type ClientCommand =
  /** Names that shall lead to loopback. */
  | { hosts: string[] }
  | { open: ReaderPlan }
  /** What a token function gives from now on, and what the renewing handler gets. */
  | { token: { reader: string; value: string } }
  | { stop: string }
  /** Asks for the stream's state; `id` names it in what is told. */
  | { head: { id: string; url: string } }
  | { openWriter: WriterPlan }
  | { write: WriteOrder }

export type ClientEvent = { atMs: number } & (
  | { event: 'ready'; client: string }
  | { event: 'batch'; reader: string; records: string[]; damaged: number; offset: string; upToDate: boolean }
  | { event: 'on-error'; reader: string; status: number | null; error: string; returned: 'stop' | 'retry' }
  /** The session is over; `error` is null where it ended in good order. */
  | { event: 'ended'; reader: string; status: number | null; error: string | null }
  /** The application opened a new session by itself, from the last batch's offset. */
  | { event: 'resumed'; reader: string; offset: string }
  /** The token is the new one from now on. */
  | { event: 'renewed'; reader: string }
  /** The library called fetch. */
  | { event: 'sent'; reader: string }
  | { event: 'lag'; maxMs: number }
  /** The state came, or an error did. */
  | { event: 'headed'; id: string; status: number | null; error: string | null }
  /** Flushed; with the errors that the application was told of meanwhile. */
  | { event: 'wrote'; order: number; epoch: number; errors: { name: string; message: string }[] }
)
