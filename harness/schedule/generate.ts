/**
 * Schedules from a seed: what happens to a path, and around each happening reads of every mode, before,
 * at and after it, on URLs that nobody asked for yet, that were just answered, that are asked again with
 * their ETag, and that were answered longer ago than anything may be stale. Each path is drawn by itself.
 */
import { readModes, type ReadMode } from '../history.ts'
import { randomFor, type Random } from '../seed.ts'
import type { Move, ReadMove, ScheduleVia, WriteMove } from './moves.ts'

type Happens = WriteMove['do'] | 'expire'

/** A life begins with a creation or a fork; what follows is drawn from these. */
const lives: readonly Happens[][] = [
  ['create', 'append', 'append', 'close', 'delete'],
  ['create', 'append', 'delete'],
  ['create', 'append', 'append', 'delete'],
  ['create', 'append', 'expire'],
  ['create', 'expire'],
  ['fork', 'append', 'close', 'delete'],
  ['create', 'close', 'delete'],
  ['fork', 'append', 'delete'],
]

const livesOfAPath = 2
/** Long enough for what is drawn to happen before it, most of the time. */
const expiresInMs = 1_200
const groupMax = 8

/** The moves of path number `index`. */
export function movesOfPath(seed: number, index: number): Move[] {
  const random = randomFor(seed, 'schedule', index)
  const stream = `path-${index}`
  const drawn = Array.from({ length: livesOfAPath }, (_, life) => lives[(index * 3 + life + random.int(2)) % lives.length]!)
  const json = random.int(3) === 0
  const bytes = 20 + random.int(200)
  const painter = new Painter(stream, random, index)
  painter.reads(2)
  for (const life of drawn) {
    const expires = life.includes('expire')
    for (const happens of life) painter.around(writeOf({ happens, stream, random, bytes, json, expires }))
  }
  return painter.moves
}

interface Writing {
  happens: Happens
  stream: string
  random: Random
  bytes: number
  json: boolean
  expires: boolean
}

function writeOf({ happens, stream, random, bytes, json, expires }: Writing): Move {
  if (happens === 'expire') return { stream, do: 'wait', for: 'expiry' }
  const via = drawVia(random)
  const begins = happens === 'create' || happens === 'fork'
  // Equal sizes make equal offsets: two lives of a path are told apart by their bytes only.
  const size = random.int(4) === 0 ? bytes + random.int(50) : bytes
  const withRecord = happens === 'append' || (happens === 'create' && random.int(2) === 0)
  return {
    stream,
    do: happens,
    via,
    ...(withRecord ? { bytes: size } : {}),
    ...(begins && json ? { json } : {}),
    ...(begins && expires ? { expiresInMs } : {}),
  }
}

function drawVia(random: Random): ScheduleVia {
  return (['edge', 'edge', 'origin', 'origin', 'tls'] as const)[random.int(5)]!
}

/** Places reads around what happens, and goes through the modes in turn, so that none is left out. */
class Painter {
  readonly moves: Move[] = []
  #stream: string
  #random: Random
  #turn: number

  constructor(stream: string, random: Random, turn: number) {
    this.#stream = stream
    this.#random = random
    this.#turn = turn
  }

  around(happening: Move): void {
    const before = this.reads(2)
    if (this.#random.int(3) === 0) this.#longAgo()
    this.#at(happening)
    const after = Array.from({ length: 3 }, () => this.#read())
    this.#push([...after, ...before.map((move) => this.#again(move, 'validated'))])
    // The same once more: from the store, and with the ETag.
    this.#push(after.map((move) => this.#again(move)))
    if (this.#random.int(4) > 0) return
    this.#longAgo()
    this.#push(after.map((move) => this.#again(move)))
  }

  /** Reads side by side, and some of them again. */
  reads(count: number): ReadMove[] {
    const first = Array.from({ length: count }, () => this.#read())
    this.#push(first)
    if (this.#random.int(2) === 0) this.#push(first.map((move) => this.#again(move)))
    return first
  }

  #at(happening: Move): void {
    const racing = Array.from({ length: 3 }, () => ({ ...this.#read(), afterMs: this.#random.int(6) }))
    this.#push([{ ...happening, ...(happening.do === 'wait' ? {} : { afterMs: this.#random.int(6) }) }, ...racing])
  }

  #longAgo(): void {
    this.#push([{ stream: this.#stream, do: 'wait', for: 'staleness' }])
  }

  #push(turn: Move[]): void {
    turn.forEach((move, n) => this.moves.push(n === 0 ? move : { ...move, together: true }))
  }

  #read(): ReadMove {
    this.#turn += 1
    const mode = readModes[this.#turn % readModes.length]!
    const move: ReadMove = { stream: this.#stream, do: 'read', mode, via: this.#via() }
    const from = this.#from(mode)
    if (from) move.from = from
    const group = this.#random.int(4)
    if (group === 0 && move.via !== 'origin') move.readers = 2 + this.#random.int(groupMax - 1)
    const isLive = mode === 'long-poll' || mode === 'sse'
    if (isLive && this.#random.int(4) === 0) move.swapped = move.readers ? 'every-other' : 'all'
    if (this.#random.int(16) === 0) move.credentials = this.#random.int(2) === 0 ? 'authorization' : 'cookie'
    return move
  }

  #from(mode: ReadMode): ReadMove['from'] | undefined {
    const any = (...places: NonNullable<ReadMove['from']>[]) => places[this.#random.int(places.length)]!
    if (mode === 'history') return any('start', 'start', 'behind')
    if (mode === 'tail') return any('tail', 'tail', 'tail', 'former')
    if (mode === 'head' || mode === 'now') return undefined
    return any('start', 'behind', 'tail')
  }

  #via(): ScheduleVia {
    return (['edge', 'edge', 'edge', 'edge', 'tls', 'tls', 'origin'] as const)[this.#random.int(7)]!
  }

  #again({ readers: _readers, credentials: _credentials, ...move }: ReadMove, validated?: 'validated'): ReadMove {
    const hasEtag = move.mode !== 'head' && move.mode !== 'now' && move.mode !== 'sse'
    return hasEtag && (validated !== undefined || this.#random.int(2) === 0) ? { ...move, validated: true } : move
  }
}
