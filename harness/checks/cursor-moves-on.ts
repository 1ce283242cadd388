/**
 * Live answers carry a cursor, and one that answers a reader's own cursor is later: so that a
 * stored answer is never met twice (PROTOCOL.md 10.1).
 */
import type { Check } from '../check.ts'
import type { Crowd } from '../history.ts'
import { fail, pass, unknown } from '../verdict.ts'

interface State {
  crowds: Crowd[]
}

export const cursorMovesOnCheck: Check<State, object> = {
  id: 'cursor-moves-on',
  title: 'Each generation of live readers is given a later cursor',
  init: () => ({ crowds: [] }),
  step(state, event) {
    const live = event.kind === 'crowd' && (event.mode === 'long-poll' || event.mode === 'sse')
    if (live && event.path !== 'direct' && event.generation !== 'late') state.crowds.push(event)
  },
  finish({ crowds }) {
    const readers = crowds.reduce((sum, crowd) => sum + crowd.readers, 0)
    if (crowds.length < 2) return unknown('Fewer than two generations of live readers were seen.')
    const without = crowds.find((crowd) => cursorsSeen(crowd) < crowd.answered)
    if (without) {
      return fail(readers, `${without.answered - cursorsSeen(without)} of ${without.answered} readers (${without.crowd}) were given no cursor.`, [JSON.stringify(without.cursors)], `cursor-moves-on/missing/${without.mode}/crowd/${without.path}`)
    }
    for (const [before, after] of generations(crowds)) {
      if (smallest(after) > largest(before)) continue
      return fail(readers, `A reader that sent the cursor ${largest(before)} was answered ${smallest(after)} (${after.crowd}).`, [JSON.stringify(before.cursors), JSON.stringify(after.cursors)], `cursor-moves-on/stuck/${after.mode}/crowd/${after.path}`)
    }
    return pass(readers, `${readers.toLocaleString('en-US')} live readers were given cursors, each generation a later one than it had sent.`)
  },
}

function cursorsSeen(crowd: Crowd): number {
  return Object.values(crowd.cursors).reduce((sum, count) => sum + count, 0)
}

/** Pairs of successive generations by the same mode and way. */
function* generations(crowds: Crowd[]): Generator<[Crowd, Crowd]> {
  const last = new Map<string, Crowd>()
  for (const crowd of crowds) {
    const key = `${crowd.mode} ${crowd.path}`
    const before = last.get(key)
    if (before) yield [before, crowd]
    last.set(key, crowd)
  }
}

function largest(crowd: Crowd): number {
  return Math.max(...Object.keys(crowd.cursors).map(Number))
}

function smallest(crowd: Crowd): number {
  return Math.min(...Object.keys(crowd.cursors).map(Number))
}
