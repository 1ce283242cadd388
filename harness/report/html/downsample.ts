/** Fewer points that look the same: what a page needs of a measurement, never what it judges by. */

export type Point = readonly [x: number, y: number]

/**
 * Largest triangle in three buckets (Steinarsson, 2013): of each bucket the point that stands out
 * most stays, so that peaks survive. First and last always stay.
 */
export function downsample(points: readonly Point[], pointsMax: number): Point[] {
  if (points.length <= pointsMax || pointsMax < 3) return points.slice()
  const buckets = pointsMax - 2
  const edge = (bucket: number) => 1 + Math.floor((bucket * (points.length - 2)) / buckets)
  const kept: Point[] = [points[0]!]
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const next = points.slice(edge(bucket + 1), Math.max(edge(bucket + 2), edge(bucket + 1) + 1))
    const candidates = points.slice(edge(bucket), edge(bucket + 1))
    kept.push(standsOutMost(candidates, kept.at(-1)!, middleOf(next.length > 0 ? next : [points.at(-1)!])))
  }
  return [...kept, points.at(-1)!]
}

function middleOf(points: readonly Point[]): Point {
  const sum = points.reduce<Point>(([x, y], point) => [x + point[0], y + point[1]], [0, 0])
  return [sum[0] / points.length, sum[1] / points.length]
}

function standsOutMost(candidates: readonly Point[], before: Point, after: Point): Point {
  let best = candidates[0]!
  let bestArea = -1
  for (const [x, y] of candidates) {
    const area = Math.abs((before[0] - after[0]) * (y - before[1]) - (before[0] - x) * (after[1] - before[1]))
    if (area > bestArea) [best, bestArea] = [[x, y], area]
  }
  return best
}
