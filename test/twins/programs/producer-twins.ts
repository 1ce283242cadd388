/** How the planted origin mistreats the appends of idempotent producers; each on the streams of one case. */
import type { IncomingHttpHeaders } from 'node:http'

export interface Treatment {
  /** Stored as an append of nobody, before the request is passed on: as if the server did not know it. */
  storeFirst: boolean
  /** Instead of passing it on, store it so and answer 200. */
  storeInstead: boolean
}

const untouched: Treatment = { storeFirst: false, storeInstead: false }

/** What is done to one append; `isFirstSinceStart` of its stream, `restarted` when the server has run before. */
export function treatmentOf(
  twin: string,
  url: string,
  headers: IncomingHttpHeaders,
  known: { isFirstSinceStart: boolean; restarted: boolean },
): Treatment {
  const [epoch, seq] = [Number(headers['producer-epoch']), Number(headers['producer-seq'])]
  if (twin === 'accepts-a-stale-epoch') {
    return { ...untouched, storeInstead: /producer-zombie-/.test(url) && epoch === 0 && seq === 2 }
  }
  if (twin === 'accepts-a-gap') return { ...untouched, storeInstead: /producer-gap-/.test(url) && seq === 9 && !known.restarted && once(url) }
  if (twin === 'forgets-producers-at-restart') {
    return { ...untouched, storeInstead: known.restarted && known.isFirstSinceStart && /producer-in-order-/.test(url) }
  }
  if (twin === 'stores-duplicates') {
    return { ...untouched, storeFirst: known.isFirstSinceStart && known.restarted && /producer-pipelined-/.test(url) }
  }
  return untouched
}

const met = new Set<string>()

function once(url: string): boolean {
  const isNew = !met.has(url)
  met.add(url)
  return isNew
}

/** The request of nobody that such an append becomes. */
export function withoutProducer(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { 'producer-id': _id, 'producer-epoch': _epoch, 'producer-seq': _seq, ...plain } = headers
  return plain
}
