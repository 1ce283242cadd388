/**
 * The counting tap, broken in the one behaviour that $TWIN names: it starts the tap that it stands in
 * for, and tells other counts than that one does.
 */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'

const real = path.resolve(import.meta.dirname, '../../../harness/services/tap/tap.ts')
const tap = spawn(process.execPath, [real, ...process.argv.slice(2)], { stdio: ['inherit', 'pipe', 'inherit'] })
tap.once('exit', (code) => process.exit(code ?? 1))

interface Tally {
  requests: { count: number }[]
  total: number
}

/** Of two requests to one target it has seen one. */
function halve({ requests, total, ...rest }: Tally): Tally {
  const halved = requests.map((one) => ({ ...one, count: Math.ceil(one.count / 2) }))
  return { ...rest, requests: halved, total: total - requests.reduce((sum, { count }) => sum + Math.floor(count / 2), 0) }
}

for await (const line of createInterface({ input: tap.stdout })) {
  const said = JSON.parse(line) as { tally?: Tally }
  if (said.tally && process.env['TWIN'] === 'counts-half') said.tally = halve(said.tally)
  process.stdout.write(`${JSON.stringify(said)}\n`)
}
