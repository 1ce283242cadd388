/**
 * The id of a record names the stream, its incarnation and the record's number in it, from 1:
 * 'orders-3/1.17'. Pure, so that steps may write what checks read.
 */

/** What all ids of one incarnation of a stream begin with: 'orders-3/1.'. */
export function recordSeries(stream: string, incarnation: number): string {
  return `${stream}/${incarnation}.`
}

/** Takes the ids of this series out of a set, or out of a map's keys. */
export function dropSeries(ids: Set<string> | Map<string, unknown>, series: string): void {
  for (const id of ids.keys()) if (id.startsWith(series)) ids.delete(id)
}

/** The number of a record of this series, or 0 for an id that is not of it. */
export function numberIn(series: string, record: string): number {
  if (!record.startsWith(series)) return 0
  return wholeNumber(record, series.length)
}

/** An id's series and number; number 0 where the id has not this form. */
export function splitRecordId(record: string): { series: string; number: number } {
  const end = record.lastIndexOf('.') + 1
  return { series: record.slice(0, end), number: wholeNumber(record, end) }
}

const digitsMax = 9

/** The decimal number that a text ends with, from `begin` on; 0 for anything else, and for a leading zero. */
function wholeNumber(text: string, begin: number): number {
  const digits = text.length - begin
  if (digits < 1 || digits > digitsMax || text.charCodeAt(begin) === 0x30) return 0
  let number = 0
  for (let at = begin; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return 0
    number = number * 10 + digit
  }
  return number
}
