/** The checks of the generic suite: what holds with any variant of the origin. */
import type { CheckSpec } from './check-spec.ts'
import {
  answersAreTheSame,
  edgeTellsTheTruth,
  eventsPassUnbuffered,
  liveReadersMissNothing,
  liveReadersResume,
  noAnswerIsWrong,
  nothingAcknowledgedIsLost,
  nothingIsTorn,
  routineIsDone,
} from './checks.ts'
import { readModes } from './history.ts'
import { scheduledStreams } from './steps/with-variant.ts'

/** Judges what the steps of `withVariant` saw; `more` is what this variant alone is asked. */
export function checksWithVariant(variant: string, more: CheckSpec[] = []): CheckSpec[] {
  return [
    routineIsDone({ routines: [variant] }),
    answersAreTheSame(),
    eventsPassUnbuffered({ afterAckMs: 1_000, arrivalsMin: 20 }),
    liveReadersMissNothing(),
    liveReadersResume(),
    noAnswerIsWrong({ except: scheduledStreams }),
    ...everyModeTellsTheTruth(),
    ...more,
    nothingAcknowledgedIsLost({ except: scheduledStreams }),
    nothingIsTorn(),
  ]
}

/**
 * The differential history of each read mode, for a schedule beside clients at work: of few paths, and with readers
 * that are cut off at the end, so that what says nothing is a larger share.
 */
export function everyModeTellsTheTruth(): CheckSpec[] {
  return readModes.map((mode) => edgeTellsTheTruth({ mode, voidShareMax: 0.6 }))
}
