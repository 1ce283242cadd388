/** Shrinking a schedule and any scenario, with an oracle instead of a world; and the file that is printed of it. */
import fc from 'fast-check'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import cacheTellsTheTruth from '../scenarios/cache-tells-the-truth.ts'
import killUnderLoad from '../scenarios/kill-under-load.ts'
import lifetimesEnd from '../scenarios/lifetimes-end.ts'
import producersWriteOnce from '../scenarios/producers-write-once.ts'
import restartKeepsData from '../scenarios/restart-keeps-data.ts'
import stopWithLiveReaders from '../scenarios/stop-with-live-readers.ts'
import type { CheckResult } from '../harness/report/result.ts'
import type { Sizes } from '../harness/run-scenario.ts'
import type { Scenario } from '../harness/scenario.ts'
import { movesOfPath } from '../harness/schedule/generate.ts'
import { pathsOf, turnsOf, type Move } from '../harness/schedule/moves.ts'
import { shrink } from '../harness/schedule/shrink.ts'
import { Bench, type BenchOptions, type Trial } from '../harness/shrink/bench.ts'
import { concrete } from '../harness/shrink/concrete.ts'
import { familiesFor, stepsIn, type FailureWords } from '../harness/shrink/reductions.ts'
import { scenarioSource } from '../harness/shrink/scenario-source.ts'
import { shrinkScenario } from '../harness/shrink/search.ts'
import type { Shrunk } from '../harness/shrink/shrink-capsule.ts'
import type { Schedule } from '../harness/steps/schedule.ts'

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

const sizes: Sizes = { profile: 'quick', readers: 10_000, streams: 1_000, forMs: 1, staleMs: 1_000 }

/** Fails as long as its value holds all of these. */
async function shrunkScenario(given: Scenario, needs: (text: string, scenario: Scenario) => boolean, more: { candidatesMax?: number; runsMax?: number } & Partial<FailureWords> = {}) {
  const { candidatesMax = 3, runsMax = Infinity, fingerprint = 'c/lost/json/none/origin', evidence = [] } = more
  let runs = 0
  const seen: Scenario[] = []
  const fails = (scenario: Scenario) => needs(JSON.stringify([scenario.world, scenario.steps, scenario.healed]), scenario)
  const result = await shrinkScenario(given, {
    families: familiesFor({ fingerprint, evidence }),
    candidatesMax,
    isOver: () => runs >= runsMax,
    onBetter: (scenario) => void seen.push(scenario),
    fail: async (candidates) => {
      runs += 1
      expect(candidates.length).toBeLessThanOrEqual(candidatesMax)
      return candidates.map(fails)
    },
  })
  return { result, runs, seen, fails }
}

const every = (...words: string[]) => (text: string) => words.every((word) => text.includes(word))

describe('a scenario that fails', () => {
  const data = concrete(restartKeepsData, 'restart-keeps-data-shrunk', sizes, 7)

  it('is written out in plain numbers and lists, whatever the profile', () => {
    expect(data.steps[0]).toMatchObject({ kind: 'create-streams', each: 1 })
    expect((data.steps[0] as { kinds: string[] }).kinds).toContain('producer-json')
    const drawn = concrete(cacheTellsTheTruth, 'x', sizes, 7).steps[0] as Schedule
    expect(pathsOf(drawn.moves!)).toHaveLength(40)
    expect(drawn.moves!.filter(({ stream }) => stream === 'path-3')).toEqual(movesOfPath(7, 3))
    expect(stepsIn({ steps: [drawn], healed: [] })).toBe(drawn.moves!.length)
  })

  it('is shrunk to what it needs: steps, streams, ways, hops', async () => {
    const { result, runs } = await shrunkScenario(data, every('create-streams', '"json"', '"kill"', 'read-all'))
    expect(result.world).toEqual({ hops: ['origin'] })
    expect([...result.steps, ...result.healed].map(({ kind }) => kind).toSorted()).toEqual(['create-streams', 'kill', 'read-all'])
    expect(JSON.stringify(result)).not.toMatch(/"edge"|"repeat"|producer/)
    expect(runs).toBeLessThan(60)
  })

  it('loses hops, the steps that act on them, and every way through them, together', async () => {
    const { result } = await shrunkScenario(concrete(producersWriteOnce, 'p', sizes, 7), every('producers-go-on'))
    expect(result.world.hops).toEqual(['origin'])
    expect(JSON.stringify(result)).not.toMatch(/"edge"|"tls"/)
  })

  it('keeps what a protocol or a check counts by: lifetimes, grace periods, times of looks', async () => {
    const { result } = await shrunkScenario(concrete(lifetimesEnd, 'l', sizes, 7), every('expires-idle"', '3400'))
    expect(result.steps).toEqual([
      { kind: 'lifelines', copies: 1, lines: [{ name: 'expires-idle', ttlSeconds: 2, looks: [{ atMs: 3_400, do: 'read', via: 'origin' }] }] },
    ])
    const stopping = await shrunkScenario(data, every('"stop"'))
    expect(stopping.result.steps.find(({ kind }) => kind === 'stop')).toMatchObject({ graceMs: 10_000 })
  })

  it.each([
    ['the fingerprint', { fingerprint: 'expired-is-gone/undead/ttl/expires-idle-append/origin' }],
    ['the evidence', { fingerprint: 'expired-is-gone/undead/ttl/any/origin', evidence: ['expires-idle-append-2: append through origin answered 204', 'expires-idle-0: ...'] }],
  ])('is one lifeline at once, where %s names it', async (_by, failure) => {
    const needs = every('expires-idle-append"')
    const { result, runs } = await shrunkScenario(concrete(lifetimesEnd, 'l', sizes, 7), needs, failure)
    expect(stepsIn(result)).toBe(2)
    expect(result.world.hops).toEqual(['origin'])
    expect(runs).toBeLessThan(10)
  })

  it('loses the steps on streams of a kind that is not created any more, together with it', async () => {
    const whole = concrete(stopWithLiveReaders, 'stop', sizes, 7)
    // As in a world: a writer without its stream is a crash, and shows nothing.
    const runs = (text: string) => [...text.matchAll(/"streams":"live-([a-z-]+)-0"/g)].every(([, kind]) => (text.match(/"kinds":\[([^\]]*)/)?.[1] ?? '').includes(`"${kind}"`))
    const needs = (text: string) => runs(text) && every('"follow"', '"long-poll"', 'live-no-expiry-0', '"stop"', '"start"')(text)
    const { result, runs: rounds } = await shrunkScenario(whole, needs, { fingerprint: 'c/missed/long-poll/any/any', evidence: ['long-poll by edge on live-no-expiry-0: never received live-no-expiry-0/1.44'] })
    expect(JSON.stringify(result)).not.toMatch(/live-json|producer|binary/)
    expect(stepsIn(result)).toBeLessThanOrEqual(5)
    expect(rounds).toBeLessThan(40)
  })

  it('is looked for with one answer at a time, where trials that take longer are not waited for', async () => {
    const needs = every('create-streams', '"json"', '"kill"', 'read-all')
    const whole = await shrunkScenario(data, needs)
    let asked = 0
    const result = await shrinkScenario(data, {
      families: familiesFor({ fingerprint: 'c/lost/json/none/origin', evidence: [] }),
      candidatesMax: 3,
      isOver: () => asked > 500,
      onBetter: () => {},
      fail: async (candidates) => {
        asked += 1
        const failing = candidates.map((scenario) => needs(JSON.stringify([scenario.world, scenario.steps, scenario.healed])))
        const last = failing.lastIndexOf(true)
        return failing.map((fails, index) => (last < 0 ? fails : index === last ? true : null))
      },
    })
    expect(result.world).toEqual(whole.result.world)
    expect(stepsIn(result)).toBe(stepsIn(whole.result))
  })

  it('takes triggers, counts and a load down to what it needs', async () => {
    const whole = concrete(killUnderLoad, 'k', sizes, 7)
    const { result } = await shrunkScenario(whole, (text, scenario) => every('"append"', '"kill"', '"during"')(text) && numberOf(scenario, 'times') >= 3)
    expect(numberOf(result, 'times')).toBe(3)
    expect(numberOf(result, 'writers')).toBe(1)
    expect(JSON.stringify(result)).not.toContain('upToMore')
  })

  it('never becomes one that does not fail, whatever it needs', async () => {
    const words = JSON.stringify([data.steps, data.healed]).match(/"[a-z-]+"(?!:)/g)!
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.constantFrom(...words), { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 5 }), async (needed, candidatesMax) => {
        const { result, fails, seen } = await shrunkScenario(data, every(...needed), { candidatesMax })
        expect(fails(result)).toBe(true)
        expect(seen.every(fails)).toBe(true)
        expect(stepsIn(result)).toBeLessThanOrEqual(needed.length)
      }),
      { numRuns: 25 },
    )
  })

  it('is what was best when time is over, and stays as it is where nothing less fails', async () => {
    const cut = await shrunkScenario(data, every('"kill"'), { runsMax: 2 })
    expect(cut.fails(cut.result)).toBe(true)
    const { result } = await shrunkScenario(data, (text) => text === JSON.stringify([data.world, data.steps, data.healed]))
    expect(result).toEqual(data)
  })
})

describe('trials beside each other', () => {
  /** Each of them by its title: 'fails' or 'passes' at once, 'fails later' when others have, 'hangs' until it is ended. */
  class Played extends Bench {
    readonly asked: string[] = []

    override async played({ title }: Scenario, _nth: number, ended?: AbortSignal): Promise<Trial> {
      this.asked.push(title)
      if (title === 'is too much' && this.beside > 1) return { failed: null, failedAt: [], ended: 'done', wasTooBusy: true, tookMs: 1 }
      if (title === 'hangs') await once(ended!, 'abort')
      if (title === 'fails later') await setTimeout(20)
      return { failed: title.startsWith('fails') ? ({ because: 'it fails' } as CheckResult) : null, failedAt: [], ended: 'done', wasTooBusy: false, tookMs: 1 }
    }
  }
  const played = () => new Played({ fingerprint: 'expired-is-gone/undead/ttl/any/origin', signal: AbortSignal.timeout(5_000) } as BenchOptions, 3)
  const tried = async (titles: string[], times: number) => {
    const bench = played()
    const shown = await bench.untilOneFails(titles.map((title) => ({ ...restartKeepsData, title })), times)
    return { shown: shown.map((one) => (typeof one === 'object' ? one.failed!.because : one)), asked: bench.asked.length }
  }

  it('end with the first in their order that fails', async () => {
    expect(await tried(['passes', 'fails', 'hangs', 'passes'], 1)).toEqual({ shown: ['nothing', 'it fails', 'not-told', 'not-told'], asked: 3 })
    // What leaves more out is waited for, though less was found to fail before it.
    expect(await tried(['fails later', 'fails', 'hangs', 'passes'], 1)).toEqual({ shown: ['it fails', 'not-told', 'not-told', 'not-told'], asked: 3 })
  })

  it('are fewer, and made again, where they were too much for the machine', async () => {
    const bench = played()
    const trials = await bench.all(['is too much', 'passes'].map((title) => ({ scenario: { ...restartKeepsData, title }, nth: 1 })))
    expect(bench.asked.filter((title) => title === 'is too much')).toHaveLength(3)
    expect([bench.beside, bench.tooBusy]).toEqual([1, 2])
    expect(trials.map(({ wasTooBusy }) => wasTooBusy)).toEqual([false, false])
  })

  it('have shown nothing when each of them was tried as often as is asked', async () => {
    expect(await tried(['passes', 'passes'], 3)).toEqual({ shown: ['nothing', 'nothing'], asked: 6 })
    // One more time could still show it.
    expect((await tried(['passes', 'fails'], 3)).shown).toEqual(['not-told', 'it fails'])
    expect((await tried(['passes', 'fails'], 1)).shown).toEqual(['nothing', 'it fails'])
  })
})

/** The value of the first field of this name. */
function numberOf({ steps }: Scenario, name: string): number {
  return Number(new RegExp(`"${name}":(\\d+)`).exec(JSON.stringify(steps))?.[1])
}

describe('the file of a shrunk scenario', () => {
  const folder = mkdtempSync(path.join(import.meta.dirname, 'shrunk-test-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  const shrunk = (scenario: Scenario): Shrunk => ({ scenario, stepsBefore: 90, steps: 3, rateBefore: { failed: 3, of: 3 }, rate: { failed: 3, of: 3 }, because: "it isn't\n*/ process.exit(1)", trials: 9, tookMs: 1_000, isWhole: true })

  it.each<[string, Scenario]>([
    ['cache-tells-the-truth', cacheTellsTheTruth],
    ['kill-under-load', killUnderLoad],
    ['lifetimes-end', lifetimesEnd],
    ['stop-with-live-readers', stopWithLiveReaders],
  ])('holds %s as it was', async (id, from) => {
    const scenario = concrete(from, `${id}-shrunk`, sizes, 7)
    const text = scenarioSource({ shrunk: shrunk(scenario), from, fingerprint: 'c/x/any/none/origin', command: 'npm run simulate -- x', harness: '../../harness' })
    const file = path.join(folder, `${id}-shrunk.ts`)
    writeFileSync(file, text)
    const { default: read } = (await import(pathToFileURL(file).href)) as { default: Scenario }
    expect(read).toEqual({ ...scenario, title: `${scenario.title} (shrunk)` })
  })

  it('says what each step does, and has a move a line', () => {
    const moves: Move[] = [{ stream: 'a', do: 'create', via: 'edge', bytes: 60 }, { stream: 'a', do: 'read', mode: 'tail', via: 'edge', from: 'tail', together: true }]
    const steps = [{ ...(cacheTellsTheTruth.steps[0] as Schedule), moves, paths: 0 }]
    const text = scenarioSource({ shrunk: shrunk({ ...cacheTellsTheTruth, id: 'it-is-shrunk', steps }), from: cacheTellsTheTruth, fingerprint: 'c', command: 'x', harness: '..' })
    expect(text).toContain('// play 2 moves of writers and readers\n')
    expect(text).toContain("        { stream: 'a', do: 'create', via: 'edge', bytes: 60 },\n")
    expect(text).toContain("// it isn't */ process.exit(1)\n")
  })
})

describe('a turn', () => {
  it('is a move and those that begin with it', () => {
    const [a, b, c] = [{ stream: 'p', do: 'wait', for: 'expiry' }, { stream: 'p', do: 'wait', for: 'expiry', together: true }, { stream: 'p', do: 'close', via: 'edge' }] as Move[]
    expect(turnsOf([a!, b!, c!])).toEqual([[a, b], [c]])
  })
})
