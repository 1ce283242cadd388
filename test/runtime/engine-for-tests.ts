/** The engine and the images for tests, where an engine answers; else its tests are skipped, and say so loudly. */
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { defaultEdge } from '../../harness/edges/edges.ts'
import { openEngine, type Engine } from '../../harness/runtime/engine.ts'
import { provideImages, type RunImages } from '../../harness/runtime/images/provide-images.ts'
import { openProcessRuntime } from '../../harness/runtime/processes.ts'

export const engine: Engine | null = await openEngine().catch((error: Error) => {
  console.warn(`SKIPPED, no container was tested: ${error.message}`)
  return null
})

let images: Promise<RunImages> | undefined

/** Of the reference server, with a Caddy from Debian packages where no registry answers. */
export function imagesForTests(): Promise<RunImages> {
  images ??= make()
  return images
}

async function make(): Promise<RunImages> {
  await using folder = await mkdtempDisposable(path.join(tmpdir(), 'images-for-tests-'))
  await using host = await openProcessRuntime({ runId: path.basename(folder.path), logsDir: folder.path })
  // Not linked statically, as Debian's Caddy is not.
  const caddy = { path: process.execPath, sha256: '' }
  return await provideImages({ docker: engine!.docker, host, server: null, caddy, edge: defaultEdge.image, onProgress: console.log })
}
