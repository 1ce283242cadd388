/**
 * The public images, all of them, by tag: the only place where they are named. Digests stand in
 * public-images.json, written by `npm run resolve-images` where a registry answers; none is invented.
 */
import { readFileSync } from 'node:fs'

export const publicTags = {
  varnish: 'docker.io/library/varnish:7.6.1',
  caddy: 'docker.io/library/caddy:2.10.0',
  node: 'docker.io/library/node:24.21.0-bookworm-slim',
  /** Under a server binary that is not linked statically. */
  libraries: 'docker.io/library/debian:bookworm-slim',
} as const

export type PublicImage = keyof typeof publicTags

/** What a registry answered for each tag: 'sha256:…'. */
export type Digests = Partial<Record<PublicImage, string>>

export const digestsFile = new URL('./public-images.json', import.meta.url)

/** `repository@digest` where the digest is known, else the tag. */
export function publicReference(image: PublicImage, digests: Digests = readDigests()): string {
  const digest = digests[image]
  return digest === undefined ? publicTags[image] : `${publicTags[image].replace(/:[^:/]+$/, '')}@${digest}`
}

function readDigests(): Digests {
  return JSON.parse(readFileSync(digestsFile, 'utf8')) as Digests
}
