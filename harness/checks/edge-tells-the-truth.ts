/**
 * No reader behind the cache is told what is not so any more, and readers that ask together are
 * answered together: many-to-one is not bought with a stale answer, nor freshness with a stampede.
 * One read mode each.
 *
 * What a reader may be told is computed from the writes as the origin answered them, not from other
 * readers. A wrong answer of the cache is held against the origin's response that it was made from: if
 * that was wrong already, or allowed to be kept, it is the origin's doing.
 */
import { limitsOf, type Check } from '../check.ts'
import type { Answer, ReadMode, Upstream } from '../history.ts'
import { duration, number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { keepEpisodes, upstreamOf, type Episode, type Episodes } from './differential/episodes.ts'
import { eventStreamEnds } from './differential/event-stream-ends.ts'
import { gatheringsOf } from './differential/gatherings.ts'
import { isOutdated, judgeAnswer, type Judgement } from './differential/judge-answer.ts'
import { answerWords, describe, readModeWords, originWords } from './differential/answer-words.ts'
import { modelOf, passesEdge, type StreamModel } from './differential/stream-model.ts'
import { Findings } from './findings.ts'

interface Limits {
  mode: ReadMode
  /** How long a write made directly at the origin may stay unknown to a reader behind the cache. */
  staleMs: number
  /** Within this, what was written reaches a live reader that waits for it. */
  deliveryMs: number
  /** How long the end of an event stream may take to reach the cache, where no reader shows it. */
  endNoticedMs: number
  /** How long after its Expires-At the origin may still answer for a stream. */
  expiryMs: number
  /** With more answers void than this share, nothing is proven. */
  voidShareMax: number
}

interface State {
  limits: Limits
  episodes: Episodes
  answers: number
  atOrigin: number
  fromStore: number
  withinLifetime: number
  voids: Map<string, number>
  /** Readers that asked together, and the requests that the origin got for them. */
  gathered: { groups: number; readers: number; requests: number }
  wrong: Findings
  lateMsMax: number
}

export const edgeTellsTheTruthCheck: Check<State, Partial<Limits>> = {
  id: 'edge-tells-the-truth',
  title: 'Answers through the cache are true when they are given, and shared',
  hangsOnTime: true,
  init: (limits) => ({
    limits: limitsOf({ mode: 'history' as const, staleMs: 1_000, deliveryMs: 2_000, endNoticedMs: 100, expiryMs: 1_000, voidShareMax: 0.1 }, limits),
    episodes: new Map(),
    answers: 0,
    atOrigin: 0,
    fromStore: 0,
    withinLifetime: 0,
    voids: new Map(),
    gathered: { groups: 0, readers: 0, requests: 0 },
    wrong: new Findings(),
    lateMsMax: 0,
  }),
  step(state, event) {
    const episode = keepEpisodes(state.episodes, event)
    if (episode) examine(state, episode)
  },
  finish(state) {
    const { limits, answers, wrong } = state
    const mode = readModeWords[limits.mode]
    if (answers === 0) return unknown(`No ${mode} answer through the cache could be judged.`)
    const figures = { value: wrong.count, unit: 'wrong answers', limit: 0 }
    const seen = `${number(answers)} ${mode} answers through the cache and ${number(state.atOrigin)} at the origin`
    if (wrong.count > 0) {
      const late = state.lateMsMax > 0 ? `, the latest ${duration(state.lateMsMax)} behind` : ''
      return fail(answers, `${wrong.counted} of ${seen} were wrong or not shared${late}.`, wrong.evidence, wrong.fingerprint!, figures)
    }
    const voids = [...state.voids.values()].reduce((sum, count) => sum + count, 0)
    if (voids > (answers + voids) * limits.voidShareMax) {
      return unknown(`${number(voids)} of ${number(answers + voids)} ${mode} answers say nothing.`, [...state.voids].map(([why, count]) => `${count} times ${why}`), answers)
    }
    return pass(answers, `${seen} were right; ${number(state.fromStore)} came from the store${sharedWords(state)}.`, figures)
  },
}

function sharedWords({ gathered: { groups, readers, requests }, withinLifetime }: State): string {
  const old = withinLifetime > 0 ? `, ${number(withinLifetime)} of them old within the lifetime that the origin gave` : ''
  return groups === 0 ? old : `${old}; ${plural(groups, 'group')} of ${number(readers)} readers made ${plural(requests, 'request')}`
}

function examine(state: State, episode: Episode): void {
  const model = modelOf(episode.writes, state.limits.expiryMs)
  const revalidations = new Set<number>()
  const ends = eventStreamEnds(episode, state.limits)
  for (const answer of episode.answers) {
    if (answer.mode !== state.limits.mode) continue
    const upstream = upstreamOf(episode, answer)
    // What else may be wrong with a 304 is the ETag's fault: see revalidation-is-right.
    if (answer.status === 304 && !(upstream && isOutdated(upstream, answer, model, state.limits.staleMs))) continue
    const revalidates = takeRevalidation(episode, answer, revalidations)
    const judgement = judgeAnswer(answer, model, upstream, state.limits, { revalidates, endKnownMs: ends.get(answer.upstream ?? -1) })
    count(state, answer, upstream, judgement)
    if (judgement.verdict === 'wrong') noteWrong(state, answer, model, upstream, judgement)
  }
  for (const gathering of gatheringsOf(episode, model, state.limits)) {
    state.gathered.groups += 1
    state.gathered.readers += gathering.readers
    state.gathered.requests += gathering.requests
    if (gathering.requests <= gathering.requestsMax) continue
    const { mode } = state.limits
    state.wrong.note(`stampede ${gathering.id}`, `edge-tells-the-truth/stampede/${mode}/none/edge`, () =>
      `${plural(gathering.readers, 'reader')} that asked together for ${gathering.target} made ${number(gathering.requests)} requests; ${number(gathering.requestsMax)} would do`,
    )
  }
}

/** Whether the cache went to revalidate because of this answer: each such request allows one old answer. */
function takeRevalidation(episode: Episode, answer: Answer & { atMs: number }, taken: Set<number>): boolean {
  for (const { number: id, target, askedAtMs } of episode.upstream.values()) {
    if (target !== answer.target || taken.has(id) || id === answer.upstream) continue
    if (askedAtMs < answer.invokedAtMs || askedAtMs > answer.atMs) continue
    taken.add(id)
    return true
  }
  return false
}

function count(state: State, answer: Answer, upstream: Upstream | undefined, judgement: Judgement): void {
  if (judgement.verdict === 'void') {
    state.voids.set(judgement.because, (state.voids.get(judgement.because) ?? 0) + 1)
    return
  }
  if (!passesEdge(answer.via)) {
    state.atOrigin += 1
    return
  }
  state.answers += 1
  if (upstream !== undefined && upstream.askedAtMs < answer.invokedAtMs) state.fromStore += 1
  if (judgement.verdict === 'within-its-lifetime') state.withinLifetime += 1
}

type Wrong = Extract<Judgement, { verdict: 'wrong' }>

function noteWrong(state: State, answer: Answer & { atMs: number }, model: StreamModel, upstream: Upstream | undefined, wrong: Wrong): void {
  state.lateMsMax = Math.max(state.lateMsMax, wrong.lateMs)
  const fingerprint = `edge-tells-the-truth/${wrong.invariant}/${answer.mode}/none/${wrong.hop}`
  state.wrong.note(String(answer.id), fingerprint, () => {
    return `${wrong.hop}, ${wrong.invariant.replaceAll('-', ' ')}: ${answerWords(answer, wrong)}${originWords(upstream, answer)}; ${describe(model, answer)}`
  })
}
