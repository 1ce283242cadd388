/**
 * A recording: what an access log became, to be replayed. JSON lines; first the streams that were there
 * before the log begins, then the requests in the order in which they were sent.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { HarnessError } from '../errors.ts'

const recordedStream = z.strictObject({
  stream: z.string(),
  contentType: z.string(),
  /** The first offset that anybody was told or asked for; null where the log tells none. */
  tail: z.string().nullable(),
})

const recordedRequest = z.strictObject({
  /** Since the first request. */
  atMs: z.number().nonnegative(),
  tookMs: z.number().nonnegative(),
  method: z.string(),
  path: z.string(),
  query: z.array(z.tuple([z.string(), z.string()])),
  status: z.number().int(),
  requestBytes: z.number().int().nonnegative().nullable(),
  headers: z.record(z.string(), z.string()),
  nextOffset: z.string().optional(),
})

export type RecordedStream = z.infer<typeof recordedStream>
export type RecordedRequest = z.infer<typeof recordedRequest>

/** Throws HarnessError for a line that is none. */
export async function* readRecording(file: string): AsyncGenerator<RecordedStream | RecordedRequest> {
  let number = 0
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number += 1
    if (line !== '') yield parsed(line, file, number)
  }
}

function parsed(line: string, file: string, number: number): RecordedStream | RecordedRequest {
  try {
    return z.union([recordedRequest, recordedStream]).parse(JSON.parse(line))
  } catch {
    throw new HarnessError(`${file}, line ${number} is no line of a recording; import the log again.`)
  }
}
