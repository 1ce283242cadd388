/**
 * While the origin is down a cache cannot know. It may go on with what the origin gave a lifetime; beyond
 * that and the bound, it tells nobody that he is up to date, that a stream is closed or missing.
 */
import { limitsOf, type Check } from '../check.ts'
import type { Answer, HistoryEvent, Upstream } from '../history.ts'
import { duration, number } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { answerWords, readModeWords, originWords } from './differential/answer-words.ts'
import { saysGone } from './differential/claims.ts'
import { keepEpisodes, upstreamOf, type Episode, type Episodes } from './differential/episodes.ts'
import { maxAgeMsOf } from './differential/judge-answer.ts'
import { passesEdge } from './differential/stream-model.ts'
import { Findings } from './findings.ts'

interface Limits {
  staleMs: number
}

interface State {
  limits: Limits
  episodes: Episodes
  downs: { fromMs: number; untilMs: number }[]
  examined: number
  served: number
  refused: number
  hidden: Findings
}

export const originDownIsNotHiddenCheck: Check<State, Partial<Limits>> = {
  id: 'origin-down-is-not-hidden',
  title: 'Without its origin the cache claims nothing that it cannot know',
  hangsOnTime: true,
  init: (limits) => ({ limits: limitsOf({ staleMs: 1_000 }, limits), episodes: new Map(), downs: [], examined: 0, served: 0, refused: 0, hidden: new Findings() }),
  step(state, event) {
    keepDowns(state, event)
    const episode = keepEpisodes(state.episodes, event)
    if (episode) examine(state, episode)
  },
  finish({ examined, served, refused, hidden, limits }) {
    const figures = { value: hidden.count, unit: 'claims', limit: 0 }
    if (hidden.count > 0) return fail(examined, `${hidden.counted} of ${number(examined)} answers later than ${duration(limits.staleMs)} after the origin went claimed what nobody could know.`, hidden.evidence, hidden.fingerprint!, figures)
    return pass(examined, `Of ${number(examined)} answers later than ${duration(limits.staleMs)} after the origin went, ${number(refused)} said that it is down and ${number(served)} were within their lifetime.`, figures)
  },
}

function keepDowns({ downs }: State, event: HistoryEvent): void {
  if (event.kind !== 'lifecycle' || event.hop !== 'origin') return
  if (event.what === 'stopped' || event.what === 'killed' || event.what === 'crashed') downs.push({ fromMs: event.atMs, untilMs: Infinity })
  const last = downs.at(-1)
  // Of its start only the end is known; it may have answered for as long as that took.
  if (event.what === 'started' && last) last.untilMs = Math.min(last.untilMs, event.atMs - (event.tookMs ?? 0))
}

function examine(state: State, episode: Episode): void {
  for (const answer of episode.answers) {
    if (!passesEdge(answer.via) || answer.status === null) continue
    const down = state.downs.find(({ fromMs, untilMs }) => answer.invokedAtMs > fromMs + state.limits.staleMs && answer.atMs < untilMs)
    if (!down) continue
    state.examined += 1
    const upstream = upstreamOf(episode, answer)
    if (answer.status >= 500) state.refused += 1
    else if (isFresh(answer, upstream)) state.served += 1
    else if (claimsNow(answer)) note(state, answer, upstream, answer.invokedAtMs - down.fromMs)
  }
}

function isFresh(answer: Answer, upstream: Upstream | undefined): boolean {
  const maxAgeMs = upstream === undefined ? null : maxAgeMsOf(upstream.headers['cache-control'])
  return maxAgeMs !== null && answer.invokedAtMs < upstream!.headAtMs + maxAgeMs
}

function claimsNow({ status, claims, mode }: Answer): boolean {
  return saysGone(status) || mode === 'head' || claims.some(({ upToDate, closed }) => upToDate || closed)
}

function note(state: State, answer: Answer & { atMs: number }, upstream: Upstream | undefined, downMs: number): void {
  state.hidden.note(String(answer.id), `origin-down-is-not-hidden/claimed/${answer.mode}/stop/edge`, () => {
    return `${readModeWords[answer.mode]}, ${duration(downMs)} after the origin went: ${answerWords(answer, { claim: answer.claims.at(-1) ?? null, lateMs: 0 })}${originWords(upstream, answer)}`
  })
}
