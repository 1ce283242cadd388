/** Shrinking a schedule, with an oracle instead of a world; and the file that is printed of it. */
import fc from 'fast-check'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import cacheTellsTheTruth from '../scenarios/cache-tells-the-truth.ts'
import type { Scenario } from '../harness/scenario.ts'
import { movesOfPath } from '../harness/schedule/generate.ts'
import { turnsOf, type Move } from '../harness/schedule/moves.ts'
import { shrink } from '../harness/schedule/shrink.ts'
import { parseOptions } from '../harness/options.ts'
import { flagsOfTrials } from '../harness/shrink/flags-of-trials.ts'
import { scenarioSource } from '../harness/shrink/scenario-source.ts'

/** Fails as long as these moves, by what they do, are there in this order. */
async function shrunk(moves: Move[], needed: ((move: Move) => boolean)[], more: { candidatesMax?: number; runsMax?: number } = {}) {
  const { candidatesMax = 12, runsMax = Infinity } = more
  let runs = 0
  const fails = (candidate: Move[]) => {
    let at = 0
    for (const move of candidate) if (at < needed.length && needed[at]!(move)) at += 1
    return at === needed.length
  }
  const better: number[] = []
  const result = await shrink(moves, {
    candidatesMax,
    isOver: () => runs >= runsMax,
    onBetter: (found) => void better.push(found.length),
    fail: async (candidates) => {
      runs += 1
      expect(candidates.length).toBeLessThanOrEqual(candidatesMax)
      for (const candidate of candidates) expect(candidate[0]?.together).toBeUndefined()
      return candidates.map(fails)
    },
  })
  return { result, runs, better, fails }
}

const isA = (what: Move['do']) => (move: Move) => move.do === what
const creates: Move[] = movesOfPath(7, 1)

describe('a failing schedule', () => {
  it('is shrunk to what it needs', async () => {
    const { result, runs } = await shrunk(creates, [isA('create'), isA('append'), (move) => move.do === 'read' && move.mode === 'tail'])
    expect(result.map((move) => move.do)).toEqual(['create', 'append', 'read'])
    expect(runs).toBeLessThan(60)
  })

  it('is made plainer where that fails as well', async () => {
    const moves: Move[] = [
      { stream: 'p', do: 'create', via: 'tls', json: true, bytes: 9, afterMs: 3 },
      { stream: 'p', do: 'read', mode: 'history', via: 'tls', readers: 4, credentials: 'cookie', validated: true, swapped: 'all', together: true },
    ]
    const all = await shrunk(moves, [isA('create'), isA('read')])
    expect(all.result).toEqual([
      { stream: 'p', do: 'create', via: 'edge' },
      { stream: 'p', do: 'read', mode: 'history', via: 'edge' },
    ])
    const tls = await shrunk(moves, [isA('create'), (move) => move.do === 'read' && move.via === 'tls'])
    expect(tls.result).toEqual([
      { stream: 'p', do: 'create', via: 'edge' },
      { stream: 'p', do: 'read', mode: 'history', via: 'tls' },
    ])
  })

  it('never becomes one that does not fail, whatever it needs', async () => {
    const picked = fc.record({ index: fc.nat(200), chosen: fc.uniqueArray(fc.nat(300), { minLength: 1, maxLength: 4 }) })
    await fc.assert(
      fc.asyncProperty(picked, async ({ index, chosen }) => {
        const moves = movesOfPath(11, index)
        const needed = chosen.map((n) => n % moves.length).toSorted((a, b) => a - b)
        const kinds = [...new Set(needed)].map((n) => (move: Move) => move.do === moves[n]!.do && JSON.stringify((move as { mode?: string }).mode) === JSON.stringify((moves[n] as { mode?: string }).mode))
        const { result, fails } = await shrunk(moves, kinds)
        expect(fails(result)).toBe(true)
        expect(result).toHaveLength(kinds.length)
      }),
      { numRuns: 40 },
    )
  })

  it('is begun from the shortest guess that fails', async () => {
    const asked: number[] = []
    const result = await shrink(creates, {
      candidatesMax: 12,
      guesses: [(move) => move.do !== 'read', (move) => move.do === 'create' || move.do === 'append', () => false],
      isOver: () => asked.length > 0,
      onBetter: () => {},
      fail: async (candidates) => {
        asked.push(candidates.length)
        return candidates.map((candidate) => candidate.some(isA('append')))
      },
    })
    expect(asked[0]).toBe(2)
    expect(new Set(result.map((move) => move.do))).toEqual(new Set(['create', 'append']))
  })

  it('is what was best when time is over', async () => {
    const { result, fails } = await shrunk(creates, [isA('create')], { runsMax: 2 })
    expect(fails(result)).toBe(true)
    expect(result.length).toBeGreaterThan(1)
  })

  it('stays as it is where nothing shorter fails', async () => {
    const moves: Move[] = [{ stream: 'p', do: 'create', via: 'edge' }]
    expect((await shrunk(moves, [isA('create')])).result).toEqual(moves)
  })
})

describe('the file of a shrunk schedule', () => {
  const folder = mkdtempSync(path.join(import.meta.dirname, 'shrunk-test-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('is a scenario that plays those moves and asks that check', async () => {
    const moves: Move[] = [
      { stream: 'a', do: 'create', via: 'edge', bytes: 60 },
      { stream: 'a', do: 'read', mode: 'tail', via: 'edge', from: 'tail', together: true },
    ]
    const spec = cacheTellsTheTruth.checks[1]!
    const text = scenarioSource({ id: 'it-is-shrunk', from: cacheTellsTheTruth, spec, moves, movesBefore: 90, because: "it isn't", flags: '--seed 7', harness: '../../harness', tookMs: 1_000 })
    const file = path.join(folder, 'it-is-shrunk.ts')
    writeFileSync(file, text)
    const { default: scenario } = (await import(pathToFileURL(file).href)) as { default: Scenario }
    expect(scenario).toMatchObject({ id: 'it-is-shrunk', world: cacheTellsTheTruth.world, checks: [spec], steps: [{ kind: 'schedule', moves }] })
    expect(text).toContain("        { stream: 'a', do: 'create', via: 'edge', bytes: 60 },\n")
  })
})

describe('a turn', () => {
  it('is a move and those that begin with it', () => {
    const [a, b, c] = [{ stream: 'p', do: 'wait', for: 'expiry' }, { stream: 'p', do: 'wait', for: 'expiry', together: true }, { stream: 'p', do: 'close', via: 'edge' }] as Move[]
    expect(turnsOf([a!, b!, c!])).toEqual([[a, b], [c]])
  })
})

/** Whatever the environment says. */
const anyRuntime = ['--runtime', 'auto']

describe('the flags of a trial', () => {
  it('are those of the run, but for sizes of its own, and are understood again', () => {
    const given = [...anyRuntime, '--server-bin', '/bin/true', '--edge', 'nginx', '--stale-ms', '7', '--readers', '9', '--profile', 'full', '--for', '1h', '--repeat', '3', '--app', 'src']
    const flags = flagsOfTrials({ options: { ...parseOptions(given) }, seed: 5 })
    expect(flags).toEqual(['--seed', '5', '--server-bin', '/bin/true', '--edge', 'nginx', '--stale-ms', '7'])
    expect(parseOptions(flags)).toMatchObject({ seed: 5, edge: 'nginx', staleMs: 7, repeat: 1 })
  })

  it('are the seed alone where nothing was given', () => {
    expect(flagsOfTrials({ options: { ...parseOptions(anyRuntime) }, seed: 5 })).toEqual(['--seed', '5'])
  })
})
