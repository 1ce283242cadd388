/**
 * One file, in which each command stands before it is carried out. A command is there whole or not at
 * all: a torn one at the end is cut off at the next start, and the half that a full disk took at once.
 * One that is not as it was written, and no torn end, is kept and told: whose it is, its head says, which has a
 * checksum of its own. It outlasts the process at once, and the machine as soon as it is forced to the disk.
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
  /** Its body, or one of its lengths, is not what was written. */
  isDamaged: boolean
}

/** There is no room for one more command; nothing of it was kept. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom'
}

/** A command is damaged, and it cannot be told which one, or where the next begins. */
export class UnknownDamage extends Error {
  override readonly name = 'UnknownDamage'
}

/**
 * A frame is: the length and the checksum of all that follows, the length and the checksum of its head, the head,
 * the length of its body, the body.
 */
const frameBytes = 8
const headBytes = 8
const bodyLengthBytes = 4
/** What every head begins with. */
const headMark = '{"do":"'
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
  #hasDamage = false

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

  /**
   * All commands in their order; what is torn at the end is cut off.
   * @throws UnknownDamage
   */
  recover(): Command[] {
    const bytes = readFileSync(this.#file)
    const commands: Command[] = []
    this.#bytes = 0
    this.#bytesOfLife.clear()
    for (let frame = frameAt(bytes, 0); frame !== null; frame = frameAt(bytes, this.#bytes)) {
      commands.push(frame.command)
      this.#count(frame.command.head.life, frame.bytes)
    }
    this.#hasDamage = commands.some(({ isDamaged }) => isDamaged)
    ftruncateSync(this.#descriptor, this.#bytes)
    return commands
  }

  /** @throws NoRoom */
  write(head: Head, body: Uint8Array = Buffer.alloc(0)): void {
    const frame = framed(head, Buffer.from(body))
    try {
      writeWhole(this.#descriptor, frame, this.#bytes)
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#bytes)
      throw new NoRoom(`no room for ${frame.length} bytes`, { cause: error })
    }
    this.#count(head.life, frame.length)
  }

  /** Leaves out what belongs to lives that are over, where that is most of it. What is damaged stays as it is. */
  compact(lives: ReadonlySet<number>): void {
    if (this.#hasDamage) return
    const aliveBytes = [...this.#bytesOfLife].reduce((sum, [life, bytes]) => sum + (lives.has(life) ? bytes : 0), 0)
    if (this.#bytes - aliveBytes <= Math.max(deadBytesMin, aliveBytes)) return
    const kept = this.recover().filter(({ head }) => lives.has(head.life))
    const beside = `${this.#file}.new`
    const anew = openSync(beside, 'w+')
    try {
      writeWhole(anew, Buffer.concat(kept.map(({ head, body }) => framed(head, body))), 0)
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

function framed(head: Head, body: Buffer): Buffer {
  const text = Buffer.from(JSON.stringify(head))
  const content = Buffer.concat([numbers(text.length, crc32(text)), text, numbers(body.length), body])
  return Buffer.concat([numbers(content.length, crc32(content)), content])
}

/** Four bytes each, big endian. */
function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index)
  return bytes
}

interface Frame {
  command: Command
  bytes: number
}

/** Null at the end, and where what follows is torn: nothing stands behind it. */
function frameAt(bytes: Buffer, at: number): Frame | null {
  const found = headAt(bytes, at)
  if (found === null) {
    if (nextHead(bytes, at + 1) !== null) throw new UnknownDamage(`the log is damaged at byte ${at}, and it cannot be told which command stood there`)
    return null
  }
  const { head, bodyAt } = found
  const content = bytes.subarray(at + frameBytes, at + frameBytes + bytes.readUInt32BE(at))
  if (content.length === bytes.readUInt32BE(at) && crc32(content) === bytes.readUInt32BE(at + 4)) {
    return { command: { head, body: bytes.subarray(bodyAt, at + frameBytes + content.length), isDamaged: false }, bytes: frameBytes + content.length }
  }
  return damagedFrame(bytes, at, found)
}

/** Where it ends, one of its two lengths says: nobody changes both. */
function damagedFrame(bytes: Buffer, at: number, { head, bodyAt }: FoundHead): Frame | null {
  const ends = [at + frameBytes + bytes.readUInt32BE(at), bodyAt + bytes.readUInt32BE(bodyAt - bodyLengthBytes)]
  const end = ends.find((one) => one > bodyAt && (one === bytes.length || headAt(bytes, one) !== null))
  if (end !== undefined) return { command: { head, body: bytes.subarray(bodyAt, end), isDamaged: true }, bytes: end - at }
  if (nextHead(bytes, at + 1) !== null) throw new UnknownDamage(`the log is damaged at byte ${at}, and where the next command begins cannot be told`)
  return null
}

interface FoundHead {
  head: Head
  bodyAt: number
}

/** The head of a frame that begins here, where it is as it was written. */
function headAt(bytes: Buffer, at: number): FoundHead | null {
  const textAt = at + frameBytes + headBytes
  if (at < 0 || textAt > bytes.length) return null
  const textEnd = textAt + bytes.readUInt32BE(at + frameBytes)
  const bodyAt = textEnd + bodyLengthBytes
  if (bodyAt > bytes.length || crc32(bytes.subarray(textAt, textEnd)) !== bytes.readUInt32BE(at + frameBytes + 4)) return null
  try {
    return { head: JSON.parse(bytes.toString('utf8', textAt, textEnd)) as Head, bodyAt }
  } catch {
    return null
  }
}

/** Where the next frame begins whose head is as it was written; null where there is none any more. */
function nextHead(bytes: Buffer, from: number): number | null {
  const before = frameBytes + headBytes
  for (let mark = bytes.indexOf(headMark, from + before); mark !== -1; mark = bytes.indexOf(headMark, mark + 1)) {
    if (headAt(bytes, mark - before) !== null) return mark - before
  }
  return null
}

function writeWhole(descriptor: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done, at + done)
}
