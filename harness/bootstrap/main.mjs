/**
 * Installs the dependencies when they do not match the lock file, finds a Node that runs
 * TypeScript, and hands over to the real program: arguments, terminal, signals and exit code pass
 * through.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { installDependencies } from './dependencies.mjs'
import { findNode } from './find-node.mjs'
import { compileCache, root } from './paths.mjs'
import { programs } from './programs.mjs'
import { runQuietly, start } from './run-program.mjs'
import { relaySignals } from './signals.mjs'
import { exitFault, exitUsage, Stop } from './stop.mjs'

await main().then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${error instanceof Stop ? error.message : (error?.stack ?? error)}\n`)
    process.exit(error instanceof Stop ? error.exitCode : exitFault)
  },
)

async function main() {
  const [name = '', ...args] = process.argv.slice(2)
  const program = choose(name)
  const relay = relaySignals()
  await installDependencies(relay)
  const node = await findNode(relay)
  const env = program.prepare ? await prepare(node, program.prepare, relay) : {}
  return handOver(node, program, args, env, relay)
}

function choose(name) {
  if (Object.hasOwn(programs, name)) return programs[name]
  const known = Object.keys(programs).join(', ')
  throw new Stop(exitUsage, `There is no command ${JSON.stringify(name)}; use one of: ${known}.`)
}

/** Sets up what the tests need, with the code of `simulate`; it answers environment for them. */
async function prepare(node, script, relay) {
  const options = { stdio: ['ignore', 'pipe', 'inherit'], cwd: root }
  const { code, output } = await runQuietly(node, [join(root, script)], options, relay)
  if (code !== 0) throw new Stop(code, 'The tests were not run.')
  return JSON.parse(output)
}

/** Runs the real program; resolves with the exit code to end with. */
async function handOver(node, program, args, env, relay) {
  const entry = join(root, program.entry)
  if (!existsSync(entry)) {
    throw new Stop(
      exitFault,
      `${entry} is missing: this is not a complete checkout; clone the repository again.`,
    )
  }
  const watch = pathToFileURL(join(root, 'harness', 'bootstrap', 'watch.mjs')).href
  const words = [...(program.flags ?? []), '--import', watch, entry, ...(program.before ?? []), ...args]
  const child = start(node, words, {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...env, DURABLE_STREAMS_BOOTSTRAP_FD: '3' },
  })
  return relay.untilEnd(child, 'exit')
}
