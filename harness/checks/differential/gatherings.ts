/** Readers that asked for the same at the same time, and how many requests the origin got for them. */
import type { Answer, ReadMode, Upstream } from '../../history.ts'
import { saysGone } from './claims.ts'
import { upstreamOf, type Episode } from './episodes.ts'
import { passesEdge, type StreamModel } from './stream-model.ts'

export interface Gathering {
  id: string
  target: string
  readers: number
  /** Different responses of the origin that their answers were made from. */
  requests: number
  /**
   * One; one more for each full `staleMs` over which they came (to the cache, on a machine that is slow to bring
   * them there: between the first and the last time that it asked for them), for each write meanwhile, where the last
   * change was one that the cache has yet to find out, where it was told meanwhile that the path is gone
   * (then it begins anew), and for each event stream that had ended when the next was asked for: it may
   * not be served any more.
   */
  requestsMax: number
}

/** Which groups: those of one URL, or those that spell it with its parameters in different orders. */
type Spelling = 'one' | 'several'

/** A HEAD and `offset=now` tell the tail, which is nobody else's: they are not shared. */
const neverShared: ReadonlySet<ReadMode> = new Set(['head', 'now'])

export function gatheringsOf(episode: Episode, model: StreamModel, { mode, staleMs }: { mode: ReadMode; staleMs: number }, spelling: Spelling = 'one'): Gathering[] {
  if (neverShared.has(mode)) return []
  const groups = Map.groupBy(episode.answers.filter((answer) => answer.mode === mode && isOfAGroup(answer)), ({ together }) => together!)
  return [...groups].flatMap(([id, answers]) => {
    const whole = answers.length > 1 && answers.every((answer) => answer.status !== null && answer.status < 500 && mayBeShared(answer, episode))
    const spellings = new Set(answers.map(({ target }) => target)).size
    if (!whole || (spelling === 'one') !== (spellings === 1)) return []
    const firstMs = Math.min(...answers.map(({ invokedAtMs }) => invokedAtMs))
    // The last change before they asked is one that the cache has yet to find out.
    const isUnseen = !model.versions.findLast(({ earliestMs }) => earliestMs <= firstMs)!.throughEdge
    if (isUnseen && isBelievedPrivate(answers, episode.upstream, firstMs, staleMs)) return []
    return [gatheringOf({ id, answers, firstMs, isUnseen }, episode.upstream, model, staleMs)]
  })
}

function isOfAGroup({ together, via, credentials, ifNoneMatch }: Answer): boolean {
  return together !== undefined && passesEdge(via) && credentials === undefined && ifNoneMatch === undefined
}

function mayBeShared(answer: Answer, episode: Episode): boolean {
  const response = upstreamOf(episode, answer)
  return response !== undefined && !isPrivate(response) && !isAskedAsSomebody(response)
}

/** What somebody was answered who said who he is, is for nobody else (RFC 9111, section 3.5). */
function isAskedAsSomebody({ asked }: Upstream): boolean {
  return asked.authorization || asked.cookie
}

function isPrivate({ headers }: Upstream): boolean {
  return headers['set-cookie'] !== undefined || /\b(private|no-store)\b/i.test(headers['cache-control'] ?? '')
}

/**
 * A cache that was told that a URL is for one reader alone lets readers through side by side, as they would
 * otherwise wait for each other in vain; that it may be shared since a change that went past the cache, it
 * has `staleMs` to find out, as with anything else that such a change made untrue.
 */
function isBelievedPrivate(answers: readonly Answer[], passed: Map<number, Upstream>, firstMs: number, staleMs: number): boolean {
  const targets = new Set(answers.map(({ target }) => inOneOrder(target)))
  const before = [...passed.values()].filter((response) => response.method === 'GET' && !isAskedAsSomebody(response) && response.headAtMs < firstMs && targets.has(inOneOrder(response.target)))
  const last = before.toSorted((a, b) => a.headAtMs - b.headAtMs).at(-1)
  return last !== undefined && isPrivate(last) && last.headAtMs + staleMs >= firstMs
}

function inOneOrder(target: string): string {
  const [path, query = ''] = target.split('?')
  return `${path}?${query.split('&').toSorted().join('&')}`
}

interface Group {
  id: string
  answers: (Answer & { atMs: number })[]
  firstMs: number
  isUnseen: boolean
}

function gatheringOf({ id, answers, firstMs, isUnseen }: Group, upstream: Map<number, Upstream>, model: StreamModel, staleMs: number): Gathering {
  const lastMs = Math.max(...answers.map(({ invokedAtMs }) => invokedAtMs))
  const endMs = Math.max(...answers.map(({ atMs }) => atMs))
  const numbers = new Set(answers.map((answer) => answer.upstream!))
  const writes = model.versions.filter(({ earliestMs, latestMs }) => latestMs >= firstMs && earliestMs <= endMs).length
  const unseen = isUnseen ? 1 : 0
  const gone = [...upstream.values()].some(({ method, status, headAtMs }) => method === 'HEAD' && saysGone(status) && headAtMs >= firstMs && headAtMs <= endMs) ? 1 : 0
  const shared = [...numbers].flatMap((number) => upstream.get(number) ?? [])
  const asked = shared.map(({ askedAtMs }) => askedAtMs)
  const lastAskedMs = Math.max(...asked)
  const cameOverMs = Math.max(lastMs - firstMs, lastAskedMs - Math.min(...asked))
  const ended = answers[0]!.mode === 'sse' ? shared.filter(({ endedAtMs }) => endedAtMs !== null && endedAtMs < lastAskedMs).length : 0
  return {
    id,
    target: answers[0]!.target,
    readers: answers.length,
    requests: numbers.size,
    requestsMax: 1 + Math.floor(cameOverMs / staleMs) + writes + unseen + gone + ended,
  }
}
