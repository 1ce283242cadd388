import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withLock } from './lock.mjs'
import { lockFile, modules, readJson, root, stampFile } from './paths.mjs'
import { lastLines, runQuietly } from './run-program.mjs'
import { exitFault, exitUsage, say, Stop } from './stop.mjs'

const installWaitMs = 15 * 60_000

/** Development tools are part of the job, whatever NODE_ENV or the user's npm settings say. */
const npmFlags = [
  '--include=dev',
  '--include=optional',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
  '--prefer-offline',
]

/** Runs `npm ci` when what is installed is not what the lock file says; one run at a time. */
export async function installDependencies(relay) {
  if (areDependenciesFresh()) return
  const onWait = () => say('Another run is installing the dependencies; waiting for it.')
  const options = { waitMs: installWaitMs, onWait, signal: relay.aborted }
  try {
    await withLock(installLock(), options, async () => {
      if (!areDependenciesFresh()) await runNpmCi(relay)
    })
  } catch (error) {
    relay.stopIfInterrupted()
    if (error instanceof Stop) throw error
    throw new Stop(exitFault, `The dependencies cannot be installed: ${error.message}.`)
  }
}

/** Outside node_modules, which npm ci empties. */
function installLock() {
  const key = createHash('sha256').update(root).digest('hex').slice(0, 16)
  return join(tmpdir(), `durable-streams-simulator-${process.getuid?.() ?? 0}-${key}.lock`)
}

/**
 * Usually two small reads. Without a matching stamp npm's own record of what it installed is
 * compared with the lock file, so that a hand-made `npm install` counts and is not undone.
 */
function areDependenciesFresh() {
  const wanted = hashOfLock()
  if (readJson(stampFile)?.lock === wanted) return true
  if (!isInstalledAsLocked()) return false
  writeStamp({})
  return true
}

/** Remembers that the lock file of this moment is installed, and what else is known. */
export function writeStamp(facts) {
  writeFileSync(stampFile, `${JSON.stringify({ lock: hashOfLock(), ...facts })}\n`)
}

function hashOfLock() {
  if (!existsSync(lockFile)) {
    throw new Stop(
      exitUsage,
      `${lockFile} is missing: this is not a complete checkout; clone the repository again.`,
    )
  }
  const platform = `${process.platform}-${process.arch}`
  return createHash('sha256').update(platform).update(readFileSync(lockFile)).digest('hex')
}

function isInstalledAsLocked() {
  const installed = readJson(join(modules, '.package-lock.json'))?.packages
  const locked = readJson(lockFile)?.packages
  if (!installed || !locked) return false
  return Object.entries(locked).every(([path, wanted]) => {
    const found = installed[path]
    // Optional packages of other platforms are locked and never installed here.
    if (path === '' || (!found && wanted.optional)) return true
    return found?.version === wanted.version && found?.integrity === wanted.integrity
  })
}

async function runNpmCi(relay) {
  say('Installing the dependencies (npm ci)…')
  const startedAt = performance.now()
  const [program, words] = npm(['ci', ...npmFlags])
  const { code, output } = await runQuietly(program, words, { cwd: root }, relay)
  if (code !== 0) {
    throw new Stop(
      exitFault,
      `${lastLines(output)}\nThe dependencies cannot be installed: npm ci ended with ${code}, ` +
        `and said the above; mend that and run the same command again.`,
    )
  }
  writeStamp({})
  say(`Installed the dependencies in ${Math.ceil((performance.now() - startedAt) / 1000)} s.`)
}

/** The npm that started us, if one did: it fits this Node, and need not be in the PATH. */
function npm(args) {
  const script = process.env.npm_execpath ?? ''
  const isNpm = /npm-cli\.[cm]?js$/.test(script) && existsSync(script)
  return isNpm ? [process.execPath, [script, ...args]] : ['npm', args]
}
