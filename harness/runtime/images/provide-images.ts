/**
 * The images of a run. For each: the public one where the engine has it or a registry gives it, else
 * one made here, once, from Debian packages or around a program of this machine.
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { withLock } from '../../bootstrap/lock.mjs'
import type { EdgeImage } from '../../edges/edge.ts'
import { UsageError } from '../../errors.ts'
import { cacheFolder } from '../../provision/cache-folder.ts'
import { findProgram } from '../../provision/find-program.ts'
import { sha256Of } from '../../provision/identify.ts'
import { installDebianPackages } from '../../provision/install-packages.ts'
import { canInstall, thisHost } from '../../provision/missing-tools.ts'
import type { Docker } from '../engine.ts'
import { reaperImage } from '../reaper.ts'
import type { ImageIdentity, ImageRole, Runtime } from '../runtime.ts'
import { buildImage, pull } from './build-image.ts'
import { ownImage, publicReference, type PublicImage } from './public-images.ts'
import { caddyPackages, isStatic, libraryPackages, localTag, packagesRecipe, type ProgramRecipe, type Recipe } from './recipes.ts'

export interface RunImage extends ImageIdentity {
  /** Path inside of the program that its services run. */
  program: string
}

export type RunImages = Readonly<Record<ImageRole, RunImage>>

export interface ImagesOptions {
  docker: Docker
  host: Pick<Runtime, 'run' | 'temporaryFolder'>
  /** The verified server; none where the reference server stands in. */
  server: { path: string; sha256: string } | null
  edge: EdgeImage
  /** A Caddy of this host: where it is the server itself the image is the same; where no registry answers it may be built around it. */
  caddy: { path: string; sha256: string } | null
  onProgress?: (line: string) => void
  signal?: AbortSignal
}

const lockMsMax = 900_000

/** @throws UsageError when an image can neither be had nor made */
export async function provideImages(options: ImagesOptions): Promise<RunImages> {
  const folder = cacheFolder(process.env)
  await mkdir(folder, { recursive: true })
  const lock = path.join(folder, 'images.lock')
  const onWait = () => options.onProgress?.('Another run is preparing images; waiting for it.')
  const { signal } = options
  return withLock(lock, { waitMs: lockMsMax, onWait, ...(signal ? { signal } : {}) }, () => new Provider(options).all())
}

class Provider {
  #options: ImagesOptions
  /** Asked once: a registry that does not answer for one image will not for the next. */
  #registryAnswers = true
  #registryGave = false

  constructor(options: ImagesOptions) {
    this.#options = options
  }

  async all(): Promise<RunImages> {
    const { server, caddy, edge } = this.#options
    const cache = await this.#publicOr(edge, edge.program, packagesRecipe(edge.packages))
    const node = await this.#publicOr(ownImage('node'), '/usr/local/bin/node', await this.#around(await thisNode(), '/usr/local/bin/node'))
    const origin = server === null ? node : await this.#ofServer(server)
    const tls =
      caddy !== null && caddy.path === server?.path
        ? origin
        : await this.#publicOr(ownImage('caddy'), '/usr/bin/caddy', await this.#ofCaddy(caddy))
    await this.#reaper()
    return { origin, edge: cache, caddy: tls, node }
  }

  /** What was made here before is not replaced by a download in the middle of a series of runs. */
  async #publicOr(image: PublicImage, program: string, recipe: Recipe): Promise<RunImage> {
    const reference = publicReference(image)
    const here = await this.#idOf(reference)
    if (here !== null) return { reference, id: here, program, programSha256: null }
    const made = await this.#idOf(localTag(image.name, recipe))
    if (made === null && (await this.#pull(reference))) {
      return { reference, id: (await this.#idOf(reference))!, program, programSha256: null }
    }
    return { ...(await this.#make(image.name, recipe)), program }
  }

  /** The image of testcontainers' reaper, where a registry has just given others: a run does without it. */
  async #reaper(): Promise<void> {
    if (!this.#registryGave) return
    const image = await reaperImage()
    if ((await this.#idOf(image)) === null) await this.#pull(image).catch(() => {})
  }

  async #ofServer(server: { path: string; sha256: string }): Promise<RunImage> {
    const target = '/usr/bin/durable-streams-server'
    return { ...(await this.#make('server', await this.#around(server, target))), program: target }
  }

  async #idOf(reference: string): Promise<string | null> {
    try {
      const { Id, Architecture } = await this.#options.docker.getImage(reference).inspect()
      this.#refuseForeign(reference, Architecture)
      return Id
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode === 404) return null
      throw error
    }
  }

  /** The engine is of this machine's processor; an image pulled for another one would not run. */
  #refuseForeign(reference: string, architecture: string): void {
    const own = process.arch === 'x64' ? 'amd64' : process.arch
    if (!architecture || architecture === own) return
    throw new UsageError(`The image ${reference} is for ${architecture} and the engine is ${own}: docker pull --platform linux/${own} ${reference}, or run without containers: --runtime processes.`)
  }

  /** False when no registry answers; one that wants a login or does not have the image is the user's to mend. */
  async #pull(reference: string): Promise<boolean> {
    if (!this.#registryAnswers) return false
    const { docker, onProgress } = this.#options
    try {
      onProgress?.(`Pulling ${reference}…`)
      await pull(docker, reference)
      return (this.#registryGave = true)
    } catch (error) {
      const because = (error as Error).message.trim()
      // Its own sentence: the engine's disk is full.
      if (error instanceof UsageError && because.includes("engine's disk")) throw error
      if (/unauthorized|denied|authentication required|no basic auth credentials/i.test(because)) {
        throw new UsageError(`The registry wants a login for ${reference}: docker login, or run without containers: --runtime processes.`)
      }
      this.#registryAnswers = false
      onProgress?.('No image registry answers; images are made here instead, once.')
      return false
    }
  }

  /** A distribution's Caddy is linked with libraries of its own choice: it comes with them, or alone. */
  async #ofCaddy(caddy: ImagesOptions['caddy']): Promise<Recipe> {
    return caddy !== null && (await isStatic(caddy.path)) ? this.#around(caddy, '/usr/bin/caddy') : packagesRecipe(caddyPackages)
  }

  async #around({ path: file, sha256 }: { path: string; sha256: string }, target: string): Promise<Recipe> {
    return { kind: 'program', base: (await isStatic(file)) ? 'scratch' : 'libraries', file, sha256, target }
  }

  async #baseOf({ base }: ProgramRecipe): Promise<string> {
    if (base === 'scratch') return base
    return (await this.#publicOr(ownImage('libraries'), '/', packagesRecipe(libraryPackages))).reference
  }

  async #make(name: string, recipe: Recipe): Promise<Omit<RunImage, 'program'>> {
    const { docker, host, onProgress, signal } = this.#options
    const how = recipe.kind === 'packages' ? 'from Debian packages' : `around ${recipe.file}`
    const reference = localTag(name, recipe)
    const programSha256 = recipe.kind === 'program' ? recipe.sha256 : null
    const before = await this.#idOf(reference)
    if (before !== null) return { reference, id: before, programSha256 }
    if (recipe.kind === 'packages') await this.#needUnpacker()
    const startedAt = performance.now()
    onProgress?.(`Making the image ${name} ${how}; this is done once…`)
    await buildImage(reference, recipe, { docker, host, signal, baseOf: (program) => this.#baseOf(program) })
    const { Id: id, Size: bytes } = await docker.getImage(reference).inspect()
    onProgress?.(`Made the image ${name} (${Math.round(bytes / 1e6)} MB) in ${Math.ceil((performance.now() - startedAt) / 1_000)} s.`)
    return { reference, id, programSha256 }
  }

  async #needUnpacker(): Promise<void> {
    const { onProgress = () => {}, signal } = this.#options
    if (findProgram('mmdebstrap', process.env)) return
    if (!canInstall(thisHost())) {
      throw new UsageError('No image registry answers, and images cannot be made here without mmdebstrap: install it (Debian: apt-get install mmdebstrap), or run without containers: --runtime processes.')
    }
    onProgress('Installing mmdebstrap (apt-get install mmdebstrap)…')
    await installDebianPackages(['mmdebstrap'], { env: process.env, onProgress, signal })
  }
}

async function thisNode() {
  return { path: process.execPath, sha256: await sha256Of(process.execPath) }
}
