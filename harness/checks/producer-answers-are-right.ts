/**
 * Each answer to an idempotent producer is one the protocol allows: a new append 200, a repeated one
 * 204, a stale epoch 403, a gap 409, with the headers by which the writer goes on.
 */
import type { Check } from '../check.ts'
import type { Exchange, HistoryEvent, Invoke, Outcome } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { Findings } from './findings.ts'
import { ProducerModel, wordsOf, type ProducerAnswer } from './producer-model.ts'
import { keepLedger, newLedger, since, type Ledger } from './stream-ledger.ts'

interface State {
  ledger: Ledger
  startMs: number | null
  /** By stream and producer. */
  producers: Map<string, ProducerModel>
  answers: number
  byStatus: Map<number, number>
  unanswered: number
  wrong: Findings
}

export const producerAnswersAreRightCheck: Check<State, object> = {
  id: 'producer-answers-are-right',
  title: 'Idempotent producers are answered as the protocol says',
  init: () => ({ ledger: newLedger(), startMs: null, producers: new Map(), answers: 0, byStatus: new Map(), unanswered: 0, wrong: new Findings() }),
  step(state, event) {
    state.startMs ??= event.atMs
    const gone = keepLedger(state.ledger, event)
    if (gone) for (const key of state.producers.keys()) if (key.startsWith(`${gone.name}/`)) state.producers.delete(key)
    if (event.kind === 'lifecycle' && event.hop === 'origin' && ['stopped', 'killed', 'crashed'].includes(event.what)) {
      for (const model of state.producers.values()) model.serverEnded()
    }
    if (event.kind === 'exchange' && event.label.startsWith(malformed)) examineRefusal(state, event)
    if (!('op' in event) || !event.append?.producer) return
    if (event.kind === 'invoke') modelOf(state, event).invoke(event.id, requestOf(event))
    else settle(state, event)
  },
  finish(state) {
    const { count, counted, evidence, fingerprint } = state.wrong
    const figures = { value: count, unit: 'answers', limit: 0 }
    if (count > 0) return fail(state.answers, `${counted} of ${number(state.answers)} answers to producers were not what the protocol says.`, evidence, fingerprint!, figures)
    const lost = [...state.producers].filter(([, model]) => model.givenUp)
    if (lost.length > 0) {
      const lines = lost.slice(0, 5).map(([name, model]) => `${name}: ${model.givenUp}`)
      return unknown(`${plural(lost.length, 'producer')} could not be followed to the end.`, lines, state.answers)
    }
    return pass(state.answers, `All ${plural(state.answers, 'answer')} to ${plural(state.producers.size, 'producer')} were right (${byStatus(state)}); ${plural(state.unanswered, 'append')} had none.`, figures)
  },
}

const malformed = 'malformed-producer/'

/** Producer headers that are not whole, or no numbers, are refused before anything is stored. */
function examineRefusal(state: State, { label, status, via, error }: Exchange): void {
  if (status === null) return
  const what = label.slice(malformed.length)
  state.answers += 1
  state.byStatus.set(status, (state.byStatus.get(status) ?? 0) + 1)
  if (status === 400) return
  state.wrong.note(label, `producer-answers-are-right/malformed-${what}-answered-${status}/any/none/${via}`, () => `producer headers with ${what.replaceAll('-', ' ')} were answered ${status ?? error}, right: 400`)
}

function byStatus({ byStatus }: State): string {
  return [...byStatus].toSorted(([a], [b]) => a - b).map(([status, n]) => `${number(n)} x ${status}`).join(', ')
}

function modelOf(state: State, event: Invoke | Outcome): ProducerModel {
  const key = `${event.stream}/${event.incarnation} ${event.append!.producer!.id}`
  let model = state.producers.get(key)
  if (!model) state.producers.set(key, (model = new ProducerModel()))
  return model
}

function requestOf(event: Invoke) {
  const { epoch, seq } = event.append!.producer!
  return { epoch, seq, closes: event.append!.closes === true }
}

function settle(state: State, event: Outcome & HistoryEvent): void {
  const model = modelOf(state, event)
  if (event.status === undefined && event.kind === 'fail') return model.neverHappened(event.id)
  // A 5xx is an answer of whoever stands in front, or of a server in trouble: it promises nothing.
  if (event.status === undefined || event.kind === 'info') {
    state.unanswered += 1
    return model.unanswered(event.id)
  }
  const given = answerOf(event)
  const right = model.answered(event.id, given)
  state.answers += 1
  state.byStatus.set(given.status, (state.byStatus.get(given.status) ?? 0) + 1)
  if (right.length > 0) note(state, event, given, right)
}

function answerOf({ status, headers = {} }: Outcome): ProducerAnswer {
  const value = (name: string) => (headers[name] === undefined ? null : Number(headers[name]))
  return {
    status: status!,
    epoch: value('producer-epoch'),
    seq: value('producer-seq'),
    expectedSeq: value('producer-expected-seq'),
    receivedSeq: value('producer-received-seq'),
    closed: headers['stream-closed'] === 'true',
  }
}

/** What was mistaken for what, for the fingerprint: '403-answered-200', or 'headers' where only these are wrong. */
function mistakeOf(given: ProducerAnswer, right: string[]): string {
  const status = right[0]!.slice(0, 3)
  return right.some((words) => words.startsWith(String(given.status))) ? `headers-of-${given.status}` : `${status}-answered-${given.status}`
}

function note(state: State, event: Outcome & HistoryEvent, given: ProducerAnswer, right: string[]): void {
  const { ledger, startMs } = state
  const kind = ledger.streams.get(event.stream)?.kind ?? 'unknown'
  const { id, epoch, seq } = event.append!.producer!
  const fingerprint = `producer-answers-are-right/${mistakeOf(given, right)}/${kind}/${ledger.lastFault}/${event.via}`
  state.wrong.note(`${event.stream} ${id} ${event.id}`, fingerprint, () => {
    const sent = `epoch ${epoch}, sequence ${seq}${event.append!.retry ? ' again' : ''}${event.append!.closes ? ', closing' : ''}`
    return (
      `${event.stream} (${kind}), ${id}: ${sent} was answered ${wordsOf(given)}, right: ${right.join(' or ')}, ` +
      `at ${since(startMs ?? 0, event.atMs)} through ${event.via}, after ${ledger.lastFault}`
    )
  })
}
