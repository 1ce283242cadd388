/**
 * What the origin said of an answer reaches the client: the headers that clients of the protocol read
 * are on each answer of the cache as they were on the very response that it was made from.
 */
import type { Check } from '../check.ts'
import { headersOfAnAnswer, type Answer, type Upstream } from '../history.ts'
import { number } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { keepEpisodes, upstreamOf, type Episode, type Episodes } from './differential/episodes.ts'
import { passesEdge } from './differential/stream-model.ts'
import { Findings } from './findings.ts'

interface State {
  episodes: Episodes
  examined: number
  /** Answers that could not be traced to a response. */
  untraced: number
  /** How often each header was there to be compared. */
  seen: Map<string, number>
  different: Findings
}

/** Without these on some answer, nothing is known of what the row is about. */
const needed = ['cache-control', 'etag', 'stream-cursor'] as const

export const headersReachTheClientCheck: Check<State, object> = {
  id: 'headers-reach-the-client',
  title: 'Headers reach the client as the origin sent them',
  init: () => ({ episodes: new Map(), examined: 0, untraced: 0, seen: new Map(), different: new Findings() }),
  step(state, event) {
    const episode = keepEpisodes(state.episodes, event)
    if (episode) examine(state, episode)
  },
  finish({ examined, untraced, seen, different }) {
    const figures = { value: different.count, unit: 'differences', limit: 0 }
    if (different.count > 0) {
      return fail(examined, `${different.counted} headers of ${number(examined)} answers through the cache are not as the origin sent them.`, different.evidence, different.fingerprint!, figures)
    }
    if (examined === 0 && untraced > 0) return unknown(`None of ${number(untraced)} answers through the cache could be traced to the origin's response: their number was lost on the way.`)
    const missing = needed.filter((name) => !seen.has(name))
    if (missing.length > 0) return unknown(`The origin sent no ${missing.join(', no ')} on ${number(examined)} answers.`, [], examined)
    const counts = needed.map((name) => `${spelled(name)} on ${number(seen.get(name)!)}`)
    return pass(examined, `${number(examined)} answers through the cache carry the origin's headers: ${counts.join(', ')}.`, figures)
  },
}

function examine(state: State, episode: Episode): void {
  for (const answer of episode.answers) {
    if (!passesEdge(answer.via) || answer.status === null || answer.status >= 500) continue
    const upstream = upstreamOf(episode, answer)
    if (!upstream) {
      state.untraced += 1
      continue
    }
    state.examined += 1
    for (const name of headersOfAnAnswer) compare(state, answer, upstream, name)
  }
}

/** A 304 that the cache made of a full response need not say what the body is (RFC 9110, section 15.4.5). */
const aboutTheBody: ReadonlySet<string> = new Set(['content-type', 'stream-sse-data-encoding', 'vary'])

function compare(state: State, answer: Answer, upstream: Upstream, name: string): void {
  const [sent, received] = [upstream.headers[name], answer.headers[name]]
  if (sent !== undefined) state.seen.set(name, (state.seen.get(name) ?? 0) + 1)
  if (sent === received) return
  if (answer.status === 304 && upstream.status !== 304 && received === undefined && aboutTheBody.has(name)) return
  // A cache may vary on more.
  if (name === 'vary' && received !== undefined) return
  const what = received === undefined ? 'lost' : sent === undefined ? 'added' : 'changed'
  state.different.note(`${answer.id} ${name}`, `headers-reach-the-client/${what}-${name}/${answer.mode}/none/edge`, () =>
    `${spelled(name)} ${what}: ${answer.mode === 'head' ? 'HEAD' : 'GET'} ${answer.target} was answered ${answer.status} with ${received ?? 'none'}, the origin had sent ${sent ?? 'none'}`,
  )
}

/** 'stream-next-offset' as it is written: Stream-Next-Offset. */
function spelled(name: string): string {
  return name === 'etag' ? 'ETag' : name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
}
