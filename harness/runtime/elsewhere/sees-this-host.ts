/**
 * Whether an engine finds a folder of this host: it says so when it shall make a container with that folder
 * mounted. The container is never started, and needs no image but an empty one.
 */
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { packTar } from 'modern-tar/fs'
import type { ContainerRuntimeClient } from 'testcontainers'

type Docker = ContainerRuntimeClient['container']['dockerode']

const emptyImage = 'durable-streams-simulator/empty:1'
/** What engines say of a folder to mount that they do not find: Docker, and Podman. */
export const noSuchFolder = /bind source path does not exist|statfs \S+: no such file or directory/

export async function seesThisHost(docker: Docker): Promise<boolean> {
  await using folder = await mkdtempDisposable(path.join(tmpdir(), 'durable-streams-seen-'))
  const here = await docker.getImage(emptyImage).inspect().then(() => true, () => false)
  // Read to its end: the image is there only then.
  if (!here) await text(await docker.importImage(packTar([{ type: 'content', target: 'empty', content: '' }]), { repo: emptyImage }))
  try {
    const HostConfig = { Mounts: [{ Type: 'bind' as const, Source: folder.path, Target: '/seen', ReadOnly: true }] }
    const container = await docker.createContainer({ Image: emptyImage, Cmd: ['/never-started'], HostConfig })
    await container.remove()
    return true
  } catch (error) {
    if (noSuchFolder.test((error as Error).message)) return false
    throw error
  }
}
