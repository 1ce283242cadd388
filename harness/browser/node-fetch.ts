/** `fetch` as Node has it, for a subject that answers to a name of its own and is found on loopback. */
import type { LookupFunction } from 'node:net'
import { Agent, fetch as undiciFetch } from 'undici'
import type { Endpoint } from '../operations.ts'

export interface NodeFetch extends AsyncDisposable {
  fetch: typeof fetch
}

export function openNodeFetch({ tls }: Endpoint): NodeFetch {
  const lookup: LookupFunction = (_name, { all }, callback) => {
    if (all) callback(null, [{ address: '127.0.0.1', family: 4 }])
    else callback(null, '127.0.0.1', 4)
  }
  const dispatcher = new Agent({ connect: { lookup, ...(tls ? { ca: tls.caPem } : {}) } })
  const request = undiciFetch as unknown as (input: unknown, init: object) => Promise<Response>
  return {
    fetch: (input, init) => request(input, { ...init, dispatcher }),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  }
}
