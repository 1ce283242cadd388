/**
 * Once faults have healed, every stream can be read to its tail by every way: what is on disk and
 * cannot be read is as good as lost. A reader that gets an error comes back; only its last try counts.
 */
import { limitsOf, type Check } from '../check.ts'
import type { Outcome, Via } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { evidenceMax, fail, pass, unknown } from '../verdict.ts'
import { isExcepted, type Excepting } from './excepted.ts'
import { since } from './stream-ledger.ts'

interface LastRead {
  stream: string
  via: Via
  streamKind: string
  status: number | null
  failed: boolean
  atMs: number
}

interface State {
  limits: Excepting
  startMs: number | null
  kinds: Map<string, string>
  last: Map<string, LastRead>
  lastFault: string
}

export const everyStreamCanBeReadCheck: Check<State, Partial<Excepting>> = {
  id: 'every-stream-can-be-read',
  title: 'Every stream can be read to its tail once faults have healed',
  init: (limits) => ({ limits: limitsOf({ except: '' }, limits), startMs: null, kinds: new Map(), last: new Map(), lastFault: 'none' }),
  step(state, event) {
    state.startMs ??= event.atMs
    if (event.kind === 'fault' && event.phase === 'injected') state.lastFault = event.what ?? event.fault
    if (event.kind !== 'ok' && event.kind !== 'fail' && event.kind !== 'info') return
    if (event.op === 'create' && event.create) state.kinds.set(event.stream, event.create.streamKind)
    if (event.op === 'delete' && event.kind === 'ok') forget(state, event.stream)
    if (event.op === 'read' && event.mode === 'catch-up' && !isExcepted(state.limits, event.stream)) keepRead(state, event)
  },
  finish({ startMs, last, lastFault }) {
    const reads = [...last.values()]
    const streams = new Set(reads.map(({ stream }) => stream)).size
    const refused = reads.filter(({ status }) => status !== null && status >= 500)
    const silent = reads.filter(({ failed, status }) => failed && status === null)
    const line = ({ stream, via, status, atMs }: LastRead) => `${stream} through ${via}: ${status ?? 'no answer'} at ${since(startMs ?? 0, atMs)}`
    if (refused.length > 0) {
      const kinds = new Set(refused.map(({ streamKind }) => streamKind))
      const streamKind = kinds.size === 1 ? [...kinds][0] : 'any'
      // What the origin itself does not give, no way through it can.
      const { via } = refused.find((one) => one.via === 'origin') ?? refused[0]!
      const unreadable = new Set(refused.map(({ stream }) => stream)).size
      return fail(reads.length, `${number(unreadable)} of ${plural(streams, 'stream')} could not be read any more, however often it was tried: they are answered with an error of the server.`, refused.slice(0, evidenceMax).map(line), `every-stream-can-be-read/unreadable/${streamKind}/${lastFault}/${via}`, { value: unreadable, unit: 'streams', limit: 0 })
    }
    if (silent.length > 0) return unknown(`${plural(silent.length, 'stream')} gave no answer when last read.`, silent.slice(0, evidenceMax).map(line), reads.length - silent.length)
    return pass(reads.length, `${plural(streams, 'stream')} could be read to the tail in ${plural(reads.length, 'way')}.`, { value: 0, unit: 'streams', limit: 0 })
  },
}

function forget(state: State, stream: string): void {
  state.kinds.delete(stream)
  for (const [key, read] of state.last) if (read.stream === stream) state.last.delete(key)
}

function keepRead(state: State, { stream, via, status, kind, atMs }: Outcome & { atMs: number }): void {
  const streamKind = state.kinds.get(stream) ?? 'any'
  state.last.set(`${via} ${stream}`, { stream, via, streamKind, status: status ?? null, failed: kind === 'info', atMs })
}
