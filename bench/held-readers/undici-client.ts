/**
 * The held readers as a plain undici client: a pool with as many connections as readers.
 *
 *   node undici-client.ts PORT READERS
 *
 * It says `ready`, starts at the first line on standard input, and ends with `done`, as the other
 * clients do.
 */
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { Pool } from 'undici'
import { monotonicMs } from '../../harness/clock.ts'
import { distributionOf } from '../../harness/load/fleet/summary.ts'

const [port, readers] = process.argv.slice(2).map(Number) as [number, number]
const pool = new Pool(`http://127.0.0.1:${port}`, {
  connections: readers,
  headersTimeout: 120_000,
  bodyTimeout: 120_000,
  connectTimeout: 120_000,
})
const lastByteMs = new Float64Array(readers)
const hashes = new Set<string>()

async function read(reader: number): Promise<void> {
  const { body } = await pool.request({ method: 'GET', path: '/' })
  const bytes = Buffer.from(await body.arrayBuffer())
  lastByteMs[reader] = monotonicMs()
  hashes.add(hash('sha256', bytes, 'hex'))
}

process.stdout.write('{"event":"ready"}\n')
await once(process.stdin, 'data')
const cpu = process.cpuUsage()
await Promise.all(Array.from({ length: readers }, (_, reader) => read(reader)))
const { user, system } = process.cpuUsage(cpu)
const complete = hashes.size === 1 ? readers : 0
const cpuSeconds = (user + system) / 1e6
const told = { cpuSeconds, lastByteAtMs: distributionOf(lastByteMs), complete }
process.stdout.write(`${JSON.stringify({ event: 'done', ...told })}\n`, () => process.exit(0))
