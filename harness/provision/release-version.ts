/** Semantic versions, newest first; a pre-release comes after its release. */
export function newestFirst(versions: readonly string[]): string[] {
  return [...versions].sort((a, b) => compare(b, a))
}

function compare(a: string, b: string): number {
  const [coreA = '', preA] = split(a)
  const [coreB = '', preB] = split(b)
  const byCore = compareNumbers(coreA, coreB)
  if (byCore !== 0) return byCore
  if (preA === undefined || preB === undefined)
    return preA === preB ? 0 : preA === undefined ? 1 : -1
  return compareNumbers(preA, preB)
}

/** Core and pre-release; build metadata does not count (semver 10). */
function split(version: string): [string, string | undefined] {
  const [core = '', ...pre] = version.replace(/\+.*$/, '').split('-')
  return [core, pre.length > 0 ? pre.join('-') : undefined]
}

/** Dotted parts: numbers by value and below words, words by their letters (semver 11). */
function compareNumbers(a: string, b: string): number {
  const partsA = a.split('.')
  const partsB = b.split('.')
  for (let index = 0; index < Math.max(partsA.length, partsB.length); index++) {
    const order = comparePart(partsA[index], partsB[index])
    if (order !== 0) return order
  }
  return 0
}

function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === undefined) return -1
  if (b === undefined) return 1
  const [numberA, numberB] = [a, b].map((part) => (/^\d+$/.test(part) ? Number(part) : null))
  if (numberA !== null && numberB !== null) return Math.sign((numberA ?? 0) - (numberB ?? 0))
  if (numberA !== null) return -1
  if (numberB !== null) return 1
  return a < b ? -1 : 1
}
