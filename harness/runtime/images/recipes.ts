/** How an image is made here, as a value; what it is made of decides its tag. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { thisHost } from '../../provision/missing-tools.ts'

/** Debian packages unpacked into one layer, without their scripts: a few seconds, not a system. */
export interface PackagesRecipe {
  kind: 'packages'
  suite: string
  packages: readonly string[]
}

/** One program on top of another image, or of nothing. */
export interface ProgramRecipe {
  kind: 'program'
  /** Nothing, or the libraries that a program needs which is not linked statically. */
  base: 'scratch' | 'libraries'
  file: string
  sha256: string
  /** Where it lies in the image. */
  target: string
}

export type Recipe = PackagesRecipe | ProgramRecipe

export const caddyPackages = ['caddy'] as const
/** What a program that is not linked statically may need. */
export const libraryPackages = ['libc6', 'libstdc++6'] as const
/** What a harness inside an engine calls of its host. */
export const hostPackages = ['mount', 'e2fsprogs', 'coreutils'] as const

/** Of the Debian release that this machine runs. */
export function packagesRecipe(packages: readonly string[]): PackagesRecipe {
  const suite = /^VERSION_CODENAME=(\w+)/m.exec(thisHost().osRelease)?.[1] ?? 'stable'
  return { kind: 'packages', suite, packages }
}

/** Inside, nobody: what the image's own volumes belong to. The simulation runs it as its own user. */
export const imageUser = 65_532
/** The folder of the image that a named volume is mounted on. */
export const volumeFolder = '/var/lib/durable-streams'

/** To be raised when what is done with a recipe changes. */
const edition = 2

/** 'durable-streams-simulator/varnish:1f2e…': another content, another tag. */
export function localTag(name: string, recipe: Recipe): string {
  const content = recipe.kind === 'program' ? { ...recipe, file: undefined } : recipe
  const hash = createHash('sha256').update(JSON.stringify({ edition, arch: process.arch, content })).digest('hex')
  return `durable-streams-simulator/${name}:${hash.slice(0, 16)}`
}

/** What the image's Dockerfile says; its context holds `program` and the empty folder `volume`. */
export function dockerfile({ target }: ProgramRecipe, base: string): string {
  const user = `${imageUser}:${imageUser}`
  return [
    `FROM ${base}`,
    `COPY --chown=0:0 program ${target}`,
    `COPY --chown=${user} volume ${volumeFolder}`,
    `ENV HOME=${volumeFolder} XDG_CONFIG_HOME=${volumeFolder}/config XDG_DATA_HOME=${volumeFolder}/data`,
    `USER ${user}`,
    `ENTRYPOINT ["${target}"]`,
    '',
  ].join('\n')
}

/** A program header that names an interpreter makes a program a dynamic one; elf(5). */
const interpreterHeader = 3

/** True for a program that needs no library: it fits an image of its own. */
export async function isStatic(file: string): Promise<boolean> {
  const handle = await open(file, 'r')
  try {
    const { buffer } = await handle.read(Buffer.alloc(4_096), 0, 4_096, 0)
    const [at, bytes, count] = [Number(buffer.readBigUInt64LE(32)), buffer.readUInt16LE(54), buffer.readUInt16LE(56)]
    for (let n = 0; n < count && at + n * bytes + 4 <= buffer.length; n += 1) {
      if (buffer.readUInt32LE(at + n * bytes) === interpreterHeader) return false
    }
    return true
  } finally {
    await handle.close()
  }
}
