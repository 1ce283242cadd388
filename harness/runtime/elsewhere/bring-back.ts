/** What a run in an engine elsewhere has written, brought to where it would be had it run on this machine. */
import { copyFile, mkdir, mkdtempDisposable, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { unpackTar } from 'modern-tar/fs'
import { HarnessError } from '../../errors.ts'
import type { Docker } from '../engine.ts'
import type { Keepsake } from './belongings.ts'

type Container = Pick<ReturnType<Docker['getContainer']>, 'getArchive'>

/**
 * All that lies in `folder` there comes to the same folder here, by way of `staging` inside of it: whole, or not at
 * all. Folders that are here already were put there.
 */
export async function fetchFolder(container: Container, folder: string, staging: string): Promise<void> {
  await mkdir(staging, { recursive: true })
  await unpack(container, folder, staging)
  for (const name of await readdir(staging)) {
    await rename(path.join(staging, name), path.join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      // Where `latest` is a folder there is no link, as when a run is made here.
      if (name !== 'latest' && error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw new HarnessError(`${path.join(folder, name)} could not be brought back (${error.code}).`)
    })
  }
  await rm(staging, { recursive: true, force: true })
}

/** A file that may not have been written. */
export async function fetchFile(container: Container, file: string): Promise<void> {
  await using folder = await mkdtempDisposable(path.join(tmpdir(), 'durable-streams-back-'))
  const found = await unpack(container, file, folder.path, 0).then(() => true, (error: { statusCode?: number }) => {
    if (error.statusCode === 404) return false
    throw error
  })
  if (!found) return
  await mkdir(path.dirname(file), { recursive: true })
  await copyFile(path.join(folder.path, path.basename(file)), file)
}

/** Of a folder there what this machine does not have yet. */
export async function fetchNew(container: Container, { there, here }: Keepsake): Promise<void> {
  await mkdir(here, { recursive: true })
  await using folder = await mkdtempDisposable(path.join(here, '.brought-'))
  await unpack(container, there, folder.path).catch((error: { statusCode?: number }) => {
    if (error.statusCode !== 404) throw error
  })
  for (const name of await readdir(folder.path)) await rename(path.join(folder.path, name), path.join(here, name)).catch(() => {})
}

async function unpack(container: Container, from: string, to: string, strip = 1): Promise<void> {
  await pipeline(await container.getArchive({ path: from }), unpackTar(to, { strip }))
}
