/**
 * While the origin can be asked, nobody is told by the cache itself that it cannot. An answer 5xx is the
 * cache's own where it was made from no response of the origin's, and the origin had sent none such.
 */
import type { Check } from '../check.ts'
import type { Answer, HistoryEvent } from '../history.ts'
import { number } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { keepEpisodes, type Episode, type Episodes } from './differential/episodes.ts'
import { readModeWords } from './differential/answer-words.ts'
import { passesEdge } from './differential/stream-model.ts'
import { Findings } from './findings.ts'

interface State {
  episodes: Episodes
  /** While a hop is down, or something keeps requests from passing. */
  troubles: { of: string; fromMs: number; untilMs: number }[]
  examined: number
  /** Answers that could be traced to a response: where none can, nobody's error is known to be the cache's. */
  traced: number
  errors: Findings
}

/** What delays or marks answers keeps none from coming. */
const letsPass: readonly (string | undefined)[] = ['link-slow', 'answers-carry']

export const cacheMakesNoErrorsCheck: Check<State, object> = {
  id: 'cache-makes-no-errors',
  title: 'While the origin can be asked, the cache refuses nobody',
  hangsOnTime: true,
  init: () => ({ episodes: new Map(), troubles: [], examined: 0, traced: 0, errors: new Findings() }),
  step(state, event) {
    keepTroubles(state, event)
    const episode = keepEpisodes(state.episodes, event)
    if (episode) examine(state, episode)
  },
  finish({ examined, traced, errors }) {
    if (examined > 0 && traced === 0) return unknown(`None of ${number(examined)} answers through the cache could be traced to the origin's response.`)
    const figures = { value: errors.count, unit: 'errors', limit: 0 }
    if (errors.count > 0) return fail(examined, `${errors.counted} of ${number(examined)} answers through the cache were errors of its own, while the origin could be asked.`, errors.evidence, errors.fingerprint!, figures)
    return pass(examined, `None of ${number(examined)} answers through the cache was an error of its own.`, figures)
  },
}

function keepTroubles({ troubles }: State, event: HistoryEvent): void {
  const begins = (of: string) => troubles.push({ of, fromMs: event.atMs, untilMs: Infinity })
  const ends = (of: string) => {
    for (const trouble of troubles) if (trouble.of === of) trouble.untilMs = Math.min(trouble.untilMs, event.atMs)
  }
  if (event.kind === 'fault' && !letsPass.includes(event.what)) {
    if (event.phase === 'injected') begins(event.fault)
    else ends(event.fault)
  }
  if (event.kind !== 'lifecycle') return
  if (event.what === 'started') ends(event.hop)
  else if (event.what === 'stopping' || event.what === 'killed' || event.what === 'crashed') begins(event.hop)
}

function examine(state: State, episode: Episode): void {
  for (const answer of episode.answers) {
    if (!passesEdge(answer.via) || answer.status === null || state.troubles.some(({ fromMs, untilMs }) => answer.atMs >= fromMs && answer.invokedAtMs <= untilMs)) continue
    state.examined += 1
    if (answer.upstream !== null) state.traced += 1
    else if (answer.status >= 500 && !hadFailed(episode, answer)) note(state, answer)
  }
}

/** Whether the origin had answered so itself: some caches drop the number with the headers that they do not know. */
function hadFailed({ upstream }: Episode, { atMs }: Answer & { atMs: number }): boolean {
  return [...upstream.values()].some(({ status, headAtMs }) => status >= 500 && headAtMs <= atMs)
}

function note(state: State, answer: Answer): void {
  state.errors.note(String(answer.id), `cache-makes-no-errors/${answer.status}/${answer.mode}/none/edge`, () => `${answer.actor}, ${readModeWords[answer.mode]}: ${answer.mode === 'head' ? 'HEAD' : 'GET'} ${answer.target} was answered ${answer.status}`)
}
