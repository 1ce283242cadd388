/**
 * One file, in which each command stands before it is carried out. A command is there whole or not at
 * all: a torn one at the end is cut off at the next start, and the half that a full disk took at once.
 * It outlasts the process at once, and the machine as soon as it is forced to the disk.
 */
import { closeSync, existsSync, fdatasync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'

/** What a command is, but for its body. */
export interface Head {
  do: 'create' | 'append' | 'close' | 'close-by-producer' | 'delete' | 'touch'
  path: string
  /** Of the stream: counted over all streams of the log. */
  life: number
  atMs: number
  /** By path, of the streams that it needs: when each was last used, which is not written down each time. */
  lastUsedAtMs: Record<string, number>
  options?: object | undefined
}

export interface Command {
  head: Head
  body: Buffer
}

/** There is no room for one more command; nothing of it was kept. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom'
}

/** Before each command its length and its checksum, and before its body the length of its head. */
const frameBytes = 8
const headLengthBytes = 4
/** Less than this is not worth a new file. */
const deadBytesMin = 256 * 1024

export class RedoLog {
  #file: string
  #descriptor: number
  #bytes = 0
  #bytesOfLife = new Map<number, number>()
  /** That is under way, and the one after it, for what was written meanwhile. */
  #forcing: Promise<void> = Promise.resolve()
  #nextForcing: Promise<void> | null = null

  /** Opens the log below this folder, or begins one. */
  constructor(dataDir: string) {
    const folder = path.join(dataDir, 'streams')
    mkdirSync(folder, { recursive: true })
    this.#file = path.join(folder, 'redo.log')
    this.#descriptor = openSync(this.#file, existsSync(this.#file) ? 'r+' : 'w+')
    for (const place of [folder, dataDir, path.dirname(dataDir)]) forceFolder(place)
  }

  /** Resolves when all that is written so far is on the disk: forced there once for all who wait for it. */
  force(): Promise<void> {
    this.#nextForcing ??= this.#forcing.then(() => {
      this.#forcing = this.#nextForcing!
      this.#nextForcing = null
      return forceToDisk(this.#descriptor)
    })
    return this.#nextForcing
  }

  /** All commands in their order; what is torn at the end is cut off. */
  recover(): Command[] {
    const bytes = readFileSync(this.#file)
    const commands: Command[] = []
    this.#bytes = 0
    this.#bytesOfLife.clear()
    for (let frame = frameAt(bytes, 0); frame !== null; frame = frameAt(bytes, this.#bytes)) {
      commands.push(frame.command)
      this.#count(frame.command.head.life, frame.bytes)
    }
    ftruncateSync(this.#descriptor, this.#bytes)
    return commands
  }

  /** @throws NoRoom */
  write(head: Head, body: Uint8Array = Buffer.alloc(0)): void {
    const frame = framed({ head, body: Buffer.from(body) })
    try {
      writeWhole(this.#descriptor, frame, this.#bytes)
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#bytes)
      throw new NoRoom(`no room for ${frame.length} bytes`, { cause: error })
    }
    this.#count(head.life, frame.length)
  }

  /** Leaves out what belongs to lives that are over, where that is most of it. */
  compact(lives: ReadonlySet<number>): void {
    const aliveBytes = [...this.#bytesOfLife].reduce((sum, [life, bytes]) => sum + (lives.has(life) ? bytes : 0), 0)
    if (this.#bytes - aliveBytes <= Math.max(deadBytesMin, aliveBytes)) return
    const kept = this.recover().filter(({ head }) => lives.has(head.life))
    const beside = `${this.#file}.new`
    const anew = openSync(beside, 'w+')
    try {
      writeWhole(anew, Buffer.concat(kept.map(framed)), 0)
      fsyncSync(anew)
    } catch {
      // A full disk: another time.
      closeSync(anew)
      rmSync(beside)
      return
    }
    renameSync(beside, this.#file)
    forceFolder(path.dirname(this.#file))
    const before = this.#descriptor
    this.#descriptor = anew
    void this.#forcing.finally(() => closeSync(before)).catch(() => {})
    this.recover()
  }

  #count(life: number, bytes: number): void {
    this.#bytes += bytes
    this.#bytesOfLife.set(life, (this.#bytesOfLife.get(life) ?? 0) + bytes)
  }
}

const forceToDisk = promisify(fdatasync)

/** What is new in it, or has another name. */
function forceFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

function framed({ head, body }: Command): Buffer {
  const text = Buffer.from(JSON.stringify(head))
  const headLength = Buffer.alloc(headLengthBytes)
  headLength.writeUInt32BE(text.length)
  const content = Buffer.concat([headLength, text, body])
  const frame = Buffer.alloc(frameBytes)
  frame.writeUInt32BE(content.length)
  frame.writeUInt32BE(crc32(content), 4)
  return Buffer.concat([frame, content])
}

/** Null at the end, and where what follows is torn. */
function frameAt(bytes: Buffer, at: number): { command: Command; bytes: number } | null {
  if (at + frameBytes > bytes.length) return null
  const length = bytes.readUInt32BE(at)
  const content = bytes.subarray(at + frameBytes, at + frameBytes + length)
  if (length < headLengthBytes || content.length < length || crc32(content) !== bytes.readUInt32BE(at + 4)) return null
  const bodyAt = headLengthBytes + content.readUInt32BE(0)
  const head = JSON.parse(content.subarray(headLengthBytes, bodyAt).toString()) as Head
  return { command: { head, body: content.subarray(bodyAt) }, bytes: frameBytes + length }
}

function writeWhole(descriptor: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done, at + done)
}
