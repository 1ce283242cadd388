/**
 * What is for one reader is given to one reader: a response that the origin marked no-store or private,
 * one that was asked for with credentials and is not marked public (RFC 9111, section 3.5), one that sets
 * a cookie, and one for `offset=now`, which is another place for everybody.
 */
import type { Check } from '../check.ts'
import type { Answer, Upstream } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { keepEpisodes, type Episode, type Episodes } from './differential/episodes.ts'
import { Findings } from './findings.ts'

const kinds = ['no-store', 'private', 'set-cookie', 'authorization', 'cookie', 'offset-now'] as const
type Kind = (typeof kinds)[number]

interface State {
  episodes: Episodes
  seen: Set<Kind>
  examined: number
  shared: Findings
}

/** No origin marks anything private, or sets cookies, of itself: those may be missing. */
const needed: readonly Kind[] = ['no-store', 'authorization', 'cookie', 'offset-now']

export const privateAnswersStayPrivateCheck: Check<State, object> = {
  id: 'private-answers-stay-private',
  title: 'What is for one reader is given to no other',
  init: () => ({ episodes: new Map(), seen: new Set(), examined: 0, shared: new Findings() }),
  step(state, event) {
    const episode = keepEpisodes(state.episodes, event)
    if (episode) examine(state, episode)
  },
  finish({ seen, examined, shared }) {
    const figures = { value: shared.count, unit: 'responses shared', limit: 0 }
    if (shared.count > 0) {
      return fail(examined, `${shared.counted} of ${number(examined)} responses that were for one reader were given to several.`, shared.evidence, shared.fingerprint!, figures)
    }
    const missing = needed.filter((kind) => !seen.has(kind))
    if (examined > 0 && missing.length > 0) return unknown(`No response was seen that was: ${missing.map((kind) => words[kind]).join('; ')}.`, [], examined)
    return pass(examined, `${number(examined)} responses that were for one reader were given to no other.`, figures)
  },
}

const words: Record<Kind, string> = {
  'no-store': 'marked no-store',
  private: 'marked private',
  'set-cookie': 'setting a cookie',
  authorization: 'asked for with Authorization',
  cookie: 'asked for with a cookie',
  'offset-now': 'asked for with offset=now',
}

function examine(state: State, episode: Episode): void {
  const readers = Map.groupBy(episode.answers.filter(({ upstream }) => upstream !== null), ({ upstream }) => upstream!)
  for (const [id, answers] of readers) {
    const upstream = episode.upstream.get(id)
    const kind = upstream ? kindOf(upstream) : null
    if (!upstream || kind === null) continue
    state.examined += 1
    state.seen.add(kind)
    if (answers.length > 1) note(state, kind, upstream, answers)
  }
}

function kindOf({ asked, headers, target }: Upstream): Kind | null {
  const cacheControl = headers['cache-control'] ?? ''
  const mayBeShared = /\b(public|s-maxage|must-revalidate)\b/i.test(cacheControl)
  if (asked.authorization && !mayBeShared) return 'authorization'
  if (asked.cookie && !mayBeShared) return 'cookie'
  if (/[?&]offset=now(&|$)/.test(target)) return 'offset-now'
  if (/\bno-store\b/i.test(cacheControl)) return 'no-store'
  if (/\bprivate\b/i.test(cacheControl)) return 'private'
  return headers['set-cookie'] === undefined ? null : 'set-cookie'
}

function note(state: State, kind: Kind, upstream: Upstream, answers: Answer[]): void {
  const [first, second] = answers.toSorted((a, b) => a.invokedAtMs - b.invokedAtMs)
  state.shared.note(`${upstream.stream} ${upstream.number}`, `private-answers-stay-private/${kind}/${first!.mode}/none/edge`, () =>
    `${upstream.method} ${upstream.target}, ${words[kind]}: one response was given to ${plural(answers.length, 'reader')}, first to ${who(first!)}, then to ${who(second!)}`,
  )
}

function who({ actor, credentials }: Answer): string {
  return credentials ? `${actor} with its ${credentials}` : `${actor} without credentials`
}
