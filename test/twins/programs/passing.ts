/** How a planted program that stands in front of an origin passes on what it is asked, and what it is answered. */
import { once } from 'node:events'
import http from 'node:http'

export type Asked = Pick<http.IncomingMessage, 'method' | 'url'>

/** Asks the origin on `port`; its answer, as soon as it begins. Who asked and goes takes the question along. */
export async function send(port: number, { method, url }: Asked, response: http.ServerResponse, headers: http.IncomingHttpHeaders, body: Buffer): Promise<http.IncomingMessage> {
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const length = hasBody ? { 'content-length': String(body.length) } : {}
  const upstream = http.request({ host: '127.0.0.1', port, method: method!, path: url!, headers: { ...headers, ...length } })
  upstream.on('error', () => response.destroy())
  response.once('close', () => upstream.destroy())
  upstream.end(body)
  const [answer] = (await once(upstream, 'response')) as [http.IncomingMessage]
  return answer
}

/** Passes an answer on as it comes. */
export function passOn(answer: http.IncomingMessage, response: http.ServerResponse, headers: http.OutgoingHttpHeaders | string[], status = answer.statusCode!): void {
  response.writeHead(status, headers)
  response.flushHeaders()
  answer.pipe(response)
}

/** Headers of an answer, without those of the connection that it came by. */
export function headersOf({ headers }: http.IncomingMessage): http.IncomingHttpHeaders {
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...kept } = headers
  return kept
}
