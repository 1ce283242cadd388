/** The volumes that stand for this machine's folders, for a harness inside a container engine. */
import { readFileSync } from 'node:fs'
import { told, type SharedVolume } from './told.ts'

/** The volume that a folder lies in, the innermost of them; null where the engine sees the folder itself. */
export function sharedVolumeOf(folder: string, volumes = told()?.volumes ?? []): SharedVolume | null {
  const around = volumes.filter(({ target }) => folder === target || folder.startsWith(`${target}/`))
  return around.toSorted((a, b) => b.target.length - a.target.length)[0] ?? null
}

/**
 * Why what is mounted below this folder is not seen by containers, as a clause; null where it is. The engine was
 * asked to share the mounts below that volume (`rshared`), and tells in the optional fields whether it does:
 * https://www.kernel.org/doc/Documentation/filesystems/sharedsubtree.txt, proc_pid_mountinfo(5).
 */
export function whyNotShared(folder: string, mountInfo = () => readFileSync('/proc/self/mountinfo', 'utf8')): string | null {
  const shared = sharedVolumeOf(folder)
  if (shared === null) return null
  const own = mountInfo().split('\n').map((line) => line.split(' - ')[0]!.split(' ')).find((fields) => fields[4] === shared.target)
  return own?.slice(6).some((field) => field.startsWith('shared:')) ? null : 'the container engine shares no mounts between its host and a container'
}
