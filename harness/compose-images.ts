/**
 * `npm run compose-images [-- --server-bin PATH]`: finds or makes the images of docker-compose.yml,
 * as a run in containers does, and notes them in .env, which Compose reads by itself.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { defaultEdge } from './edges/edges.ts'
import { exitCodes, UsageError } from './errors.ts'
import { provisionServer } from './provision/provision.ts'
import { openEngine } from './runtime/engine.ts'
import { provideImages } from './runtime/images/provide-images.ts'
import { openProcessRuntime } from './runtime/processes.ts'

const file = path.join(import.meta.dirname, '..', '.env')
const mark = '# Written by npm run compose-images.'

try {
  await main()
  process.exit(0)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exit(exitCodes.usage)
}

async function main(): Promise<void> {
  const onProgress = (line: string) => void process.stderr.write(`${line}\n`)
  if (existsSync(file) && !readFileSync(file, 'utf8').startsWith(mark)) {
    throw new UsageError(`${file} is not of this command's making: move it away, or put its lines elsewhere.`)
  }
  const serverBin = serverBinOf(process.argv.slice(2))
  const server = await provisionServer({ origin: 'auto', onProgress, ...(serverBin === undefined ? {} : { serverBin }) })
  const { docker } = await openEngine()
  await using folder = await mkdtempDisposable(path.join(tmpdir(), 'compose-images-'))
  await using host = await openProcessRuntime({ runId: path.basename(folder.path), logsDir: folder.path })
  const production = server.kind === 'production' ? server : null
  const images = await provideImages({ docker, host, server: production, caddy: production, edge: defaultEdge.image, onProgress })
  if (server.kind === 'reference') onProgress(`REFERENCE SERVER, not production: ${server.because}`)
  const variables = {
    COMPOSE_PROJECT_NAME: 'durable-streams-world',
    ...(server.kind === 'reference' ? { COMPOSE_FILE: 'docker-compose.yml:docker-compose.reference.yml' } : {}),
    ORIGIN_IMAGE: images.origin.reference,
    VARNISH_IMAGE: images.edge.reference,
    CADDY_IMAGE: images.caddy.reference,
    CADDY_PROGRAM: images.caddy.program,
    NODE_IMAGE: images.node.reference,
  }
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  writeFileSync(file, [mark, ...lines, ''].join('\n'))
  onProgress('Noted in .env. Now: docker compose up --wait')
}

function serverBinOf(args: string[]): string | undefined {
  try {
    return parseArgs({ args, options: { 'server-bin': { type: 'string' } } }).values['server-bin']
  } catch (error) {
    throw new UsageError(`${(error as Error).message} The only flag is --server-bin PATH.`)
  }
}
