/**
 * The public images by tag, but for those of the edges, which stand with each of them. Digests stand in
 * public-images.json, written by `npm run resolve-images` where a registry answers; none is invented.
 */
import { readFileSync } from 'node:fs'

export const publicTags = {
  caddy: 'docker.io/library/caddy:2.10.0',
  node: 'docker.io/library/node:24.21.0-bookworm-slim',
  /** Under a server binary that is not linked statically. */
  libraries: 'docker.io/library/debian:bookworm-slim',
} as const

/** An image that a registry has: the name of its digest and of the one made here, and its tag. */
export interface PublicImage {
  name: string
  tag: string
}

/** One of `publicTags`. */
export function ownImage(name: keyof typeof publicTags): PublicImage {
  return { name, tag: publicTags[name] }
}

/** What a registry answered for each tag: 'sha256:…'. */
export type Digests = Partial<Record<string, string>>

export const digestsFile = new URL('./public-images.json', import.meta.url)

/** `repository@digest` where the digest is known, else the tag. */
export function publicReference(image: PublicImage, digests: Digests = readDigests()): string {
  const digest = digests[image.name]
  return digest === undefined ? image.tag : `${image.tag.replace(/:[^:/]+$/, '')}@${digest}`
}

function readDigests(): Digests {
  return JSON.parse(readFileSync(digestsFile, 'utf8')) as Digests
}
