/**
 * `npm run ci-cache -- keys|save-images|load-images`: what a CI job keeps from one night to the next, and
 * under which key. A key is made of the content: another release or another image is another key.
 */
import path from 'node:path'
import { Command } from 'commander'
import { quiet, runCommand } from './command-line.ts'
import { exitCodes, UsageError } from './errors.ts'
import { explain } from './explain.ts'
import { cacheFolder } from './provision/cache-folder.ts'
import { newestRelease } from './provision/download-server.ts'
import { releasesFrom } from './provision/release-source.ts'
import { serversFolder } from './provision/server-cache.ts'
import { openEngine, type Docker } from './runtime/engine.ts'
import { imagesHere, imagesKey, loadImages, saveImages } from './runtime/images/kept-images.ts'

async function main(args: string[]): Promise<number> {
  const command = quiet(new Command('npm run ci-cache --')).description('What a CI job keeps from one night to the next.')
  command.command('keys').description('names the release to be judged, and the keys, one a line').option('--server-version <version>', 'the release; else the newest one').action(keys)
  command.command('save-images <folder>').description("writes the run's images into files").action(save)
  command.command('load-images <folder>').description('gives the engine the images in those files').action(load)
  await runCommand(command, args, 'See: npm run ci-cache -- --help')
  return exitCodes.ready
}

/** Without it a night would judge the newest release that is kept, not the newest one there is. */
async function keys({ serverVersion }: { serverVersion?: string }): Promise<void> {
  const { env } = process
  const version = serverVersion || (await newestRelease({ env, releases: releasesFrom(undefined, env), onProgress: note }))
  const lines = {
    'server-version': versionOf(version ?? ''),
    'server-folder': serversFolder(cacheFolder(env)),
    'server-key': `server-${process.platform}-${process.arch}-${version ?? 'none'}`,
    'images-key': imagesKey(),
  }
  process.stdout.write(`${Object.entries(lines).map(([name, value]) => `${name}=${value}`).join('\n')}\n`)
}

/** It goes into a job's outputs, a line each: what is no version could be more lines. */
function versionOf(text: string): string {
  if (/^(\d+\.\d+\.\d+([-+][\w.-]+)?)?$/.test(text)) return text
  throw new UsageError(`--server-version ${JSON.stringify(text)} is not a version; give three numbers, such as 0.3.1.`)
}

function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

async function save(folder: string): Promise<void> {
  const docker = await engineOrNone()
  if (!docker) return
  const tags = await imagesHere(docker)
  await saveImages(docker, path.resolve(folder), tags)
  note(tags.length === 0 ? 'The engine has none of the images; nothing was saved.' : `Saved ${tags.join(', ')}.`)
}

async function load(folder: string): Promise<void> {
  const docker = await engineOrNone()
  if (docker) note(`Loaded ${await loadImages(docker, path.resolve(folder))} images.`)
}

/** Where no engine answers the run takes processes, and says so: there is nothing to keep. */
async function engineOrNone(): Promise<Docker | null> {
  try {
    return (await openEngine()).docker
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    note(`No images: ${error.message}`)
    return null
  }
}

process.exitCode = await main(process.argv.slice(2)).catch(explain)
