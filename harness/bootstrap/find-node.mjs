import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeStamp } from './dependencies.mjs'
import { modules, readJson, stampFile } from './paths.mjs'
import { runQuietly } from './run-program.mjs'
import { exitUsage, say, Stop } from './stop.mjs'

/** The first Node that runs TypeScript files as they are, without a warning. */
const needed = { major: 24, minor: 12 }

const packageFolder = join(modules, 'node')
const bundledNode = join(packageFolder, 'bin', 'node')

/** The path of a Node that runs TypeScript: this one, else the one that npm brought. */
export async function findNode(relay) {
  if (isNewEnough(process.versions.node)) return process.execPath
  if (readJson(stampFile)?.node === bundledNode && existsSync(bundledNode)) return bundledNode
  if (!(await works(bundledNode, relay))) await fetchBundledNode(relay)
  if (await works(bundledNode, relay)) {
    writeStamp({ node: bundledNode })
    return bundledNode
  }
  throw new Stop(
    exitUsage,
    `Node ${needed.major}.${needed.minor} or later is needed, this is ${process.versions.node}, ` +
      `and npm could not bring one for ${process.platform}-${process.arch}: install it from ` +
      'https://nodejs.org and run the same command again.',
  )
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > needed.major || (major === needed.major && minor >= needed.minor)
}

/** Existing is not enough: a download for another C library exists and does not start. */
async function works(node, relay) {
  if (!existsSync(node)) return false
  try {
    const { code, output } = await runQuietly(node, ['--version'], {}, relay)
    return code === 0 && isNewEnough(output.trim().replace(/^v/, ''))
  } catch (error) {
    relay.stopIfInterrupted()
    if (error instanceof Stop) return false
    throw error
  }
}

/** Needed where npm is set to run no install scripts: the package's own script fetches Node. */
async function fetchBundledNode(relay) {
  const script = join(packageFolder, 'installArchSpecificPackage.js')
  if (!existsSync(script)) return
  say(`Fetching Node ${readJson(join(packageFolder, 'package.json'))?.version ?? ''}…`)
  await runQuietly(process.execPath, [script], { cwd: packageFolder }, relay)
}
