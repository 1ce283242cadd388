/** Whether a version of a stream accounts for what a reader was told. */
import type { Claim, ReadMode } from '../../history.ts'
import type { Version } from './stream-model.ts'

/** What a reader asked for, and the records that it had from the same answer before this claim. */
export interface Asked {
  mode: ReadMode
  fromOffset: string
  /** Whether the offset was not, or may not have been, one of this life when it was asked for. */
  isForeign: boolean
  before: readonly string[]
}

/**
 * Whether a claim is true of a version: its bytes are that stream's bytes from the offset asked for,
 * its next offset is the one behind them, it says 'up to date' only at the tail, and 'closed' exactly
 * where it is at the tail of a closed stream. A claim that is not up to date says nothing of the tail.
 */
export function isTrueOf(version: Version, asked: Asked, claim: Claim): boolean {
  if (!version.exists || claim.damaged > 0) return false
  const tail = version.records.length
  if (asked.mode === 'head') return offsetIs(version, tail, claim.nextOffset) && claim.closed === version.closed
  const all = [...asked.before, ...claim.records]
  const begin = asked.mode === 'now' ? tail : positionOf(version, asked, all)
  const end = begin + all.length
  if (begin < 0 || end > tail || !all.every((record, n) => version.records[begin + n] === record)) return false
  if (!offsetIs(version, end, claim.nextOffset)) return false
  if (claim.closed) return version.closed && end === tail
  return claim.upToDate ? end === tail && !version.closed : true
}

/**
 * Where in a version an offset is. One that this life of the path had not given when it was asked for is of
 * another one, even if this life came to it later: PROTOCOL.md does not say what is answered there, so the
 * records that came say where it was.
 */
function positionOf(version: Version, { fromOffset, isForeign }: Asked, records: readonly string[]): number {
  if (fromOffset === '-1') return 0
  const known = version.offsets.indexOf(fromOffset)
  if (known >= 0 && !isForeign) return known
  return records.length > 0 ? version.records.indexOf(records[0]!) : version.records.length
}

/** An offset that the origin never told its writer cannot be held against it. */
function offsetIs(version: Version, position: number, offset: string | null): boolean {
  const known = version.offsets[position]
  return known === undefined || known === offset
}

/** A stream that is not there: never was, deleted, or expired. */
export function saysGone(status: number | null): boolean {
  return status === 404 || status === 410
}
