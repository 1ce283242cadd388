/**
 * A disk of its own: a file with a file system in it, mounted in the run's folder. The file holds what has reached
 * the disk; what programs wrote and did not force to it (fsync(2)) is in the kernel's memory alone, and no part of
 * the file for as long as the mount allows. So a copy of the file is what a power cut leaves.
 */
import { existsSync } from 'node:fs'
import { copyFile, constants, open, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { HarnessError } from '../errors.ts'
import { asRoot, whyNotAsRoot } from './as-root.ts'
import type { Disk, PowerCut, Runtime } from './runtime.ts'

const commandMsMax = 20_000
/** Not in the PATH of every user. */
const formatter = existsSync('/sbin/mkfs.ext4') ? '/sbin/mkfs.ext4' : 'mkfs.ext4'
/**
 * How long the file system may keep to itself what nobody forces to the disk: longer than any scenario. The kernel
 * writes back pages by itself after 30 s (`vm.dirty_expire_centisecs`), which a real machine does as well.
 */
const commitEverySeconds = 600
/** Something may still be on its way to the file when it is copied. */
const copiesMax = 5
/** Files of the harness's own, and their size. */
const [forced, notForced] = ['forced', 'not-forced']
const canaryBytes = 4_096

type Run = Runtime['run']

/** Makes a disk of this size and mounts it there. @throws HarnessError where that may not be */
export async function mountDisk(run: Run, folder: string, bytes: number): Promise<Disk> {
  const image = `${folder}.disk`
  await writeFile(image, '')
  await truncate(image, bytes)
  const options = `root_owner=${process.getuid!()}:${process.getgid!()},lazy_itable_init=0,lazy_journal_init=0,nodiscard`
  await must(run, [formatter, ['-q', '-F', '-m', '0', '-E', options, image]], `${image} could not be formatted`)
  await mountImage(run, image, folder)
  // Long before a cut: forcing one file to the disk takes along what the file system knows of others.
  await writeCanary(path.join(folder, forced), true)
  return new ImageDisk(run, folder, image)
}

/** What keeps a disk from being made, as a clause; null when nothing does. */
export async function whyNoDisk(run: Run, folder: string): Promise<string | null> {
  const because = await whyNotAsRoot()
  if (because !== null) return `to mount a disk whose power can be cut ${because}`
  try {
    await using disk = await mountDisk(run, folder, 8 * 1024 ** 2)
    const { kept, lost } = await disk.cutPower()
    return kept && lost ? null : 'what is not forced to a mounted file reaches it all the same here'
  } catch (error) {
    const { message } = error as Error
    return message.startsWith(`${formatter} cannot be started`) ? 'mkfs.ext4 is missing: install the package e2fsprogs' : `no disk can be made and mounted here (${message})`
  }
}

class ImageDisk implements Disk {
  readonly path: string
  #run: Run
  #image: string

  constructor(run: Run, folder: string, image: string) {
    this.#run = run
    this.path = folder
    this.#image = image
  }

  async cutPower(): Promise<PowerCut> {
    const canary = (name: string) => path.join(this.path, name)
    await writeCanary(canary(notForced), false)
    const left = `${this.#image}.left`
    await copyUnchanged(this.#image, left)
    // What is written back in going goes into the file that is given up.
    await unmount(this.#run, this.path)
    await rename(left, this.#image)
    await mountImage(this.#run, this.#image, this.path)
    return { kept: (await sizeOf(canary(forced))) === canaryBytes, lost: (await sizeOf(canary(notForced))) === 0, canaryBytes }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await unmount(this.#run, this.path)
    await rm(this.#image, { force: true })
  }
}

async function writeCanary(file: string, isForced: boolean): Promise<void> {
  await using handle = await open(file, 'w')
  await handle.write(Buffer.alloc(canaryBytes, 1))
  if (isForced) await handle.sync()
}

/** One that was written to meanwhile is no moment's. */
async function copyUnchanged(from: string, to: string): Promise<void> {
  for (let attempt = 1; attempt <= copiesMax; attempt += 1) {
    const before = await stat(from, { bigint: true })
    await copyFile(from, to, constants.COPYFILE_FICLONE)
    const after = await stat(from, { bigint: true })
    if (before.mtimeNs === after.mtimeNs) return
  }
  throw new HarnessError(`${from} was written to whenever it was copied, ${copiesMax} times: nothing may run on it when its power is cut.`)
}

async function mountImage(run: Run, image: string, folder: string): Promise<void> {
  await makeLoopDevice(run)
  await must(run, asRoot('mount', ['-t', 'ext4', '-o', `loop,noatime,commit=${commitEverySeconds}`, image, folder]), `${image} could not be mounted`)
}

const loopControl = '/dev/loop-control'
const loopMajor = '7'

/** In a container nobody makes the files of devices that appear (loop(4)). What fails here is told by the mount. */
async function makeLoopDevice(run: Run): Promise<void> {
  if (process.getuid!() !== 0) return
  if (!existsSync(loopControl)) await run('mknod', [loopControl, 'c', '10', '237'], { timeoutMs: commandMsMax }).catch(() => {})
  const free = await run('losetup', ['--find'], { timeoutMs: commandMsMax }).catch(() => null)
  const [device, minor] = /^\/dev\/loop(\d+)/.exec(free?.stdout ?? '') ?? []
  if (device !== undefined && !existsSync(device)) await run('mknod', [device, 'b', loopMajor, minor!], { timeoutMs: commandMsMax }).catch(() => {})
}

async function unmount(run: Run, folder: string): Promise<void> {
  // Containers that see it have it for themselves.
  await must(run, asRoot('umount', ['--lazy', folder]), `${folder} could not be unmounted`)
}

async function must(run: Run, command: [program: string, args: string[]], otherwise: string): Promise<void> {
  const { code, stderr } = await run(...command, { timeoutMs: commandMsMax })
  if (code !== 0) throw new HarnessError(`${otherwise}: ${stderr.trim().split('\n')[0]}`)
}

/** 0 for one that is not there. */
async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => ({ size: 0 }))).size
}
