/** What options may be, by flag or by file: whole numbers between two bounds, and times as people write them. */

export const readersBounds = { min: 1, max: 1_000_000 }
export const streamsBounds = { min: 1, max: 1_000_000 }
export const staleMsBounds = { min: 0, max: 3_600_000 }
export const seedBounds = { min: 0, max: 2 ** 31 - 1 }

export const forMsDefault = 600_000
const forMsMin = 20_000
const forMsMax = 14 * 24 * 3_600_000

/** What `timeMs` takes, for whoever gave something else. */
export const timeWords = 'a time from 20s to 14 days, as 90s, 10m, 8h or 1h30m'

/** A time as people write it, in ms: 90s, 10m, 8h, 1h30m; null for anything else, and beyond the bounds. */
export function timeMs(text: string): number | null {
  const parts = /^(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?$/.exec(text.trim())
  const [hours = 0, minutes = 0, seconds = 0] = (parts?.slice(1) ?? []).map((part) => Number(part ?? 0))
  const ms = ((hours * 60 + minutes) * 60 + seconds) * 1_000
  return ms >= forMsMin && ms <= forMsMax ? ms : null
}

/** 'a whole number from 1 to 1,000,000' */
export function wholeWords({ min, max }: { min: number; max: number }): string {
  return `a whole number from ${min.toLocaleString('en-US')} to ${max.toLocaleString('en-US')}`
}
