/**
 * Whatever an operator does, clients get right answers. While a hop is down they may get none, or
 * 502, 503 and 504; a certificate or configuration that is exchanged may end connections. Everything
 * else is wrong at any time: 404 or 401 for a stream that lives, an answer without what the protocol
 * promises with it, a connection that is cut while nothing goes on.
 */
import { limitsOf, type Check } from '../check.ts'
import type { Follow, Outcome, Via } from '../history.ts'
import { number } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { isExcepted, type Excepting } from './excepted.ts'
import { Findings } from './findings.ts'
import { goingOn, keepRoutine, passes, type Routine } from './routine-times.ts'
import { keepLedger, newLedger, since, type Ledger } from './stream-ledger.ts'
import { Traits } from './traits.ts'

interface Limits extends Excepting {
  /** For so long after a hop is ready again, others may still not have noticed. */
  settleMs: number
  /** For so long after a routine that replaces listeners, connections may end: the grace period. */
  drainMs: number
}

/** An answer, or none, that is right only while a routine goes on. */
interface Trouble {
  atMs: number
  invokedAtMs: number
  via: Via
  isCut: boolean
  key: string
  traits: Record<Trait, string>
  line: string
}

type Trait = 'kind' | 'mode' | 'routine' | 'via'

interface State {
  limits: Limits
  startMs: number | null
  ledger: Ledger
  routines: Routine[]
  answers: number
  wrong: Findings
  traits: Traits<Trait>
  /** Judged at the end: a stop is told when it is over. */
  troubles: Trouble[]
  untold: number
}

const troublesMax = 50_000
/** Routines that put new listeners in the place of old ones. */
const replacing = ['reload', 'certificate-replacement']

export const noAnswerIsWrongCheck: Check<State, Partial<Limits>> = {
  id: 'no-answer-is-wrong',
  title: 'No client gets a wrong answer, whatever the operator does',
  hangsOnTime: true,
  init: (limits) => ({
    limits: limitsOf({ settleMs: 1_500, drainMs: 15_000, except: '' }, limits),
    startMs: null,
    ledger: newLedger(),
    routines: [],
    answers: 0,
    wrong: new Findings(),
    traits: new Traits(),
    troubles: [],
    untold: 0,
  }),
  step(state, event) {
    state.startMs ??= event.atMs
    keepRoutine(state.routines, event)
    if (event.kind === 'ok' || event.kind === 'fail' || event.kind === 'info') examineOutcome(state, event)
    if (event.kind === 'follow') examineReader(state, event)
    keepLedger(state.ledger, event)
  },
  finish(state) {
    const { answers, wrong, troubles, routines, limits, untold, traits } = state
    // What is wrong at any time names the failure: an answer that is missing beside it may be of the same cause.
    const isNamed = wrong.count > 0
    for (const trouble of troubles.filter((one) => !isAllowed(one, routines, limits))) {
      if (isNamed) wrong.note(trouble.key, null, () => trouble.line)
      else note(state, trouble)
    }
    const figures = { value: wrong.count, unit: 'answers', limit: 0 }
    if (wrong.count > 0) {
      return fail(answers, `${wrong.counted} of ${number(answers)} answers were wrong, or missing while every hop was up.`, wrong.evidence, `no-answer-is-wrong/${traits.of('kind')}/${traits.of('mode')}/${traits.of('routine')}/${traits.of('via')}`, figures)
    }
    const allowed = troubles.length + untold
    const meanwhile = allowed === 0 ? '' : `; ${number(allowed)} requests failed while a hop was down or exchanged, as they may`
    return pass(answers, `${number(answers)} answers were right${meanwhile}.`, figures)
  },
}

function examineOutcome(state: State, event: Outcome & { atMs: number }): void {
  if (isExcepted(state.limits, event.stream) || !isExpectedToBeThere(state.ledger, event)) return
  state.answers += 1
  if (event.kind === 'ok') return
  const on = { who: `${event.op} by ${event.actor}`, mode: event.op, via: event.via, stream: event.stream, atMs: event.atMs }
  judge(state, { ...on, id: String(event.id), invokedAtMs: event.invokedAtMs, status: event.status, error: event.error })
}

function examineReader(state: State, event: Follow & { atMs: number }): void {
  if (event.what === 'received' || event.what === 'attached') state.answers += 1
  if (event.what !== 'cut' && event.what !== 'refused') return
  state.answers += 1
  const on = { who: `${event.mode} reader`, mode: event.mode, via: event.via, stream: event.stream, atMs: event.atMs }
  const id = `${event.reader} ${event.what} ${event.status ?? ''} ${event.lacks?.join() ?? ''}`
  // Of a cut reader it is not known when it asked: it counts as of the cut.
  judge(state, { ...on, id, invokedAtMs: event.atMs, status: event.status, error: event.error, lacks: event.lacks })
}

/** A stream that is there, or the creation of one. */
function isExpectedToBeThere(ledger: Ledger, event: Outcome): boolean {
  if (event.op === 'create') return true
  const entry = ledger.streams.get(event.stream)
  if (!entry || entry.incarnation !== event.incarnation || entry.uncertain || entry.deletedAtMs !== null) return false
  return entry.ttlSeconds === null && entry.expiresAt === null && (entry.closedAtMs === null || event.op === 'read' || event.op === 'head')
}

interface Bad {
  id: string
  who: string
  mode: string
  via: Via
  stream: string
  atMs: number
  invokedAtMs: number
  status?: number | undefined
  error?: string | undefined
  lacks?: string[] | undefined
}

function judge(state: State, bad: Bad): void {
  const what = bad.lacks ? `was answered ${bad.status} without ${bad.lacks.join(' and ')}` : bad.status === undefined ? `got no whole answer (${bad.error})` : `was answered ${bad.status}`
  const line = `${bad.who} by way of ${bad.via} on ${bad.stream} ${what}, at ${since(state.startMs ?? 0, bad.atMs)}`
  const kind = bad.lacks ? `lacks-${bad.lacks[0]}` : String(bad.status ?? 'unanswered')
  const trouble = { key: bad.id, traits: { kind, mode: bad.mode, routine: goingOn(state.routines, bad.via), via: bad.via }, line }
  const mayPass = bad.lacks === undefined && (bad.status === undefined || [502, 503, 504].includes(bad.status))
  if (!mayPass) note(state, trouble)
  else if (state.troubles.length < troublesMax) state.troubles.push({ ...trouble, atMs: bad.atMs, invokedAtMs: bad.invokedAtMs, via: bad.via, isCut: bad.status === undefined })
  else state.untold += 1
}

function note({ wrong, traits }: State, trouble: Pick<Trouble, 'key' | 'traits' | 'line'>): void {
  traits.note(trouble.traits)
  wrong.note(trouble.key, null, () => trouble.line)
}

function isAllowed(trouble: Trouble, routines: readonly Routine[], { settleMs, drainMs }: Limits): boolean {
  return routines.some(({ what, hop, fromMs, toMs, isDown }) => {
    if (!passes(trouble.via, hop)) return false
    const afterMs = isDown ? settleMs : replacing.includes(what) && trouble.isCut ? drainMs : -1
    if (afterMs < 0 || trouble.atMs < fromMs) return false
    return toMs === null || trouble.invokedAtMs <= toMs + afterMs
  })
}
