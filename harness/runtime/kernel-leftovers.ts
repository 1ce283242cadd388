/** What a run has in the kernel beside processes: mounts below its folder, control groups. Gone with it, however it ends. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { asRoot } from './as-root.ts'
import { removeGroups } from './cgroups.ts'

/** To be called when nothing of the run runs any more, before its folder is removed. */
export function releaseKernel(runId: string, folder: string): void {
  for (const mountPoint of mountsBelow(folder).toReversed()) spawnSync(...asRoot('umount', ['--lazy', mountPoint]), { stdio: 'ignore' })
  removeGroups(runId)
}

/** In the order in which they were mounted. Spaces and the like stand in octal; proc(5). */
function mountsBelow(folder: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  const points = lines.flatMap((line) => line.split(' ')[4]?.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))) ?? [])
  return points.filter((point) => point.startsWith(`${folder}/`))
}
