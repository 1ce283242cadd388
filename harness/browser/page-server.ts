/**
 * Serves the page and what it imports: an origin of its own, beside the hops. There is nothing to
 * bundle: the client is one module, and the page's own program has its types stripped.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

export interface PageServer extends AsyncDisposable {
  /** 'http://127.0.0.1:20005/' */
  url: string
}

const page = `<!doctype html>
<meta charset="utf-8">
<title>A page of another origin</title>
<script type="importmap">{"imports": {"@durable-streams/client": "/client.js"}}</script>
<script type="module">
import * as program from '/page-program.js'
globalThis.program = program
</script>
`

/** Listens on a free port of loopback until it is disposed of. */
export async function openPageServer(): Promise<PageServer> {
  const files = new Map([
    ['/', { type: 'text/html', body: page }],
    ['/client.js', { type: 'text/javascript', body: await readFile(fileURLToPath(import.meta.resolve('@durable-streams/client')), 'utf8') }],
    ['/page-program.js', { type: 'text/javascript', body: stripTypeScriptTypes(await readFile(new URL('./page-program.ts', import.meta.url), 'utf8')) }],
  ])
  const server = http.createServer((request, response) => {
    const file = files.get(request.url!)
    if (file === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': file.type }).end(file.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
