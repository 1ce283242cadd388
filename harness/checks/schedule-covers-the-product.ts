/**
 * Whether a schedule met what it is for: each happening x read mode x state of the cache x before, at and
 * after it. Told from what happened, not from what was planned. A run that met little proves little.
 */
import { limitsOf, type RunCheck } from '../check.ts'
import { readModes, type Answer, type ReadMode } from '../history.ts'
import { number, percent } from '../report/figures.ts'
import { pass, unknown } from '../verdict.ts'
import { keepEpisodes, upstreamOf, type Episode, type Episodes } from './differential/episodes.ts'
import { happenings, modelOf, passesEdge, type Happening, type StreamModel } from './differential/stream-model.ts'

/**
 * How a URL stood when a reader asked: never asked for, or its answers gone since a write; answered from
 * the store; asked for with the ETag of an earlier answer; asked for longer ago than anything may be stale.
 */
const cacheStates = ['miss', 'hit', 'revalidation', 'grace'] as const
type CacheState = (typeof cacheStates)[number]

const moments = ['before', 'at', 'after'] as const
type Moment = (typeof moments)[number]

interface Limits {
  staleMs: number
  expiryMs: number
  /** With a smaller share of the cells that can be met, nothing is proven. */
  shareMin: number
}

interface State {
  limits: Limits
  episodes: Episodes
  answers: number
  cells: Set<string>
}

export const scheduleCoversTheProductCheck: RunCheck<State, Partial<Limits>> = {
  id: 'schedule-covers-the-product',
  title: 'Reads of every mode met every happening, in every state of the cache',
  blames: 'nobody',
  init: (limits) => ({ limits: limitsOf({ staleMs: 1_000, expiryMs: 1_000, shareMin: 0.7 }, limits), episodes: new Map(), answers: 0, cells: new Set() }),
  step(state, event) {
    const episode = keepEpisodes(state.episodes, event)
    if (episode) examine(state, episode)
  },
  finish({ cells, answers, limits }) {
    const possible = product().filter((cell) => whyImpossible(cell) === null)
    const missed = possible.filter((cell) => !cells.has(nameOf(cell)))
    const share = (possible.length - missed.length) / possible.length
    const because = `${number(possible.length - missed.length)} of ${number(possible.length)} combinations of happening, read mode, state of the cache and moment were met by ${number(answers)} answers`
    const figures = { value: Math.round(share * 1_000) / 10, unit: '%', limit: limits.shareMin * 100, limitIs: 'at-least' as const }
    const evidence = [...missedWords(missed), ...impossibleWords()]
    if (share < limits.shareMin) return { ...unknown(`Only ${because}; ${percent(limits.shareMin)} are needed.`, evidence, answers), ...figures }
    return pass(answers, `${because}.`, { ...figures, evidence })
  },
}

interface Cell {
  happening: Happening
  mode: ReadMode
  cache: CacheState
  moment: Moment
}

function product(): Cell[] {
  return happenings.flatMap((happening) =>
    readModes.flatMap((mode) => cacheStates.flatMap((cache) => moments.map((moment) => ({ happening, mode, cache, moment })))),
  )
}

function nameOf({ happening, mode, cache, moment }: Cell): string {
  return `${mode} ${moment} ${happening}, ${cache}`
}

/** Why a combination cannot be met; null for one that can. */
function whyImpossible({ happening, mode, cache, moment }: Cell): string | null {
  const isStored = mode !== 'head' && mode !== 'now'
  if (!isStored && (cache === 'hit' || cache === 'grace')) return 'HEAD and offset=now are not stored'
  if (cache !== 'revalidation') return null
  if (!isStored || mode === 'sse') return 'no ETag is given with HEAD, offset=now and event streams'
  return happening === 'create' && moment !== 'after' ? 'there is no ETag before a first creation' : null
}

function missedWords(missed: readonly Cell[]): string[] {
  if (missed.length === 0) return []
  const shown = missed.slice(0, 12).map(nameOf)
  return [`Not met: ${shown.join('; ')}${missed.length > shown.length ? `, and ${missed.length - shown.length} more` : ''}`]
}

function impossibleWords(): string[] {
  const reasons = Map.groupBy(product().flatMap((cell) => whyImpossible(cell) ?? []), (reason) => reason)
  return [...reasons].map(([reason, cells]) => `${cells.length} combinations cannot be met: ${reason}`)
}

function examine(state: State, episode: Episode): void {
  const model = modelOf(episode.writes, state.limits.expiryMs)
  for (const answer of episode.answers) {
    if (!passesEdge(answer.via) || answer.status === null || answer.status >= 500 || answer.atMs >= model.knownUntilMs) continue
    state.answers += 1
    const cache = cacheStateOf(answer, episode, state.limits.staleMs)
    for (const [moment, happening] of around(answer, model)) {
      const name = nameOf({ happening, mode: answer.mode, cache, moment })
      state.cells.add(name)
    }
  }
}

function cacheStateOf(answer: Answer, episode: Episode, staleMs: number): CacheState {
  if (answer.ifNoneMatch !== undefined) return 'revalidation'
  const upstream = upstreamOf(episode, answer)
  if (upstream && upstream.askedAtMs < answer.invokedAtMs) return 'hit'
  const earlier = [...episode.upstream.values()].findLast(({ target, method, askedAtMs }) => target === answer.target && method === 'GET' && askedAtMs < answer.invokedAtMs)
  return earlier && answer.invokedAtMs - earlier.askedAtMs > staleMs ? 'grace' : 'miss'
}

/** What happened last before an answer was asked for, what happened while it was given, and what came next. */
function* around(answer: Answer & { atMs: number }, { versions }: StreamModel): Generator<[Moment, Happening]> {
  const made = versions.flatMap(({ by, earliestMs, latestMs }) => (by === 'nothing' ? [] : [{ by, earliestMs, latestMs }]))
  const last = made.findLast(({ latestMs }) => latestMs <= answer.invokedAtMs)
  const next = made.find(({ earliestMs }) => earliestMs >= answer.atMs)
  if (last) yield ['after', last.by]
  if (next) yield ['before', next.by]
  for (const { by, earliestMs, latestMs } of made) {
    if (earliestMs < answer.atMs && latestMs > answer.invokedAtMs) yield ['at', by]
  }
}
