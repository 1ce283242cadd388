/** What is put into an engine that is elsewhere: files of this machine, each at its own path, bounded in size. */
import { realpathSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { packTar, type TarSource } from 'modern-tar/fs'
import type { Readable } from 'node:stream'
import { UsageError } from '../../errors.ts'
import type { Docker } from '../engine.ts'

export interface Belonging {
  /** What the user named it by: a flag. */
  what: string
  /** Absolute; of a regular file. */
  path: string
  /** Its path there, where that is another. */
  to?: string
}

/** What is there after the run and may not be here yet: each entry of a folder. */
export interface Keepsake {
  there: string
  here: string
}

export const fileBytesMax = 512 * 1024 ** 2
export const allBytesMax = 2 * 1024 ** 3

/** Bytes of them all. @throws UsageError for one that is not there, or more than is carried */
export async function weigh(files: readonly Belonging[], sizeOf = async (file: string) => (await stat(file)).size): Promise<number> {
  const sizes = await Promise.all(files.map(async ({ what, path }) => {
    const bytes = await sizeOf(path).catch(({ code }: NodeJS.ErrnoException) => {
      throw new UsageError(`${path} (${what}) cannot be read (${code}).`)
    })
    if (bytes > fileBytesMax) throw tooMuch(`${path} (${what}) has`, bytes, fileBytesMax)
    return bytes
  }))
  const all = sizes.reduce((sum, bytes) => sum + bytes, 0)
  if (all > allBytesMax) throw tooMuch(`${heaviest(files, sizes)} and the other ${(files.length - 1).toLocaleString('en-US')} files of a run have`, all, allBytesMax)
  return all
}

function heaviest(files: readonly Belonging[], sizes: readonly number[]): string {
  const sums = new Map<string, number>()
  for (const [n, { what }] of files.entries()) sums.set(what, (sums.get(what) ?? 0) + sizes[n]!)
  return [...sums].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 'nothing'
}

function tooMuch(what: string, bytes: number, max: number): UsageError {
  const mebibytes = (n: number) => `${Math.ceil(n / 1024 ** 2).toLocaleString('en-US')} MiB`
  return new UsageError(`${what} ${mebibytes(bytes)}, and at most ${mebibytes(max)} are put into a container engine that is elsewhere: give less, run on a host that the engine is of, or run without containers: --runtime processes.`)
}

interface More {
  content: { target: string; text: string }
  /** A symbolic link. */
  link: { target: string; to: string }
  /** Which may hold nothing. */
  folder: string
}

/** As one archive for the root of a container. All of it is root's there, which has no privileges over others' files. */
export function pack(files: readonly Belonging[], { content, link, folder }: More): Readable {
  const inArchive = (target: string) => target.replace(/^\/+/, '')
  const sources = files.map(({ path, to = path }): TarSource => ({ type: 'file', source: realpathSync(path), target: inArchive(to) }))
  const more: TarSource[] = [
    { type: 'content', target: inArchive(content.target), content: content.text },
    { type: 'content', target: inArchive(link.target), content: '' },
    ...(inArchive(folder) === '' ? [] : [{ type: 'content', target: `${inArchive(folder)}/`, content: '' } as const]),
  ]
  const owned = (header: TarHeader): TarHeader => ({ ...header, uid: 0, gid: 0, uname: 'root', gname: 'root' })
  const linked = (header: TarHeader): TarHeader => (header.name === inArchive(link.target) ? { ...header, type: 'symlink', linkname: link.to } : header)
  const foldered = (header: TarHeader): TarHeader => (header.name.endsWith('/') ? { ...header, type: 'directory', mode: 0o755 } : header)
  return packTar([...sources, ...more], { map: (header) => foldered(linked(owned(header))) })
}

/** An archive for the root of a container. @throws also what kept it from being made: a request would wait for its end */
export async function putArchive(container: Pick<Container, 'putArchive'>, archive: Readable): Promise<void> {
  const { promise: broken, reject } = Promise.withResolvers<never>()
  archive.once('error', reject)
  await Promise.race([container.putArchive(archive, { path: '/' }), broken])
}

type Container = ReturnType<Docker['getContainer']>
type TarHeader = Parameters<NonNullable<NonNullable<Parameters<typeof packTar>[1]>['map']>>[0]
