/**
 * The reference server with all that pages of another origin need, but for the one thing that $TWIN
 * takes away; `serves-every-page` takes nothing. Started with the same argument as the real one.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { DurableStreamTestServer } from '@durable-streams/server'

const { port, dataDir, longPollTimeoutMs } = JSON.parse(process.argv[2]!) as { port: number; dataDir: string; longPollTimeoutMs: number }
const twin = process.env.TWIN ?? ''
process.once('SIGTERM', () => process.exit(0))

interface Server {
  handleRequest(this: Server, request: IncomingMessage, response: ServerResponse): Promise<void>
}

const mended: Record<string, (value: string) => string> = {
  'access-control-allow-headers': (value) => `${value}, If-None-Match`,
  'access-control-allow-methods': (value) => (twin === 'refuses-put' ? value.replace('PUT, ', '') : value),
  'access-control-expose-headers': (value) => `${twin === 'hides-etag' ? value.replace('etag, ', '') : value}, Stream-SSE-Data-Encoding`,
}

const prototype = DurableStreamTestServer.prototype as unknown as Server
const { handleRequest } = prototype
prototype.handleRequest = function (request, response) {
  const { setHeader, writeHead } = response
  response.setHeader = (name, value) => setHeader.call(response, name, mended[name]?.(String(value)) ?? value)
  response.writeHead = ((status: number, ...more: []) => {
    if (twin === 'errors-without-cors' && status >= 400) response.removeHeader('access-control-allow-origin')
    return writeHead.call(response, status, ...more)
  }) as typeof writeHead
  return handleRequest.call(this, request, response)
}

await new DurableStreamTestServer({ host: '127.0.0.1', port, dataDir, longPollTimeout: longPollTimeoutMs }).start()
