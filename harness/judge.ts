/**
 * Feeds a scenario's events to its checks and collects what the report shows of it. Pure: the same
 * events give the same answer, live or from the file.
 */
import type { AnyCheck, MeasurementParts } from './check.ts'
import type { Assertions, CheckSpec } from './check-spec.ts'
import { checkById } from './checks.ts'
import { rowById, type RowId, type Severity } from './checklist.ts'
import { modeWords } from './crowd-words.ts'
import { faultWords } from './report/figures.ts'
import type { HistoryEvent, ScenarioEnd } from './history.ts'
import { HopCosts } from './hop-usage.ts'
import { HostLateness } from './host-lateness.ts'
import type { CheckResult, Measurements, ScenarioResult, TimelineMark } from './report/result.ts'
import { evidenceMax, notApplicable, unknown, worst, type Verdict } from './verdict.ts'

interface Fault {
  count: number
  proof: string
  proven: boolean
}

interface Judged {
  spec: CheckSpec
  check: AnyCheck
  state: unknown
  crash: unknown
}

/** How a scenario ended. */
export type Ending = Pick<ScenarioEnd, 'stoppedBecause' | 'lacks'>

/** Doubled whenever a run outgrows the buckets. */
const firstBucketMs = 250
const bucketsMax = 4_000
/** A night of restarts has more than a page can show. */
const marksMax = 4_000

export class Judge {
  readonly scenario: Assertions
  #judged: Judged[]
  #startMs: number | null = null
  #lastMs = 0
  #operations = { ok: 0, failed: 0, unanswered: 0 }
  #bucketMs = firstBucketMs
  #buckets: ([number, number, number] | undefined)[] = []
  /** In the order in which they began; one whose end was not seen has none. */
  #marks: (TimelineMark & { ended: boolean })[] = []
  #openMarks = new Map<string, TimelineMark & { ended: boolean }>()
  #pendingFaults = new Map<string, number>()
  #faults = new Map<string, Fault>()
  #costs = new HopCosts()
  #lateness = new HostLateness()

  constructor(scenario: Assertions) {
    this.scenario = scenario
    this.#judged = scenario.checks.map((spec) => {
      const check = checkById(spec.check)
      return { spec, check, state: check.init(spec.limits), crash: null }
    })
  }

  write(event: HistoryEvent): void {
    this.#startMs ??= event.atMs
    this.#lastMs = Math.max(this.#lastMs, event.atMs)
    this.#observe(event)
    this.#costs.write(event)
    this.#lateness.write(event)
    for (const judged of this.#judged) {
      if (judged.crash !== null) continue
      try {
        judged.check.step(judged.state, event)
      } catch (error) {
        judged.crash = error
      }
    }
  }

  finish(ending: Ending): ScenarioResult {
    const { scenario } = this
    const checks = this.#judged.map((judged) => this.#resultOf(judged, ending))
    const verdict = worst(checks.map((check) => check.verdict))
    return {
      id: scenario.id,
      title: scenario.title,
      why: scenario.why,
      proves: scenario.proves,
      ...(scenario.incidents ? { incidents: scenario.incidents } : {}),
      verdict,
      because: becauseOf(checks, ending),
      startedAtMs: 0,
      durationMs: Math.round(this.#lastMs - (this.#startMs ?? this.#lastMs)),
      checks,
      measurements: this.#measurements(),
      faults: [...this.#faults].map(([id, fault]) => ({ id, proof: proofOf(fault), proven: fault.proven })),
      timeline: this.#timeline(),
      throughput: this.#throughput(),
      operations: this.#operations,
    }
  }

  #resultOf({ spec, check, state, crash }: Judged, ending: Ending): CheckResult {
    const rows = spec.rows ?? this.scenario.proves
    const found = crash === null ? verdictOf(check, state) : crashed(crash)
    const verdict = tempered(check.hangsOnTime ? unlessTooBusy(found, this.#lateness.doubt) : found, ending)
    return {
      ...verdict,
      id: check.id,
      title: titleOf(check, spec, this.scenario.checks),
      rows,
      severity: severest(rows),
      evidence: verdict.evidence.slice(0, evidenceMax).map((line) => line.slice(0, 600)),
    }
  }

  #measurements(): Measurements {
    const parts: MeasurementParts[] = []
    for (const { check, state, crash } of this.#judged) {
      if (crash === null && check.measure) parts.push(check.measure(state))
    }
    const { hops, loopbackBytes } = this.#costs
    return { ...mergeMeasurements(parts), ...(hops.length > 0 ? { usage: { hops, loopbackBytes } } : {}) }
  }

  #observe(event: HistoryEvent): void {
    if (event.kind === 'ok' || event.kind === 'fail' || event.kind === 'info') this.#countOperation(event)
    if (event.kind === 'step') this.#markStep(event)
    if (event.kind === 'lifecycle') this.#markLifecycle(event)
    if (event.kind === 'crowd') this.#markCrowd(event)
    if (event.kind === 'fault') {
      this.#markFault(event)
      this.#countFault(event)
    }
  }

  #countOperation(event: HistoryEvent & { kind: 'ok' | 'fail' | 'info' }): void {
    const which = { ok: 0, fail: 1, info: 2 }[event.kind] as 0 | 1 | 2
    const names = ['ok', 'failed', 'unanswered'] as const
    this.#operations[names[which]] += 1
    const index = () => Math.floor((event.atMs - this.#startMs!) / this.#bucketMs)
    while (index() >= bucketsMax) this.#doubleBuckets()
    const bucket = (this.#buckets[index()] ??= [0, 0, 0])
    bucket[which] += 1
  }

  #doubleBuckets(): void {
    this.#bucketMs *= 2
    this.#buckets = Array.from({ length: Math.ceil(this.#buckets.length / 2) }, (_, index) => {
      const [one, other] = [this.#buckets[2 * index] ?? [0, 0, 0], this.#buckets[2 * index + 1] ?? [0, 0, 0]]
      return [one[0]! + other[0]!, one[1]! + other[1]!, one[2]! + other[2]!]
    })
  }

  #markStep(event: HistoryEvent & { kind: 'step' }): void {
    if (event.phase === 'begin') {
      this.#open(`step ${event.step}`, 'step', event.label, event.atMs)
    } else {
      this.#close(`step ${event.step}`, event.atMs)
    }
  }

  /** From the moment a hop goes until it is ready again, the timeline is shaded. */
  #markLifecycle(event: HistoryEvent & { kind: 'lifecycle' }): void {
    const key = `down ${event.hop}`
    const gone = { stopped: 'stop', killed: 'kill', crashed: 'crash' } as const
    if (event.what === 'started') this.#close(key, event.atMs)
    if (event.what === 'not-ready') this.#mark('moment', `${event.hop} not ready: given up`, event.atMs, event.atMs)
    // A second server that is refused leaves the first one up.
    if (event.what in gone) this.#open(key, 'fault', `${event.hop} down after a ${gone[event.what as keyof typeof gone]}`, event.atMs)
  }

  /** Faults other than a hop that goes are shaded from their injection until they heal. */
  #markFault(event: HistoryEvent & { kind: 'fault' }): void {
    const key = `fault ${event.fault}`
    if (event.phase === 'injected') this.#pendingFaults.set(key, event.atMs)
    const injectedAtMs = this.#pendingFaults.get(key)
    if (event.phase !== 'healed' || injectedAtMs === undefined) return
    this.#pendingFaults.delete(key)
    this.#mark('fault', faultWords(event.fault), injectedAtMs, event.atMs)
  }

  /** A crowd is one event; what happened meanwhile stands in it. */
  #markCrowd(event: HistoryEvent & { kind: 'crowd' }): void {
    const { firstSentAtMs, arrivalMs, appendAckAtMs, spread } = event
    this.#mark('moment', 'a crowd arrives', firstSentAtMs, firstSentAtMs + arrivalMs)
    if (appendAckAtMs !== null) this.#mark('moment', 'an append is acknowledged', appendAckAtMs, appendAckAtMs)
    const [first, last] = [spread[0], spread.at(-1)]
    const sinceMs = appendAckAtMs ?? firstSentAtMs
    if (first && last) this.#mark('moment', 'the crowd is answered', sinceMs + first[1], sinceMs + last[1])
  }

  #countFault(event: HistoryEvent & { kind: 'fault' }): void {
    const fault = this.#faults.get(event.fault) ?? { count: 0, proof: '', proven: true }
    if (event.phase === 'injected') fault.count += 1
    if (event.proof !== undefined) fault.proof = event.proof
    if (event.proven === false) fault.proven = false
    this.#faults.set(event.fault, fault)
  }

  #open(key: string, kind: TimelineMark['kind'], label: string, atMs: number): void {
    if (this.#openMarks.has(key)) return
    this.#openMarks.set(key, this.#mark(kind, label, atMs, null))
  }

  #close(key: string, atMs: number): void {
    const mark = this.#openMarks.get(key)
    if (!mark) return
    this.#openMarks.delete(key)
    Object.assign(mark, { toMs: atMs, ended: true })
  }

  #mark(kind: TimelineMark['kind'], label: string, fromMs: number, toMs: number | null) {
    const mark = { kind, label, fromMs, toMs: toMs ?? fromMs, ended: toMs !== null }
    if (this.#marks.length < marksMax) this.#marks.push(mark)
    return mark
  }

  #timeline(): TimelineMark[] {
    const start = this.#startMs ?? 0
    const within = (ms: number) => Math.round(Math.max(0, ms - start))
    return this.#marks
      .toSorted((a, b) => a.fromMs - b.fromMs)
      .map(({ kind, label, fromMs, toMs, ended }) => ({ kind, label, fromMs: within(fromMs), toMs: within(ended ? toMs : this.#lastMs) }))
  }

  #throughput(): ScenarioResult['throughput'] {
    return Array.from(this.#buckets, (bucket, index): [number, number, number, number] => {
      const [ok, failed, unanswered] = bucket ?? [0, 0, 0]
      return [index * this.#bucketMs, ok, failed, unanswered]
    })
  }
}

function verdictOf(check: AnyCheck, state: unknown): Verdict {
  try {
    return check.finish(state)
  } catch (error) {
    return crashed(error)
  }
}

function crashed(error: unknown): Verdict {
  const message = error instanceof Error ? error.message : String(error)
  return unknown(`The check itself crashed: ${message}`, error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 4) : [])
}

/** What took too long on a machine that could not keep up is held against nobody, and shown all the same. */
function unlessTooBusy(verdict: Verdict, doubt: string | null): Verdict {
  if (verdict.verdict !== 'fail' || doubt === null) return verdict
  return unknown(`${verdict.because} But ${doubt}.`, verdict.evidence, verdict.examined)
}

/**
 * A scenario that was cut short proves less: what it saw go wrong stands, what it did not see go
 * wrong is unknown.
 */
function tempered<V extends Pick<Verdict, 'verdict' | 'because' | 'examined'>>(verdict: V, ending: Ending): V {
  if (ending.lacks !== undefined && verdict.verdict !== 'fail') {
    return { ...verdict, ...notApplicable(ending.lacks) }
  }
  if (ending.stoppedBecause === null || verdict.verdict === 'fail' || verdict.verdict === 'not-applicable') return verdict
  const reason = ending.stoppedBecause.replace(/\.$/, '')
  const seen = verdict.examined === 0 ? '.' : `. Until then: ${verdict.because}`
  return { ...verdict, verdict: 'unknown', because: `The scenario stopped early: ${reason}${seen}` }
}

/** A scenario's result, had its scenario been cut short for this reason. */
export function cutShort(result: ScenarioResult, stoppedBecause: string): ScenarioResult {
  const ending = { stoppedBecause }
  const checks = result.checks.map((check) => tempered(check, ending))
  return { ...result, checks, verdict: worst(checks.map((check) => check.verdict)), because: becauseOf(checks, ending) }
}

/** A scenario may hold one check several times: what tells them apart stands behind the title. */
function titleOf(check: AnyCheck, spec: CheckSpec, all: readonly CheckSpec[]): string {
  const twins = all.filter((other) => other.check === spec.check && other !== spec)
  const telling = Object.entries(spec.limits).filter(([name, value]) => typeof value === 'string' && twins.some((twin) => twin.limits[name] !== value))
  if (telling.length === 0) return check.title
  return `${check.title} (${telling.map(([, value]) => modeWords[value as keyof typeof modeWords] ?? String(value)).join(', ')})`
}

function proofOf({ count, proof }: Fault): string {
  return count > 1 && proof !== '' ? `${count} times; the last time ${proof}` : proof
}

function severest(rows: readonly RowId[]): Severity {
  const severities = rows.map((row) => rowById(row).severity)
  return (['critical', 'high', 'medium'] as const).find((severity) => severities.includes(severity)) ?? 'medium'
}

function becauseOf(checks: CheckResult[], ending: Ending): string {
  const first = checks.find((check) => check.verdict === 'fail') ?? checks.find((check) => check.verdict === 'unknown')
  if (first) return first.because
  if (ending.lacks !== undefined) return ending.lacks
  if (ending.stoppedBecause !== null) return ending.stoppedBecause
  if (checks.length < 3) return checks.length === 1 ? 'Its check passed.' : 'Both checks passed.'
  return `All ${checks.length} checks passed.`
}

const noDurability = {
  kills: 0,
  killsVoid: 0,
  restarts: 0,
  appendsAcknowledged: 0,
  lost: 0,
  doubled: 0,
  reordered: 0,
  torn: 0,
  readyMsMax: 0,
  failureRateBound: null,
}

/** Kills that were not all clean bound nothing. */
function onlyOfCleanKills(seen: NonNullable<Measurements['durability']>): NonNullable<Measurements['durability']> {
  const harm = seen.lost + seen.doubled + seen.reordered + seen.torn
  return harm === 0 ? seen : { ...seen, failureRateBound: null }
}

/** Lists are appended, objects merged. Durability is only reported where kills were counted. */
export function mergeMeasurements(parts: MeasurementParts[]): Measurements {
  const merged: Record<string, unknown> = {}
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) {
      const before = merged[name]
      merged[name] = Array.isArray(value) ? [...((before as unknown[]) ?? []), ...value] : { ...(before as object), ...value }
    }
  }
  const durability = merged.durability as Partial<typeof noDurability> | undefined
  if (durability?.kills === undefined) delete merged.durability
  else merged.durability = onlyOfCleanKills({ ...noDurability, ...durability })
  return merged as Measurements
}
