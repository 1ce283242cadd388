/**
 * Of a copied data_dir every stream is served, with all that its metadata says was acknowledged: no more
 * than its file holds, no less than was committed. What its files lack already is told apart from what
 * the server that opened them lost.
 */
import type { Check } from '../check.ts'
import type { CopiedStream } from '../history.ts'
import { bytes, number, plural } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { Findings } from './findings.ts'

interface State {
  findings: Findings
  reads: number
  streams: Set<string>
  expired: Set<string>
  /** Streams whose last message was never written to its end, and never acknowledged. */
  torn: Set<string>
}

const id = 'copied-streams-are-whole'

export const copiedStreamsAreWholeCheck: Check<State, object> = {
  id,
  title: 'Every stream of the copied data_dir is served, whole',
  init: () => ({ findings: new Findings(), reads: 0, streams: new Set(), expired: new Set(), torn: new Set() }),
  step(state, event) {
    if (event.kind !== 'copied-stream') return
    state.reads += 1
    state.streams.add(event.stream)
    if ((event.stored?.tornBytes ?? 0) > 0) state.torn.add(event.stream)
    if (event.mayHaveExpired && event.served?.status === 404) {
      state.expired.add(event.stream)
      return
    }
    const wrong = damageOf(event) ?? lossOf(event)
    if (wrong) state.findings.note(event.stream, `${id}/${wrong.invariant}/any/copy/origin`, () => `${event.stream}: ${wrong.what}`)
  },
  finish({ findings, reads, streams, expired, torn }) {
    const more = [
      ...(expired.size > 0 ? [`${plural(expired.size, 'stream')} may have expired and ${expired.size === 1 ? 'is' : 'are'} gone`] : []),
      ...(torn.size > 0 ? [`${plural(torn.size, 'stream')} ended in a message that had not been written to its end, nor acknowledged`] : []),
    ]
    const also = more.length === 0 ? '' : `; ${more.join('; ')}`
    if (findings.fingerprint !== null) {
      const because = `${findings.counted} of ${plural(streams.size, 'copied stream')} ${findings.count === 1 ? 'is' : 'are'} not whole${also}.`
      return fail(reads, because, findings.evidence, findings.fingerprint, { value: findings.count, unit: 'streams', limit: 0 })
    }
    return pass(reads, `${plural(streams.size, 'copied stream')} ${streams.size === 1 ? 'was' : 'were'} served with all that was acknowledged${also}.`)
  },
}

interface Wrong {
  invariant: string
  what: string
}

/** What the copy lacked before any server opened it. */
function damageOf({ stored }: CopiedStream): Wrong | null {
  if (stored === null) return { invariant: 'file-is-gone', what: 'its metadata is there, its data file is not' }
  if (stored.damage !== null) return { invariant: 'file-is-damaged', what: `its data file holds ${stored.damage}` }
  const missing = stored.committedBytes - stored.wholeBytes
  if (missing > 0) return { invariant: 'file-is-short', what: `the last ${bytes(missing)} that were acknowledged are not in its data file` }
  return null
}

/** What the server made of a copy that lacked nothing. */
function lossOf({ served, stored, json, closed, forked, error }: CopiedStream): Wrong | null {
  if (served === undefined) return null
  if (served === null) return { invariant: 'no-answer', what: `no answer: ${error ?? 'for no known reason'}` }
  if (served.status !== 200) return { invariant: 'not-served', what: `answered ${served.status}, though ${bytes(stored!.committed.payloadBytes)} of it are on disk` }
  const [amount, least, most, unit] = json
    ? [served.messages ?? 0, stored!.committed.messages, stored!.whole.messages, 'messages']
    : [served.bytes, stored!.committed.payloadBytes, stored!.whole.payloadBytes, 'bytes']
  if (amount < least) return { invariant: 'served-less', what: `served ${number(amount)} of ${number(least)} acknowledged ${unit}` }
  if (amount > most && !forked) return { invariant: 'served-more', what: `served ${number(amount)} ${unit}, its file holds ${number(most)}` }
  if (!served.upToDate && !served.closed) return { invariant: 'no-tail', what: `its end was never reached after ${number(amount)} ${unit}` }
  if (closed && !served.closed) return { invariant: 'open-again', what: 'was closed, and is open again' }
  return null
}
