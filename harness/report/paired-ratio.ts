/**
 * By what factor a figure differs between two sides that were measured in turn, with an interval: the mean of
 * the logarithms of the pairs' ratios, by Student's t. Pure.
 */

export interface PairedRatio {
  ratio: number
  low: number
  high: number
}

/** Null where there are fewer than two pairs, or where a ratio says nothing (zero, or a time before its event). */
export function pairedRatio(before: readonly number[], now: readonly number[], confidence: number): PairedRatio | null {
  const pairs = Math.min(before.length, now.length)
  if (pairs < 2 || [...before, ...now].some((value) => !(value > 0))) return null
  const logs = Array.from({ length: pairs }, (_, n) => Math.log(now[n]! / before[n]!))
  const mean = logs.reduce((sum, log) => sum + log, 0) / pairs
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (pairs - 1)
  const half = tQuantile(1 - (1 - confidence) / 2, pairs - 1) * Math.sqrt(variance / pairs)
  return { ratio: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) }
}

const bisections = 200

/** The value below which Student's t with these degrees of freedom lies with this probability, from 0.5 on. */
export function tQuantile(probability: number, degrees: number): number {
  let [low, high] = [0, 1]
  while (tBelow(high, degrees) < probability && high < 1e9) high *= 2
  for (let n = 0; n < bisections && high - low > 1e-9 * high; n += 1) {
    const middle = (low + high) / 2
    if (tBelow(middle, degrees) < probability) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** How probable it is that Student's t lies below t >= 0; by the closed forms for whole degrees (Abramowitz and Stegun 26.7.3-4). */
function tBelow(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees))
  const cosine = Math.cos(angle) ** 2
  const isOdd = degrees % 2 === 1
  let term = isOdd ? Math.cos(angle) : 1
  let sum = degrees === 1 ? 0 : term
  for (let n = isOdd ? 3 : 2; n <= degrees - 2; n += 2) {
    term *= ((n - 1) / n) * cosine
    sum += term
  }
  const within = isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum
  return (1 + within) / 2
}
