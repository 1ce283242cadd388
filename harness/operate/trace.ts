/** Looks whether a variant is on: by what it leaves, or by what it answers. */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { request } from 'undici'
import type { Endpoint } from '../operations.ts'
import { AwaitedTooLong, until } from '../until.ts'
import type { Trace, Variant, VariantPlace } from '../variants/variant.ts'
import { configInForce } from './caddy-admin.ts'
import type { RoutineOutcome } from '../world.ts'

export interface TracePlace {
  endpoint: Endpoint
  place: VariantPlace
  /** Path of a stream that is there. */
  streamPath: string
}

/** Files are written a moment after the answer. */
const appearMs = 5_000

/** Waits a moment for the trace; one that does not appear is no proof, and no error. */
export async function traceOf({ trace }: Variant, where: TracePlace): Promise<RoutineOutcome> {
  let last: RoutineOutcome = { proven: false, proof: 'nothing was looked at' }
  const look = async () => {
    last = await lookFor(trace, where)
    return last.proven
  }
  await until(look, { for: 'the trace of a variant', timeoutMs: appearMs, everyMs: 100 }).catch((error: unknown) => {
    if (!(error instanceof AwaitedTooLong)) throw error
  })
  return last
}

async function lookFor(trace: Trace, where: TracePlace): Promise<RoutineOutcome> {
  const { endpoint, place, streamPath } = where
  const found = (proven: boolean, proof: string) => ({ proven, proof })
  switch (trace.kind) {
    case 'files': {
      const { names, holds } = await filesIn(place.folder, trace.beginning, trace.text)
      return found(names.length >= trace.atLeast && holds, `${names.length} log files, ${holds ? 'with' : 'without'} lines of requests`)
    }
    case 'admin': {
      const { status } = await configInForce(place.adminSocket)
      return found(status === 200, `the admin API answers ${status}`)
    }
    case 'page': {
      const { status, body } = await get(endpoint, trace.path)
      return found(status === 200 && body.includes(trace.text), `${trace.path} is answered ${status}, ${body.includes(trace.text) ? 'with' : 'without'} ${trace.text}`)
    }
    case 'header': {
      const { headers } = await get(endpoint, `${streamPath}?offset=-1`, { ...endpoint.headers, ...trace.asked })
      return found(headers[trace.name] === trace.value, `${trace.name} of a read is ${String(headers[trace.name])}`)
    }
    case 'stranger': {
      const { status } = await get(endpoint, `${streamPath}?offset=-1`, {})
      return found(status === trace.status, `somebody without credentials is answered ${status}`)
    }
    case 'too-large': {
      const response = await request(`${endpoint.url}${streamPath}`, {
        method: 'POST',
        headers: { host: endpoint.authority, ...endpoint.headers, 'content-type': 'text/plain' },
        body: Buffer.alloc(trace.bytes, 'x'),
      })
      const text = (await response.body.text()).slice(0, 100)
      const { statusCode: status } = response
      if (status >= 200 && status < 300) return found(false, `an append of ${trace.bytes} bytes is taken`)
      if (status === trace.status) return found(true, `an append of ${trace.bytes} bytes is answered ${status}`)
      return { proven: false, proof: '', refused: `an append of ${trace.bytes} bytes is answered ${status} (${text.trim()}), not ${trace.status}` }
    }
  }
}

async function get({ url, authority, headers: own }: Endpoint, target: string, headers: Record<string, string> = own ?? {}) {
  const response = await request(`${url}${target}`, { headers: { host: authority, ...headers } })
  return { status: response.statusCode, headers: response.headers, body: await response.body.text() }
}

async function filesIn(folder: string, beginning: string, text: string): Promise<{ names: string[]; holds: boolean }> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(beginning))
  for (const name of names) {
    if ((await readFile(path.join(folder, name), 'utf8')).includes(text)) return { names, holds: true }
  }
  return { names, holds: false }
}
