/** A response's body as it comes, decompressed; whole events must not wait for the decoder's buffer. */
import type { Readable } from 'node:stream'
import zlib from 'node:zlib'
import type { Dispatcher } from 'undici'

export function decodedBody({ headers, body }: Dispatcher.ResponseData): AsyncIterable<Buffer> {
  if (headers['content-encoding'] !== 'gzip') return body
  const unzip = zlib.createGunzip({ flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH })
  body.once('error', (error) => unzip.destroy(error))
  return (body as Readable).pipe(unzip)
}

/** All of it. */
export async function wholeBody(response: Dispatcher.ResponseData): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of decodedBody(response)) pieces.push(piece)
  return Buffer.concat(pieces)
}
