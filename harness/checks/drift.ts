/**
 * What grows over hours: one measured thing, averaged into a few hundred blocks however long the run
 * is, in stretches between restarts, and what its growth means. Pure, of bounded state.
 */
import { trendOf, type Point, type Trend } from './trend.ts'

/** Over all stretches: fitting costs the square of it. */
const blocksMax = 600
/** Older ones are forgotten. */
const stretchesMax = 120
const firstBlockMs = 1_000

interface Block {
  /** From the stretch's begin. */
  index: number
  sum: number
  count: number
}

interface Stretch {
  fromMs: number
  blocks: Block[]
}

/** Values as they come in, averaged into blocks that grow with the run. */
export class DriftSeries {
  #blockMs = firstBlockMs
  #stretches: Stretch[] = []
  /** How many values came in. */
  count = 0

  /** What is measured began anew (its program was started again): earlier and later values are not one curve. */
  restart(): void {
    if (this.#stretches.at(-1)?.blocks.length !== 0) this.#stretches.push({ fromMs: NaN, blocks: [] })
    if (this.#stretches.length > stretchesMax) this.#stretches.shift()
  }

  push(atMs: number, value: number): void {
    if (!Number.isFinite(value)) return
    this.count += 1
    if (this.#stretches.length === 0) this.restart()
    const stretch = this.#stretches.at(-1)!
    if (stretch.blocks.length === 0) stretch.fromMs = atMs
    const index = Math.floor((atMs - stretch.fromMs) / this.#blockMs)
    const last = stretch.blocks.at(-1)
    if (last?.index === index) {
      last.sum += value
      last.count += 1
      return
    }
    stretch.blocks.push({ index, sum: value, count: 1 })
    if (this.#blocks() > blocksMax) this.#halve()
  }

  /** The means of the blocks, a list for each stretch. */
  get stretches(): Point[][] {
    return this.#stretches
      .filter(({ blocks }) => blocks.length > 0)
      .map(({ fromMs, blocks }) => blocks.map(({ index, sum, count }): Point => [fromMs + (index + 0.5) * this.#blockMs, sum / count]))
  }

  #blocks(): number {
    return this.#stretches.reduce((total, { blocks }) => total + blocks.length, 0)
  }

  #halve(): void {
    this.#blockMs *= 2
    for (const stretch of this.#stretches) {
      const merged: Block[] = []
      for (const { index, sum, count } of stretch.blocks) {
        const half = index >> 1
        const last = merged.at(-1)
        if (last?.index === half) Object.assign(last, { sum: last.sum + sum, count: last.count + count })
        else merged.push({ index: half, sum, count })
      }
      stretch.blocks = merged
    }
  }
}

export interface DriftLimits {
  /** Where it hurts: the memory or the descriptors there are. Of what is above half of it, twice what it is. */
  limit: number
  /** Units a millisecond, where what may grow is not told by a limit. */
  allowed?: number
  /** How long it must last until then. */
  lastsMs: number
  /** Less than this, grown while nobody restarted anything, alarms nobody: every program breathes. */
  leastGrowth: number
  /** For so long after its start it may grow: then only what would reach the limit at once alarms. */
  settlesMs: number
}

/** At once. */
const urgentMs = 900_000


export type DriftKind =
  /** It grows, and would reach the limit too soon. */
  | 'grows'
  /** Whatever growth the noise may hide, the limit is far enough away. */
  | 'holds'
  /** It grew, and ever less: a cache that fills, or a leak; a longer run tells. */
  | 'settles'
  /** The noise may hide a growth that matters. */
  | 'too-short'

export interface Drift {
  kind: DriftKind
  /** Units an hour, with the interval that holds it in 95 of 100 cases. */
  perHour: number
  lowPerHour: number
  highPerHour: number
  /** The growth that would just reach the limit in the time it must last. */
  allowedPerHour: number
  level: number
  limit: number
  /** From the level to the limit at this growth; null where it does not grow. */
  lastsMs: number | null
  /** How long a run would have to be to tell; null where this one was long enough. */
  neededMs: number | null
  stretches: number
  /** The growth from restart to restart, at the same age; null with too few of them. */
  acrossPerHour: number | null
}

export const hourMs = 3_600_000
/** The beginning of each stretch that is not looked at: a quarter, but at least so long, and at most. */
const warmUpShare = 0.25
const warmUpMsMin = 90_000
const warmUpMsMax = 600_000
/** Of a short one half is looked at all the same. */
const warmUpShareMax = 0.5
/** The cost of a fit is the square of it. */
const pointsFitted = 60
/** Growth that halves from one half of the time to the next is about to end. */
const settlingShare = 0.5

/** Null where there is too little to say anything. */
export function driftOf(stretches: readonly (readonly Point[])[], limits: DriftLimits): Drift | null {
  const warm = coarse(stretches.map(afterWarmUp))
  const whole = trendOf(warm)
  if (whole === null) return null
  const limit = Math.max(limits.limit, 2 * whole.level)
  const allowed = limits.allowed ?? (limit - whole.level) / limits.lastsMs
  const across = trendOf([levelsOf(stretches.map(afterWarmUp))])
  const isYoung = Math.max(...stretches.map(spanOf)) < limits.settlesMs && whole.certainlyAbove * urgentMs < limit - whole.level
  const isLittle = isYoung || whole.slope * whole.span < limits.leastGrowth
  const steps = across !== null && across.certainlyAbove > allowed && across.slope * across.span >= limits.leastGrowth
  const kind = steps ? 'grows' : kindOf(warm, whole, { allowed, isLittle })
  const seen = steps ? across : whole
  return {
    kind,
    perHour: seen.slope * hourMs,
    lowPerHour: seen.low * hourMs,
    highPerHour: seen.high * hourMs,
    allowedPerHour: allowed * hourMs,
    level: whole.level,
    limit,
    lastsMs: seen.slope > 0 ? (limit - whole.level) / seen.slope : null,
    neededMs: neededMsOf(kind, whole, allowed, runMs(stretches)),
    stretches: warm.length,
    acrossPerHour: across !== null && Number.isFinite(across.low) ? across.slope * hourMs : null,
  }
}

/** The middle value of each stretch up to an age that nearly all of them reached: what a restart does not reset. */
function levelsOf(warm: readonly (readonly Point[])[]): Point[] {
  const spans = warm.map(spanOf)
  const longest = Math.max(...spans)
  const whole = warm.filter((_, index) => spans[index]! >= longest / 2)
  const ageMs = Math.min(...spans.filter((span) => span >= longest / 2))
  return whole.map((stretch): Point => {
    const [fromMs] = stretch[0]!
    const values = stretch.filter(([at]) => at <= fromMs + ageMs).map(([, value]) => value)
    return [fromMs, values.toSorted((a, b) => a - b)[values.length >> 1]!]
  })
}

function spanOf(stretch: readonly Point[]): number {
  return (stretch.at(-1)?.[0] ?? 0) - (stretch[0]?.[0] ?? 0)
}

function afterWarmUp(stretch: readonly Point[]): readonly Point[] {
  const [first, last] = [stretch[0]?.[0] ?? 0, stretch.at(-1)?.[0] ?? 0]
  const spanMs = last - first
  const fromMs = first + Math.min(warmUpMsMax, spanMs * warmUpShareMax, Math.max(warmUpMsMin, spanMs * warmUpShare))
  return stretch.filter(([at]) => at >= fromMs)
}

/** Neighbours together, until few enough are left: what goes up and down between collections of garbage evens out. */
function coarse(stretches: readonly (readonly Point[])[]): Point[][] {
  const points = stretches.reduce((total, stretch) => total + stretch.length, 0)
  const together = Math.max(1, Math.round(points / pointsFitted))
  return stretches.map((stretch) =>
    Array.from({ length: Math.floor(stretch.length / together) }, (_, index) => meanOf(stretch.slice(index * together, (index + 1) * together))),
  )
}

function meanOf(points: readonly Point[]): Point {
  const mean = (of: 0 | 1) => points.reduce((total, point) => total + point[of], 0) / points.length
  return [mean(0), mean(1)]
}

function kindOf(warm: readonly (readonly Point[])[], whole: Trend, { allowed, isLittle }: { allowed: number; isLittle: boolean }): DriftKind {
  if (whole.high <= allowed) return 'holds'
  const early = trendOf(warm.map((stretch) => stretch.slice(0, Math.ceil(stretch.length / 2))))
  const late = trendOf(warm.map((stretch) => stretch.slice(Math.floor(stretch.length / 2))))
  if (early === null || late === null) return 'too-short'
  if (whole.low > 0 && (late.slope < early.slope * settlingShare || late.high < early.low)) return 'settles'
  return !isLittle && whole.certainlyAbove > allowed && late.slope > allowed ? 'grows' : 'too-short'
}

/** The interval of a slope narrows with the run's length to the power of one and a half. */
function neededMsOf(kind: DriftKind, { slope, high }: Trend, allowed: number, ranMs: number): number | null {
  if (kind === 'grows' || kind === 'holds') return null
  if (kind === 'settles' || !Number.isFinite(high)) return ranMs * 3
  const room = Math.max(allowed - slope, allowed / 4)
  return ranMs * Math.max(1.5, ((high - slope) / room) ** (2 / 3))
}

function runMs(stretches: readonly (readonly Point[])[]): number {
  const all = stretches.filter((stretch) => stretch.length > 0)
  return (all.at(-1)?.at(-1)?.[0] ?? 0) - (all[0]?.[0]?.[0] ?? 0)
}
