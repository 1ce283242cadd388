/** Makes an image by its recipe, in the engine. */
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { packTar } from 'modern-tar/fs'
import { UsageError } from '../../errors.ts'
import type { Docker } from '../engine.ts'
import type { Runtime } from '../runtime.ts'
import { dockerfile, type PackagesRecipe, type ProgramRecipe, type Recipe } from './recipes.ts'

export interface BuildContext {
  docker: Docker
  /** Of this host's processes: what makes an image is a part of the run, and ends with it. */
  host: Pick<Runtime, 'run' | 'temporaryFolder'>
  /** The image that a program's is put on: 'scratch' or a reference. */
  baseOf(recipe: ProgramRecipe): Promise<string>
  signal?: AbortSignal | undefined
}

const unpackMsMax = 600_000
const pullMsMax = 600_000
/** Their scripts do not run, so nobody has a name inside; nginx looks up the one that it runs as. */
const nameRoot = 'mkdir -p "$1/etc"; echo root:x:0:0:root:/root:/bin/sh >"$1/etc/passwd"; echo root:x:0: >"$1/etc/group"'
export const imageLabel = 'durable-streams-simulator.image'

/** @throws UsageError when packages, disk or engine do not allow it */
export async function buildImage(tag: string, recipe: Recipe, context: BuildContext): Promise<void> {
  await (recipe.kind === 'packages' ? importPackages(tag, recipe, context) : addProgram(tag, recipe, context))
}

async function importPackages(tag: string, recipe: PackagesRecipe, context: BuildContext): Promise<void> {
  const { docker, host } = context
  const folder = await host.temporaryFolder('image')
  try {
    const file = path.join(folder, 'layer.tar')
    await unpack(recipe, file, context)
    const changes = [`LABEL ${imageLabel}=${tag}`]
    // The tag within the name, as every engine takes it: Podman 4 drops one that is given apart.
    await follow(docker, docker.importImage(createReadStream(file), { repo: tag, changes }), tag)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function unpack({ suite, packages }: PackagesRecipe, file: string, { host, signal }: BuildContext): Promise<void> {
  const args = ['--variant=extract', `--include=${packages.join(',')}`, `--extract-hook=${nameRoot}`, suite, file]
  // It asks mirrors by the user's own proxy settings, and unpacks in a folder that goes with the run.
  const env = { ...(process.env as Record<string, string>), TMPDIR: path.dirname(file) }
  const { code, stdout, stderr } = await host.run('mmdebstrap', args, { timeoutMs: unpackMsMax, env })
  signal?.throwIfAborted()
  if (code === 0) return
  throw new UsageError(
    `The packages ${packages.join(', ')} could not be unpacked for an image: ${lastWords(stdout + stderr)}; ` +
      'let this machine reach a Debian mirror or an image registry, or run without containers: --runtime processes.',
  )
}

/** mmdebstrap's errors begin with "E:"; what comes after them is its tidying up. */
function lastWords(said: string): string {
  const lines = said.split('\n').filter(Boolean)
  return (lines.findLast((line) => line.startsWith('E:')) ?? lines.at(-1) ?? 'it said nothing').trim()
}

async function addProgram(tag: string, recipe: ProgramRecipe, { docker, baseOf }: BuildContext): Promise<void> {
  const context = packTar([
    { type: 'content', target: 'Dockerfile', content: dockerfile(recipe, await baseOf(recipe)) },
    { type: 'file', source: recipe.file, target: 'program', mode: 0o755 },
    // A folder of the context is copied with what is in it; without anything there would be none.
    { type: 'content', target: 'volume/.keep', content: '' },
  ])
  await follow(docker, docker.buildImage(context, { t: tag, labels: { [imageLabel]: tag }, rm: true, forcerm: true }), tag)
}

/** Takes an image from its registry; of a platform other than the engine's own only where it is named. @throws UsageError as `follow` does */
export function pull(docker: Docker, reference: string, platform?: string): Promise<void> {
  const options = { abortSignal: AbortSignal.timeout(pullMsMax), ...(platform === undefined ? {} : { platform }) }
  return follow(docker, docker.pull(reference, options), reference)
}

/** Reads the engine's report to its end. @throws UsageError with its own words when it failed, or would not begin */
export async function follow(docker: Docker, said: Promise<NodeJS.ReadableStream>, what: string): Promise<void> {
  const problem = await problemOf(docker, said).catch((error: Error) => error.message)
  if (problem === undefined) return
  const full = /no space left on device/i.test(problem)
  throw new UsageError(
    full
      ? `The engine's disk filled up while it made ${what}: free some (docker system df), or run without containers: --runtime processes.`
      : `The engine could not make ${what}: ${problem.trim().replace(/\.$/, '')}; mend that, or run without containers: --runtime processes.`,
  )
}

/** The first error in what it reports. @throws what kept it from reporting */
async function problemOf(docker: Docker, said: Promise<NodeJS.ReadableStream>): Promise<string | undefined> {
  const stream = await said
  const { promise, resolve, reject } = Promise.withResolvers<{ error?: string }[]>()
  docker.modem.followProgress(stream, (error, lines: { error?: string }[]) => (error ? reject(error) : resolve(lines)))
  return (await promise).find((line) => line.error !== undefined)?.error
}
