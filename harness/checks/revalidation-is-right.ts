/**
 * A reader that asks with an ETag and is answered 304 keeps what it had: that must be what it would be
 * answered in full. So a 304 is judged as the answer that it stands for; it is wrong where the stream was
 * closed, deleted or made anew meanwhile and the ETag does not tell (RFC 9110, section 8.8.1).
 */
import { limitsOf, type Check } from '../check.ts'
import type { Answer, Upstream } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { answerWords, describe, originWords } from './differential/answer-words.ts'
import { keepEpisodes, upstreamOf, type Episode, type Episodes } from './differential/episodes.ts'
import { isOutdated, judgeAnswer, type Bounds } from './differential/judge-answer.ts'
import { modelOf, passesEdge, type StreamModel } from './differential/stream-model.ts'
import { Findings } from './findings.ts'

interface Limits extends Bounds {
  expiryMs: number
}

interface State {
  limits: Limits
  episodes: Episodes
  asked: number
  notModified: number
  /** Asked when the stream was no longer what the reader had been told. */
  afterChange: number
  wrong: Findings
}

export const revalidationIsRightCheck: Check<State, Partial<Limits>> = {
  id: 'revalidation-is-right',
  title: 'A 304 stands for what a full answer would say',
  init: (limits) => ({
    limits: limitsOf({ staleMs: 1_000, deliveryMs: 2_000, expiryMs: 1_000 }, limits),
    episodes: new Map(),
    asked: 0,
    notModified: 0,
    afterChange: 0,
    wrong: new Findings(),
  }),
  step(state, event) {
    const episode = keepEpisodes(state.episodes, event)
    if (episode) examine(state, episode)
  },
  finish({ asked, notModified, afterChange, wrong }) {
    const figures = { value: wrong.count, unit: 'wrong 304 answers', limit: 0 }
    if (wrong.count > 0) {
      return fail(asked, `${wrong.counted} of ${number(notModified)} answers 304 stand for something that was not so any more.`, wrong.evidence, wrong.fingerprint!, figures)
    }
    if (asked > 0 && afterChange === 0) return unknown(`${plural(asked, 'request')} with an ETag came while nothing had changed.`, [], asked)
    return pass(asked, `${number(asked)} requests with an ETag, ${number(afterChange)} of them after the stream had changed: ${number(notModified)} were answered 304, all rightly.`, figures)
  },
}

function examine(state: State, episode: Episode): void {
  const model = modelOf(episode.writes, state.limits.expiryMs)
  for (const answer of episode.answers) {
    if (answer.ifNoneMatch === undefined || answer.status === null) continue
    state.asked += 1
    if (answer.status !== 304) {
      // Told in full, because it was not so any more, or for no need.
      state.afterChange += 1
      continue
    }
    state.notModified += 1
    judge304(state, episode, answer, model)
  }
}

function judge304(state: State, episode: Episode, answer: Answer & { atMs: number }, model: StreamModel): void {
  const upstream = upstreamOf(episode, answer)
  // One that is wrong by its age is a stale answer like others: see edge-tells-the-truth.
  if (upstream && isOutdated(upstream, answer, model, state.limits.staleMs)) return
  const judgement = judgeAnswer(answer, model, upstream, state.limits)
  if (judgement.verdict !== 'wrong') return
  const hop = saidSoItself(answer, upstream) ? 'origin' : 'edge'
  // After which change and in which mode it is seen first, hangs on the seed; it is one failure all the same.
  state.wrong.note(String(answer.id), `revalidation-is-right/changed-and-not-modified/any/none/${hop}`, () => {
    return `${hop}, ${judgement.invariant.replaceAll('-', ' ')}: If-None-Match ${answer.ifNoneMatch}, ${answerWords(answer, judgement)}${originWords(upstream, answer)}; ${describe(model, answer)}`
  })
}

/** Whether the origin answered 304, or gave what had changed the ETag that it had before. */
function saidSoItself({ via, ifNoneMatch }: Answer, upstream: Upstream | undefined): boolean {
  if (!passesEdge(via)) return true
  const opaque = (etag: string | undefined) => etag?.replace(/^W\//, '')
  return upstream !== undefined && (upstream.status === 304 || opaque(upstream.headers.etag) === opaque(ifNoneMatch))
}
