/**
 * The images of a run as files, for a cache that outlives the engine: what a registry gave, and what was
 * made here from packages. The server's own is made anew in a second, around the program of the day.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { edges } from '../../edges/edges.ts'
import { sha256 } from '../../sha256.ts'
import type { Docker } from '../engine.ts'
import { follow } from './build-image.ts'
import { ownImage, publicReference, publicTags } from './public-images.ts'

const ownImages = (Object.keys(publicTags) as (keyof typeof publicTags)[]).map(ownImage)
const localPrefix = 'durable-streams-simulator/'
const serverPrefix = `${localPrefix}server:`
const suffix = '.image.tar'

/** Another content, another key: tags, digests and packages of all images that a run may need. */
export function imagesKey(): string {
  const content = [...ownImages.map((image) => publicReference(image)), ...edges.map(({ image }) => [publicReference(image), image.packages])]
  return `images-${process.platform}-${process.arch}-${sha256(JSON.stringify(content)).slice(0, 16)}`
}

/** Writes each of these images into a file of its own. */
export async function saveImages(docker: Docker, folder: string, tags: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const tag of tags) {
    const file = path.join(folder, `${sha256(tag).slice(0, 16)}${suffix}`)
    await pipeline(await docker.getImage(tag).get(), createWriteStream(`${file}.partial`))
    await rename(`${file}.partial`, file)
  }
}

/** The images of a run that this engine has, but for the server's. */
export async function imagesHere(docker: Docker): Promise<string[]> {
  return worthKeeping((await docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []))
}

/** An image by its digest alone has no tag, and would be loaded without a name: it is pulled each time. */
export function worthKeeping(tags: readonly string[]): string[] {
  const wanted = new Set([...ownImages, ...edges.map(({ image }) => image)].map((image) => shortTag(image.tag)))
  return tags.filter((tag) => wanted.has(shortTag(tag)) || (tag.startsWith(localPrefix) && !tag.startsWith(serverPrefix))).toSorted()
}

/** An engine lists `docker.io/library/node:24` as `node:24`. */
function shortTag(tag: string): string {
  return tag.replace(/^docker\.io\/(library\/)?/, '')
}

/** Gives the engine what `saveImages` wrote; returns how many files there were. */
export async function loadImages(docker: Docker, folder: string): Promise<number> {
  const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(suffix))
  for (const name of files) await follow(docker, docker.loadImage(createReadStream(path.join(folder, name))), name)
  return files.length
}
