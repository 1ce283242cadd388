/**
 * Run by the bootstrap before the tests: sets up what a simulation would, and prints on stdout, as
 * JSON, the environment in which the tests find it.
 */
import type { Edge } from '../edges/edge.ts'
import { defaultEdge, edges } from '../edges/edges.ts'
import { exitCodes, UsageError } from '../errors.ts'
import { provideBrowser } from './browser.ts'
import { provision } from './provision.ts'

const say = (line: string) => process.stderr.write(`${line}\n`)

/** Another edge than the default one: without it its own tests are left out. */
async function setUp(edge: Edge): Promise<void> {
  try {
    await provision({ origin: 'reference', edge, onProgress: say })
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    say(`NOT TESTED: ${edge.name}: ${error.message}`)
  }
}

try {
  const { server } = await provision({ origin: 'auto', edge: defaultEdge, onProgress: say })
  if (server.kind === 'reference') say(`The tests use the reference server: ${server.because}.`)
  for (const edge of edges.filter((one) => one !== defaultEdge)) await setUp(edge)
  const browser = await provideBrowser({ env: process.env, onProgress: say })
  if ('missing' in browser) say(`NOT TESTED: what needs a browser: ${browser.missing}`)
  // What could not be downloaded now is not tried again by each of the tests.
  const env =
    server.kind === 'production'
      ? { DURABLE_STREAMS_SERVER_BIN: server.path }
      : { DURABLE_STREAMS_SERVER_DOWNLOAD: 'off' }
  process.stdout.write(JSON.stringify(env))
} catch (error) {
  say(error instanceof UsageError ? error.message : String((error as Error).stack))
  process.exitCode = error instanceof UsageError ? exitCodes.usage : exitCodes.harnessFault
}
