/** The history as files of a run's folder: `history-0001.jsonl`, `-0002`..., one event a line. */
import { createReadStream } from 'node:fs'
import { open, readdir, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { HarnessError } from './errors.ts'
import type { HistoryEvent } from './history.ts'

const fileBytesMax = 64 * 1024 * 1024
/** What may wait for the disk. At some thousand events a second it is seconds of a disk that stands still. */
const waitingBytesMax = 64 * 1024 * 1024
const blockBytes = 1024 * 1024
/** Writing costs by the call, and most on a busy machine; so much may be missing where the harness is killed. */
const togetherMs = 10
/** UTF-8 needs no more for a character of a JavaScript string. */
const bytesPerCharacterMax = 3

/**
 * Writes events as they come, those of a few milliseconds together. Nothing waits for the disk but
 * memory, which is bounded. It is memory outside of the heap: events that wait as strings
 * outlive the collector's young generation, and make it grow.
 */
export class HistoryFile {
  #folder: string
  #bytesMax: number
  #block = Buffer.allocUnsafeSlow(blockBytes)
  /** How much of the block is lines. */
  #filled = 0
  /** The file that its lines belong to, from 1, and how much that holds with them. */
  #number = 1
  #fileBytes = 0
  /** What is full, or ends its file. */
  #full: Lines[] = []
  #waitingBytes = 0
  #writing: Promise<void> | null = null
  #open: { number: number; file: FileHandle } | null = null
  #failure: unknown = null
  #closed = false

  constructor(folder: string, bytesMax = fileBytesMax) {
    this.#folder = folder
    this.#bytesMax = bytesMax
  }

  /**
   * @throws what the disk said to an earlier event (ENOSPC), or HarnessError where it is far behind.
   * What comes after `close` is dropped: a step that was left behind may still tell something.
   */
  write(event: HistoryEvent): void {
    if (this.#closed) return
    if (this.#failure !== null) throw this.#failure
    this.#add(`${JSON.stringify(event)}\n`)
    if (this.#waitingBytes > waitingBytesMax) {
      throw new HarnessError(`the disk is ${Math.round(this.#waitingBytes / 2 ** 20)} MiB behind with the history in ${this.#folder}`)
    }
    this.#writing ??= this.#writeWaiting()
  }

  /** @throws what the disk said, if it did not take everything. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#writing
    await this.#open?.file.close()
    this.#open = null
    if (this.#failure !== null) throw this.#failure
  }

  #add(line: string): void {
    const bytesMax = line.length * bytesPerCharacterMax
    if (this.#filled + bytesMax > this.#block.length) {
      this.#setAside()
      this.#block = Buffer.allocUnsafeSlow(Math.max(blockBytes, bytesMax))
    }
    const bytes = this.#block.write(line, this.#filled)
    if (this.#fileBytes > 0 && this.#fileBytes + bytes > this.#bytesMax) {
      this.#setAside()
      this.#number += 1
      this.#fileBytes = 0
    }
    this.#filled += bytes
    this.#fileBytes += bytes
    this.#waitingBytes += bytes
  }

  /** The lines so far go out as they are; what comes goes behind them, in what is left of the block. */
  #setAside(): void {
    if (this.#filled > 0) this.#full.push({ number: this.#number, bytes: this.#block.subarray(0, this.#filled) })
    this.#block = this.#block.subarray(this.#filled)
    this.#filled = 0
  }

  async #writeWaiting(): Promise<void> {
    try {
      while (this.#waitingBytes > 0) {
        await delay(togetherMs)
        this.#setAside()
        this.#waitingBytes = 0
        for (const lines of this.#full.splice(0)) await this.#append(lines)
      }
    } catch (error) {
      this.#failure = error
    } finally {
      this.#writing = null
    }
  }

  async #append({ number, bytes }: Lines): Promise<void> {
    if (this.#open?.number !== number) {
      await this.#open?.file.close()
      const name = `history-${String(number).padStart(4, '0')}.jsonl`
      this.#open = { number, file: await open(path.join(this.#folder, name), 'w') }
    }
    await this.#open.file.appendFile(bytes)
  }
}

/** Whole lines, and the file that they belong to. */
interface Lines {
  number: number
  bytes: Buffer
}

/** What the files were found to be. */
export interface HistoryCondition {
  files: number
  events: number
  /** True where the last file ends in half a line: whoever wrote it died. */
  torn: boolean
  /** What else is missing or no event, the first few, as clauses. */
  damage: string[]
}

const damageMax = 5
const pieceBytes = 1024 * 1024
/** A line is an event; the longest ones are reads of a stream of very many records. */
const lineBytesMax = 256 * 1024 * 1024

/**
 * Gives `take` every event of a run's folder, in the order in which they were written. Holds one piece
 * of a file at a time. Never throws for what stands in the files.
 */
export async function readHistory(folder: string, take: (event: HistoryEvent) => void): Promise<HistoryCondition> {
  const names = (await readdir(folder)).filter((name) => /^history-\d+\.jsonl$/.test(name)).toSorted()
  const condition: HistoryCondition = { files: names.length, events: 0, torn: false, damage: [] }
  const damaged = (how: string) => {
    if (condition.damage.length < damageMax) condition.damage.push(how)
  }
  let seq = 0
  for (const name of names) {
    let line = 0
    for await (const { text, ended } of wholeLines(path.join(folder, name))) {
      for (const one of text.split('\n')) {
        line += 1
        const event = parseEvent(one)
        if (event === null) {
          if (!ended && name === names.at(-1)) condition.torn = true
          else damaged(`line ${line} of ${name} is no event`)
          continue
        }
        if (event.seq !== seq + 1) damaged(`event ${seq + 1} is not where it should be, at line ${line} of ${name}`)
        seq = event.seq
        condition.events += 1
        take(event)
      }
    }
  }
  return condition
}

/** Whole lines in pieces; `ended` is false for a last one that no line feed ends. */
async function* wholeLines(file: string): AsyncGenerator<{ text: string; ended: boolean }> {
  let begun: Buffer[] = []
  let begunBytes = 0
  for await (const piece of createReadStream(file, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer>) {
    const end = piece.lastIndexOf(0x0a)
    begun.push(end < 0 ? piece : piece.subarray(0, end))
    begunBytes += piece.length
    if (end >= 0) {
      yield { text: Buffer.concat(begun).toString('utf8'), ended: true }
      begun = [piece.subarray(end + 1)]
      begunBytes = piece.length - end - 1
    }
    if (begunBytes > lineBytesMax) break
  }
  if (begunBytes > 0) yield { text: begunBytes > lineBytesMax ? '' : Buffer.concat(begun).toString('utf8'), ended: false }
}

function parseEvent(line: string): HistoryEvent | null {
  try {
    const event = JSON.parse(line) as Partial<HistoryEvent> | null
    const whole = typeof event?.kind === 'string' && typeof event.seq === 'number' && typeof event.atMs === 'number'
    return whole && typeof event.scenario === 'string' ? (event as HistoryEvent) : null
  } catch {
    return null
  }
}
