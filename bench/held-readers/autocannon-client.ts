/**
 * The held readers as autocannon's connections, one request each. It tells no times of a single
 * reader.
 *
 *   node autocannon-client.ts PORT READERS
 */
import { once } from 'node:events'
import autocannon from 'autocannon'

const [port, readers] = process.argv.slice(2).map(Number) as [number, number]
process.stdout.write('{"event":"ready"}\n')
await once(process.stdin, 'data')
const cpu = process.cpuUsage()
const result = await autocannon({
  url: `http://127.0.0.1:${port}/`,
  connections: readers,
  amount: readers,
  timeout: 120,
})
const { user, system } = process.cpuUsage(cpu)
const told = { cpuSeconds: (user + system) / 1e6, complete: result['2xx'] }
process.stdout.write(`${JSON.stringify({ event: 'done', ...told })}\n`, () => process.exit(0))
