/** Every check by its id, and the constructors by which scenarios name them. */
import type { AnyCheck, CheckSpec } from './check.ts'
import type { RowId } from './checklist.ts'
import { everyStreamStillExistsCheck } from './checks/every-stream-still-exists.ts'
import { killsHitAWorkingServerCheck } from './checks/kills-hit-a-working-server.ts'
import { nothingAcknowledgedIsLostCheck } from './checks/nothing-acknowledged-is-lost.ts'
import { nothingIsTornCheck } from './checks/nothing-is-torn.ts'
import { nothingIsTwiceCheck } from './checks/nothing-is-twice.ts'
import { orderIsKeptCheck } from './checks/order-is-kept.ts'
import { readyWithinCheck } from './checks/ready-within.ts'

const all: readonly AnyCheck[] = [
  everyStreamStillExistsCheck,
  killsHitAWorkingServerCheck,
  nothingAcknowledgedIsLostCheck,
  nothingIsTornCheck,
  nothingIsTwiceCheck,
  orderIsKeptCheck,
  readyWithinCheck,
]

/** The check with this id. Throws TypeError where there is none. */
export function checkById(id: string): AnyCheck {
  const check = all.find((candidate) => candidate.id === id)
  if (!check) throw new TypeError(`no check is called "${id}"`)
  return check
}

function constructor<Limits extends object>(check: { id: string; init(limits: Limits): unknown }) {
  return (limits?: Limits, rows?: RowId[]): CheckSpec => ({
    check: check.id,
    limits: { ...limits },
    ...(rows ? { rows } : {}),
  })
}

export const everyStreamStillExists = constructor(everyStreamStillExistsCheck)
export const killsHitAWorkingServer = constructor(killsHitAWorkingServerCheck)
export const nothingAcknowledgedIsLost = constructor(nothingAcknowledgedIsLostCheck)
export const nothingIsTorn = constructor(nothingIsTornCheck)
export const nothingIsTwice = constructor(nothingIsTwiceCheck)
export const orderIsKept = constructor(orderIsKeptCheck)
export const readyWithin = constructor(readyWithinCheck)
