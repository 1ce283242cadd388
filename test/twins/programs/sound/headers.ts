/** What every answer of the sound origin carries: what pages of another origin need, but for what $TWIN takes away. */
import type { ServerResponse } from 'node:http'
import { twin } from '../planted.ts'

const mended: Record<string, (value: string) => string> = {
  'access-control-allow-headers': (value) => `${value}, If-None-Match`,
  'access-control-allow-methods': (value) => (twin === 'refuses-put' ? value.replace('PUT, ', '') : value),
  'access-control-expose-headers': (value) => `${twin === 'hides-etag' ? value.replace('etag, ', '') : value}, Stream-SSE-Data-Encoding`,
}

/** The reference server's headers, mended as it sets them. */
export function mendHeaders(response: ServerResponse): void {
  const { setHeader, writeHead } = response
  response.setHeader = (name, value) => setHeader.call(response, name, mended[name]?.(String(value)) ?? value)
  response.writeHead = ((status: number, ...more: []) => {
    if (twin === 'errors-without-cors' && status >= 400) response.removeHeader('access-control-allow-origin')
    if (twin === 'forgets-nosniff') response.removeHeader('x-content-type-options')
    return writeHead.call(response, status, ...more)
  }) as typeof writeHead
}
