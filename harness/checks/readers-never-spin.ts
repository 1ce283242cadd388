/**
 * A live reader that follows offsets and cursors meets no stored answer twice, and asks no oftener than
 * there is something to tell it: an answer without news comes when the origin's patience ends, not at
 * once (PROTOCOL.md 10.1).
 */
import { limitsOf, type Check } from '../check.ts'
import type { Answer } from '../history.ts'
import { duration, number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { keepEpisodes, type Answered, type Episode, type Episodes } from './differential/episodes.ts'
import { Findings } from './findings.ts'

interface Limits {
  /** Requests a reader may make in a second, over its life. */
  perSecondMax: number
  /** An answer without news that comes sooner was not waited for. */
  patientMs: number
  /** So many of those in a row, one may share the end of another's wait, are a spin. */
  inARowMax: number
}

interface State {
  limits: Limits
  episodes: Episodes
  readers: number
  requests: number
  withCursor: number
  perSecondMax: number
  findings: Findings
}

export const readersNeverSpinCheck: Check<State, Partial<Limits>> = {
  id: 'readers-never-spin',
  title: 'No live reader loops on a stored answer, none spins',
  init: (limits) => ({
    limits: limitsOf({ perSecondMax: 5, patientMs: 250, inARowMax: 2 }, limits),
    episodes: new Map(),
    readers: 0,
    requests: 0,
    withCursor: 0,
    perSecondMax: 0,
    findings: new Findings(),
  }),
  step(state, event) {
    const episode = keepEpisodes(state.episodes, event)
    if (episode) examine(state, episode)
  },
  finish({ limits, readers, requests, withCursor, perSecondMax, findings }) {
    const figures = { value: Math.round(perSecondMax * 10) / 10, unit: 'requests a second', limit: limits.perSecondMax }
    if (findings.count > 0) return fail(requests, `${findings.counted} of ${plural(readers, 'live reader')} looped or spun, at up to ${number(figures.value)} requests a second.`, findings.evidence, findings.fingerprint!, figures)
    if (requests > 0 && withCursor === 0) return unknown(`None of ${number(requests)} live requests carried a cursor.`, [], requests)
    return pass(requests, `${plural(readers, 'live reader')} made ${number(requests)} requests, ${number(withCursor)} with a cursor, at most ${number(figures.value)} a second each; none met an answer twice.`, figures)
  },
}

function examine(state: State, episode: Episode): void {
  const live = episode.answers.filter(({ mode }) => mode === 'long-poll' || mode === 'sse')
  for (const [actor, answers] of Map.groupBy(live, (answer) => `${answer.actor} ${answer.via}`)) {
    state.readers += 1
    state.requests += answers.length
    state.withCursor += answers.filter(({ target }) => /[?&]cursor=/.test(target)).length
    judge(state, episode.stream, actor, answers.toSorted((a, b) => a.invokedAtMs - b.invokedAtMs))
  }
}

function judge(state: State, stream: string, actor: string, answers: Answered[]): void {
  const { limits, findings } = state
  const note = (invariant: string, answer: Answered, words: string) =>
    findings.note(`${stream} ${actor}`, `readers-never-spin/${invariant}/${answer.mode}/none/edge`, () => `${actor}: GET ${answer.target} ${words}`)
  const lifeSeconds = Math.max(1, (answers.at(-1)!.atMs - answers[0]!.invokedAtMs) / 1_000)
  const perSecond = answers.length / lifeSeconds
  state.perSecondMax = Math.max(state.perSecondMax, perSecond)
  const met = metTwice(answers)
  if (met) note('loop', met, `was answered from a response that this reader had been given before (number ${met.upstream})`)
  const hurried = inARow(answers, limits)
  if (hurried) note('spin', hurried, `brought nothing new after ${duration(hurried.atMs - hurried.invokedAtMs)}, more than ${limits.inARowMax} times in a row`)
  if (perSecond > limits.perSecondMax) note('rate', answers.at(-1)!, `was one of ${plural(answers.length, 'request')} in ${duration(lifeSeconds * 1_000)}`)
}

function metTwice(answers: Answered[]): Answered | undefined {
  const seen = new Set<number>()
  return answers.find(({ upstream }) => {
    if (upstream === null) return false
    if (seen.has(upstream)) return true
    seen.add(upstream)
    return false
  })
}

/** The answer with which too many in a row had brought nothing, at once. */
function inARow(answers: Answered[], { patientMs, inARowMax }: Limits): Answered | undefined {
  let count = 0
  return answers.find((answer) => {
    count = broughtNothing(answer) && answer.atMs - answer.invokedAtMs < patientMs ? count + 1 : 0
    return count > inARowMax
  })
}

function broughtNothing({ status, claims, fromOffset }: Answer): boolean {
  if (status !== 200 && status !== 204) return false
  return claims.every(({ records, closed, nextOffset }) => records.length === 0 && !closed && (nextOffset === null || nextOffset === fromOffset))
}
