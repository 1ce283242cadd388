/**
 * Feeds a scenario's events to its checks and collects what the report shows of it. Pure: the same
 * events give the same answer, live or from the file.
 */
import type { AnyCheck, CheckSpec, MeasurementParts } from './check.ts'
import { checkById } from './checks.ts'
import { rowById, type RowId, type Severity } from './checklist.ts'
import type { HistoryEvent } from './history.ts'
import type { CheckResult, Measurements, ScenarioResult, TimelineMark } from './report/result.ts'
import type { Scenario } from './scenario.ts'
import { evidenceMax, unknown, worst, type Verdict } from './verdict.ts'

interface Judged {
  spec: CheckSpec
  check: AnyCheck
  state: unknown
  crash: unknown
}

/** What became of a scenario outside of its history. */
export interface Ending {
  /** Why it stopped before its last step, if it did; null for a whole run. */
  stoppedBecause: string | null
  /** True where that was the harness's or the host's doing: then nothing counts against the subject. */
  harnessFault: boolean
}

const throughputBucketMs = 250
const bucketsMax = 4_000

export class Judge {
  readonly scenario: Scenario
  #judged: Judged[]
  #startMs: number | null = null
  #lastMs = 0
  #operations = { ok: 0, failed: 0, unanswered: 0 }
  #buckets: [number, number, number][] = []
  #marks: TimelineMark[] = []
  #openMarks = new Map<string, TimelineMark>()
  #faults = new Map<string, { count: number; proof: string; proven: boolean }>()

  constructor(scenario: Scenario) {
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
      verdict,
      because: becauseOf(checks, ending),
      startedAtMs: 0,
      durationMs: Math.round(this.#lastMs - (this.#startMs ?? this.#lastMs)),
      checks,
      measurements: this.#measurements(),
      faults: [...this.#faults].map(([id, fault]) => ({ id, proof: fault.proof, proven: fault.proven })),
      timeline: this.#timeline(),
      throughput: this.#throughput(),
      operations: this.#operations,
    }
  }

  #resultOf({ spec, check, state, crash }: Judged, ending: Ending): CheckResult {
    const rows = spec.rows ?? this.scenario.proves
    const found = crash === null ? verdictOf(check, state) : crashed(crash)
    const verdict = tempered(found, ending)
    return {
      ...verdict,
      id: check.id,
      title: check.title,
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
    return mergeMeasurements(parts)
  }

  #observe(event: HistoryEvent): void {
    if (event.kind === 'ok' || event.kind === 'fail' || event.kind === 'info') this.#countOperation(event)
    if (event.kind === 'step') this.#markStep(event)
    if (event.kind === 'lifecycle') this.#markLifecycle(event)
    if (event.kind === 'fault') this.#countFault(event)
  }

  #countOperation(event: HistoryEvent & { kind: 'ok' | 'fail' | 'info' }): void {
    const which = { ok: 0, fail: 1, info: 2 }[event.kind] as 0 | 1 | 2
    const names = ['ok', 'failed', 'unanswered'] as const
    this.#operations[names[which]] += 1
    const index = Math.min(bucketsMax - 1, Math.floor((event.atMs - this.#startMs!) / throughputBucketMs))
    const bucket = (this.#buckets[index] ??= [0, 0, 0])
    bucket[which] += 1
  }

  #markStep(event: HistoryEvent & { kind: 'step' }): void {
    if (event.phase === 'begin') {
      this.#open(`step ${event.step}`, { kind: 'step', label: event.label, fromMs: event.atMs, toMs: event.atMs })
    } else {
      this.#close(`step ${event.step}`, event.atMs)
    }
  }

  /** From the moment a hop goes until it is back, the timeline is shaded. */
  #markLifecycle(event: HistoryEvent & { kind: 'lifecycle' }): void {
    const key = `down ${event.hop}`
    if (event.what === 'started') this.#close(key, event.atMs)
    else this.#open(key, { kind: 'fault', label: `${event.hop} ${event.what}`, fromMs: event.atMs, toMs: event.atMs })
  }

  #countFault(event: HistoryEvent & { kind: 'fault' }): void {
    const fault = this.#faults.get(event.fault) ?? { count: 0, proof: '', proven: true }
    if (event.phase === 'injected') fault.count += 1
    if (event.proof !== undefined) fault.proof = event.proof
    if (event.proven === false) fault.proven = false
    this.#faults.set(event.fault, fault)
  }

  #open(key: string, mark: TimelineMark): void {
    if (this.#openMarks.has(key)) return
    this.#openMarks.set(key, mark)
  }

  #close(key: string, atMs: number): void {
    const mark = this.#openMarks.get(key)
    if (!mark) return
    this.#openMarks.delete(key)
    this.#marks.push({ ...mark, toMs: atMs })
  }

  #timeline(): TimelineMark[] {
    const start = this.#startMs ?? 0
    const stillOpen = [...this.#openMarks.values()].map((mark) => ({ ...mark, toMs: this.#lastMs }))
    return [...this.#marks, ...stillOpen]
      .map((mark) => ({ ...mark, fromMs: Math.round(mark.fromMs - start), toMs: Math.round(mark.toMs - start) }))
      .toSorted((a, b) => a.fromMs - b.fromMs)
  }

  #throughput(): ScenarioResult['throughput'] {
    return Array.from(this.#buckets, (bucket, index): [number, number, number, number] => {
      const [ok, failed, unanswered] = bucket ?? [0, 0, 0]
      return [index * throughputBucketMs, ok, failed, unanswered]
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

/**
 * A scenario that was cut short proves less: what it saw go wrong stands, what it did not see go
 * wrong is unknown.
 */
function tempered(verdict: Verdict, ending: Ending): Verdict {
  if (ending.stoppedBecause === null || verdict.verdict === 'fail' || verdict.verdict === 'not-applicable') return verdict
  const seen = verdict.examined === 0 ? '' : ` Until then: ${verdict.because}`
  return { ...verdict, verdict: 'unknown', because: `The scenario stopped early: ${ending.stoppedBecause}${seen}` }
}

function severest(rows: readonly RowId[]): Severity {
  const severities = rows.map((row) => rowById(row).severity)
  return (['critical', 'high', 'medium'] as const).find((severity) => severities.includes(severity)) ?? 'medium'
}

function becauseOf(checks: CheckResult[], ending: Ending): string {
  const first = checks.find((check) => check.verdict === 'fail') ?? checks.find((check) => check.verdict === 'unknown')
  if (first) return first.because
  if (ending.stoppedBecause !== null) return ending.stoppedBecause
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
  else merged.durability = { ...noDurability, ...durability }
  return merged as Measurements
}
