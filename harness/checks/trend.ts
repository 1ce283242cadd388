/**
 * Whether something grows, told from noise: a slope that outliers do not move (Theil and Sen), with an
 * interval from the rank test of Mann and Kendall, over several stretches at once (the seasonal form
 * of Hirsch and Slack, 1982: a stretch between two restarts is a season), and widened where
 * neighbouring values resemble each other (Hamed and Rao, 1998). Pure.
 */

/** [time, value], in order of time. */
export type Point = readonly [at: number, value: number]

export interface Trend {
  /** Units of value a unit of time: the median of the slopes between all pairs of a stretch. */
  slope: number
  /** Holds the slope in 95 of 100 cases. Infinite where there is too little to bound it. */
  low: number
  high: number
  /** What the slope is above in all but 1 of 2,000 cases: for an alarm, of which many are asked in a night. */
  certainlyAbove: number
  points: number
  /** The middle value of the newest stretch. */
  level: number
  /** Summed over the stretches. */
  span: number
  /** By how much the interval was widened for likeness of neighbours: 1 is not at all. */
  widened: number
}

const z95 = 1.96
/** One-sided 1 in 2,000. */
const zAlarm = 3.29
/** A stretch of fewer points has no slope worth the name. */
const pointsMin = 4
/** Of fewer the likeness of neighbours is a guess. */
const likenessPointsMin = 16

/** Null where no stretch is long enough. Time is quadratic in the points: average into a few hundred first. */
export function trendOf(stretches: readonly (readonly Point[])[]): Trend | null {
  const usable = stretches.filter((stretch) => stretch.length >= pointsMin)
  if (usable.length === 0) return null
  const slopes = sortedSlopes(usable)
  const slope = middleOf(slopes)
  const likeness = likenessOf(usable, slope)
  const sizes = usable.map((stretch) => stretch.length)
  const plain = sum(usable.map(rankVariance))
  const widened = sum(sizes.map((size, index) => rankVariance(usable[index]!) * widening(size, likeness))) / (plain || 1)
  const deviation = Math.sqrt(plain * Math.max(1, widened))
  return {
    slope,
    low: atRank(slopes, -z95 * deviation),
    high: atRank(slopes, z95 * deviation),
    certainlyAbove: atRank(slopes, -zAlarm * deviation),
    points: sum(sizes),
    level: middleOf(Float64Array.from(usable.at(-1)!, ([, value]) => value).sort()),
    span: sum(usable.map((stretch) => stretch.at(-1)![0] - stretch[0]![0])),
    widened: Math.sqrt(Math.max(1, widened)),
  }
}

/** Of all pairs within one stretch; pairs across a restart say nothing of what happens between two. */
function sortedSlopes(stretches: readonly (readonly Point[])[]): Float64Array {
  const slopes = new Float64Array(sum(stretches.map(({ length }) => (length * (length - 1)) / 2)))
  let next = 0
  for (const stretch of stretches) {
    for (let i = 0; i < stretch.length; i += 1) {
      for (let j = i + 1; j < stretch.length; j += 1) {
        slopes[next] = (stretch[j]![1] - stretch[i]![1]) / (stretch[j]![0] - stretch[i]![0])
        next += 1
      }
    }
  }
  return slopes.sort()
}

/** Sen's interval: so many slopes off the middle as the rank statistic may be off by chance. */
function atRank(slopes: Float64Array, off: number): number {
  const rank = (slopes.length - 1 + off) / 2
  if (rank < 0) return -Infinity
  if (rank > slopes.length - 1) return Infinity
  return slopes[off < 0 ? Math.floor(rank) : Math.ceil(rank)]!
}

/** Variance of the Mann-Kendall statistic of one stretch without a trend, less what ties take away. */
function rankVariance(stretch: readonly Point[]): number {
  const counts = new Map<number, number>()
  for (const [, value] of stretch) counts.set(value, (counts.get(value) ?? 0) + 1)
  const term = (n: number) => n * (n - 1) * (2 * n + 5)
  return (term(stretch.length) - sum(Array.from(counts.values(), term))) / 18
}

/**
 * How much the ranks of residuals resemble those of their neighbours, by distance, until they no
 * longer do. Of short stretches the likeness comes out too small, by about (1 + 3r) / n: added again.
 */
function likenessOf(stretches: readonly (readonly Point[])[], slope: number): number[] {
  const ranked = stretches.map((stretch) => centredRanks(stretch.map(([at, value]) => value - slope * at)))
  const square = sum(ranked.map((ranks) => sum(ranks.map((rank) => rank * rank))))
  const points = sum(ranked.map((ranks) => ranks.length))
  if (square === 0 || points < likenessPointsMin) return []
  const longest = Math.max(...ranked.map((ranks) => ranks.length))
  const likeness: number[] = []
  for (let apart = 1; apart <= longest / 2; apart += 1) {
    const pairs = sum(ranked.map((ranks) => Math.max(0, ranks.length - apart)))
    const product = sum(ranked.map((ranks) => productApart(ranks, apart)))
    const raw = (product / pairs) / (square / points)
    const alike = Math.min(0.99, raw + (stretches.length * (1 + 3 * Math.max(0, raw))) / points)
    if (alike <= 1 / Math.sqrt(points)) break
    likeness.push(alike)
  }
  return likeness
}

function productApart(ranks: readonly number[], apart: number): number {
  let product = 0
  for (let i = 0; i + apart < ranks.length; i += 1) product += ranks[i]! * ranks[i + apart]!
  return product
}

function centredRanks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).toSorted((a, b) => values[a]! - values[b]!)
  const ranks = values.map(() => 0)
  for (let begin = 0; begin < order.length; ) {
    let end = begin + 1
    while (end < order.length && values[order[end]!] === values[order[begin]!]) end += 1
    for (let at = begin; at < end; at += 1) ranks[order[at]!] = (begin + end - values.length) / 2
    begin = end
  }
  return ranks
}

/** Hamed and Rao's factor for the variance of the rank statistic of `n` points. */
function widening(n: number, likeness: readonly number[]): number {
  const weight = (apart: number) => Math.max(0, (n - apart) * (n - apart - 1) * (n - apart - 2))
  return 1 + (2 / (n * (n - 1) * (n - 2))) * sum(likeness.map((alike, index) => weight(index + 1) * alike))
}

function middleOf(sorted: Float64Array): number {
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

function sum(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total
}
