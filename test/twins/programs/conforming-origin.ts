/**
 * The reference server without what upstream's conformance suite finds wrong with it, but for the one
 * thing that $TWIN takes away; `passes-the-suite` takes nothing. In memory, for the suite restarts nothing.
 * Started with the same argument as the real one.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { DurableStreamTestServer } from '@durable-streams/server'

const { port, longPollTimeoutMs } = JSON.parse(process.argv[2]!) as { port: number; longPollTimeoutMs: number }
const twin = process.env.TWIN ?? ''
process.once('SIGTERM', () => process.exit(0))

interface Read {
  messages: unknown[]
  upToDate: boolean
}

interface Store {
  touchAccess(path: string): void
  read(path: string, offset?: string): Read
}

interface Server {
  store: Store
  handleRequest(this: Server, request: IncomingMessage, response: ServerResponse): Promise<void>
  handleSSE(this: Server, path: string, ...rest: unknown[]): Promise<void>
}

const prototype = DurableStreamTestServer.prototype as unknown as Server
const { handleRequest, handleSSE } = prototype

prototype.handleRequest = async function (request, response) {
  const { setHeader, writeHead } = response
  response.setHeader = (name, value) => setHeader.call(response, name, name === 'access-control-allow-headers' ? `${String(value)}, If-None-Match` : value)
  response.writeHead = ((status: number, ...more: []) => {
    if (twin === 'forgets-nosniff') response.removeHeader('x-content-type-options')
    return writeHead.call(response, status, ...more)
  }) as typeof writeHead
  await handleRequest.call(this, request, response)
  const { pathname, searchParams } = new URL(request.url!, 'http://origin')
  // It forgets that these are accesses, too.
  const isAccess = (request.method === 'GET' && searchParams.get('offset') === 'now') || (request.method === 'POST' && request.headers['stream-closed'] !== undefined)
  if (isAccess && response.statusCode < 300) this.store.touchAccess(pathname)
}

/** One record at a time, so that a control event follows each data event. */
prototype.handleSSE = function (path, ...rest) {
  const oneByOne = new Proxy(this.store, {
    get(store, name) {
      if (name === 'read') return (of: string, offset?: string) => firstOnly(store.read(of, offset))
      const value: unknown = Reflect.get(store, name)
      return typeof value === 'function' ? (value.bind(store) as unknown) : value
    },
  })
  return handleSSE.call(Object.assign(Object.create(this) as Server, { store: oneByOne }), path, ...rest)
}

function firstOnly({ messages, upToDate }: Read): Read {
  return messages.length > 1 ? { messages: messages.slice(0, 1), upToDate: false } : { messages, upToDate }
}

await new DurableStreamTestServer({ host: '127.0.0.1', port, longPollTimeout: longPollTimeoutMs }).start()
