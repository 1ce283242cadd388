/** Caddy's admin API on a Unix socket inside of the run. */
import { Client } from 'undici'

/** What the API answered; `text` is empty for a configuration that was taken. */
export interface AdminAnswer {
  status: number
  text: string
}

/** A reload provisions everything anew before it lets go of the old. */
const answerWithinMs = 20_000
const textMax = 2_000_000

/** Loads a configuration, as `caddy reload` does. `force`: also where it is the same. Throws where nobody answers. */
export function loadConfig(socket: string, config: unknown, options: { force?: boolean } = {}): Promise<AdminAnswer> {
  const headers = { 'content-type': 'application/json', ...(options.force ? { 'cache-control': 'must-revalidate' } : {}) }
  return ask(socket, 'POST', '/load', headers, JSON.stringify(config))
}

/** The configuration that is in force. */
export function configInForce(socket: string): Promise<AdminAnswer> {
  return ask(socket, 'GET', '/config/', {})
}

async function ask(socket: string, method: 'GET' | 'POST', path: string, headers: Record<string, string>, body?: string): Promise<AdminAnswer> {
  const client = new Client('http://localhost', { socketPath: socket, headersTimeout: answerWithinMs, bodyTimeout: answerWithinMs })
  try {
    const response = await client.request({ method, path, headers, body: body ?? null })
    return { status: response.statusCode, text: (await response.body.text()).slice(0, textMax) }
  } finally {
    await client.destroy()
  }
}
