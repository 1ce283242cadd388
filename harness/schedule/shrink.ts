/**
 * Makes a failing schedule of one path as short as it still fails: by leaving out pieces (delta
 * debugging), then by making what is left plainer. What fails is for the caller to find out, of several
 * candidates at once, since each takes a real run. Pure but for that.
 */
import type { Move, ReadMove, WriteMove } from './moves.ts'

export interface Shrinking {
  /** Which of these schedules fail. */
  fail(candidates: Move[][]): Promise<boolean[]>
  /** So many at once. */
  candidatesMax: number
  /** What may be enough, tried first: the reads of one mode only, say. */
  guesses?: readonly ((move: Move) => boolean)[]
  /** Time is over: what is best so far is the answer. */
  isOver(): boolean
  /** Told of each shorter or plainer one that fails. */
  onBetter(moves: Move[]): void | Promise<void>
}

/** The shortest and plainest that was found to fail; the given one where none shorter does. */
export async function shrink(moves: Move[], shrinking: Shrinking): Promise<Move[]> {
  const guessed = await guess(tidy(moves), shrinking)
  const shorter = await leaveOut(guessed, shrinking)
  return makePlain(shorter, shrinking)
}

async function guess(moves: Move[], shrinking: Shrinking): Promise<Move[]> {
  const candidates = (shrinking.guesses ?? []).map((keeps) => tidy(moves.filter(keeps))).filter((candidate) => candidate.length > 0 && candidate.length < moves.length)
  if (candidates.length === 0) return moves
  const failing = await shrinking.fail(candidates.slice(0, shrinking.candidatesMax))
  const [best] = candidates.filter((_, index) => failing[index]).toSorted((a, b) => a.length - b.length)
  if (best) await shrinking.onBetter(best)
  return best ?? moves
}

async function leaveOut(moves: Move[], shrinking: Shrinking): Promise<Move[]> {
  let best = moves
  for (let size = Math.ceil(best.length / 2); size >= 1 && !shrinking.isOver(); ) {
    const without = pieces(best.length, size).map(([from, until]) => new Set(range(from, until)))
    const found = await smallest(best, without, shrinking)
    if (found) best = found
    else if (size === 1) break
    // Smaller pieces when no piece of this size could go, or when they would be all of it.
    if (!found || size >= best.length) size = Math.floor(size / 2)
  }
  return best
}

/** The schedule without all pieces that can go by themselves; if they cannot go together, without one. */
async function smallest(moves: Move[], without: Set<number>[], shrinking: Shrinking): Promise<Move[] | null> {
  const kept = (gone: ReadonlySet<number>) => tidy(moves.filter((_, index) => !gone.has(index)))
  const removable: Set<number>[] = []
  for (let at = 0; at < without.length && !shrinking.isOver(); at += shrinking.candidatesMax) {
    const batch = without.slice(at, at + shrinking.candidatesMax)
    const failing = await shrinking.fail(batch.map(kept))
    removable.push(...batch.filter((_, index) => failing[index]))
  }
  if (removable.length === 0) return null
  const together = kept(new Set(removable.flatMap((gone) => [...gone])))
  const choice = removable.length > 1 && together.length > 0 && (await shrinking.fail([together]))[0] ? together : kept(removable[0]!)
  await shrinking.onBetter(choice)
  return choice
}

function pieces(length: number, size: number): [from: number, until: number][] {
  return Array.from({ length: Math.ceil(length / size) }, (_, n) => [n * size, Math.min(length, (n + 1) * size)])
}

function range(from: number, until: number): number[] {
  return Array.from({ length: until - from }, (_, n) => from + n)
}

async function makePlain(moves: Move[], shrinking: Shrinking): Promise<Move[]> {
  let best = moves
  for (const plainer of plainings) {
    if (shrinking.isOver()) break
    const candidate = tidy(best.map(plainer))
    if (JSON.stringify(candidate) === JSON.stringify(best)) continue
    const found = (await shrinking.fail([candidate]))[0] ? candidate : await plainOneByOne(best, plainer, shrinking)
    if (!found) continue
    best = found
    await shrinking.onBetter(best)
  }
  return best
}

/** Where not all moves can be made plainer, as many as can. */
async function plainOneByOne(moves: Move[], plainer: (move: Move) => Move, shrinking: Shrinking): Promise<Move[] | null> {
  const at = moves.flatMap((move, index) => (JSON.stringify(plainer(move)) === JSON.stringify(move) ? [] : [index]))
  if (at.length < 2) return null
  const one = (chosen: number) => moves.map((move, index) => (index === chosen ? plainer(move) : move))
  const failing = await shrinking.fail(at.slice(0, shrinking.candidatesMax).map(one))
  const first = at.find((_, index) => failing[index])
  return first === undefined ? null : one(first)
}

/** What a schedule can do without, one thing after another. */
const plainings: readonly ((move: Move) => Move)[] = [
  (move) => without(move, 'afterMs'),
  (move) => (move.do === 'read' ? without(move, 'readers', 'swapped') : move),
  (move) => (move.do === 'read' ? without(move, 'credentials') : move),
  (move) => (move.do === 'read' ? without(move, 'validated') : move),
  (move) => without(move, 'together'),
  (move) => (move.do === 'wait' || move.do === 'read' ? move : without(move, 'json', 'bytes')),
  (move) => (move.do !== 'wait' && move.via === 'tls' ? { ...move, via: 'edge' } : move),
]

function without<M extends Move>(move: M, ...names: (keyof ReadMove | keyof WriteMove)[]): M {
  return Object.fromEntries(Object.entries(move).filter(([name]) => !names.some((gone) => gone === name))) as M
}

/** The first move of a schedule has none before it to begin with. */
function tidy(moves: Move[]): Move[] {
  return moves.map((move, index) => (index === 0 ? without(move, 'together') : move))
}
