/** Every check by its id, and the constructors by which scenarios name them. */
import type { AnyCheck } from './check.ts'
import type { CheckSpec } from './check-spec.ts'
import type { RowId } from './checklist.ts'
import { aliveUntilExpiryCheck } from './checks/alive-until-expiry.ts'
import { exchangeIsAnsweredCheck } from './checks/exchange-is-answered.ts'
import { clientHeadEndsCheck } from './checks/client-head-ends.ts'
import { firstReadIsSharedCheck } from './checks/first-read-is-shared.ts'
import { offsetsOnlyAdvanceCheck } from './checks/offsets-only-advance.ts'
import { answersAreAsRecordedCheck } from './checks/answers-are-as-recorded.ts'
import { copiedStreamsAreWholeCheck } from './checks/copied-streams-are-whole.ts'
import { diskComesBackCheck } from './checks/disk-comes-back.ts'
import { expiredIsGoneCheck } from './checks/expired-is-gone.ts'
import { liveReadersEndCheck } from './checks/live-readers-end.ts'
import { refusedCreatesCreateNothingCheck } from './checks/refused-creates-create-nothing.ts'
import { browsersAreNotHeldToSixCheck } from './checks/browsers-are-not-held-to-six.ts'
import { operationsWorkFromAnotherOriginCheck } from './checks/operations-work-from-another-origin.ts'
import { pageReadsEveryHeaderCheck } from './checks/page-reads-every-header.ts'
import { preflightAllowsEverythingCheck } from './checks/preflight-allows-everything.ts'
import { chainIsVerifiedCheck } from './checks/chain-is-verified.ts'
import { plainHttpServesNothingCheck } from './checks/plain-http-serves-nothing.ts'
import { eventsPassUnbufferedCheck } from './checks/events-pass-unbuffered.ts'
import { filesStayBoundedCheck } from './checks/files-stay-bounded.ts'
import { secondServerIsRefusedCheck } from './checks/second-server-is-refused.ts'
import { conformanceAtOriginCheck } from './checks/conformance-at-origin.ts'
import { conformanceIsUnchangedCheck } from './checks/conformance-is-unchanged.ts'
import { conformanceThroughEdgeCheck } from './checks/conformance-through-edge.ts'
import { crowdCollapsesCheck } from './checks/crowd-collapses.ts'
import { crowdIsServedRightCheck } from './checks/crowd-is-served-right.ts'
import { countCanBeWrongCheck } from './checks/count-can-be-wrong.ts'
import { stockCacheIsMeasuredCheck } from './checks/stock-cache-is-measured.ts'
import { cursorMovesOnCheck } from './checks/cursor-moves-on.ts'
import { edgeTellsTheTruthCheck } from './checks/edge-tells-the-truth.ts'
import { revalidationIsRightCheck } from './checks/revalidation-is-right.ts'
import { headersReachTheClientCheck } from './checks/headers-reach-the-client.ts'
import { cacheMakesNoErrorsCheck } from './checks/cache-makes-no-errors.ts'
import { privateAnswersStayPrivateCheck } from './checks/private-answers-stay-private.ts'
import { offsetUrlsAreSharedCheck } from './checks/offset-urls-are-shared.ts'
import { scheduleCoversTheProductCheck } from './checks/schedule-covers-the-product.ts'
import { readersNeverSpinCheck } from './checks/readers-never-spin.ts'
import { originDownIsNotHiddenCheck } from './checks/origin-down-is-not-hidden.ts'
import { everyStreamCanBeReadCheck } from './checks/every-stream-can-be-read.ts'
import { everyStreamStillExistsCheck } from './checks/every-stream-still-exists.ts'
import { fullDiskIsReportedCheck } from './checks/full-disk-is-reported.ts'
import { killsHitAWorkingServerCheck } from './checks/kills-hit-a-working-server.ts'
import { nothingAcknowledgedIsLostCheck } from './checks/nothing-acknowledged-is-lost.ts'
import { nothingDriftsCheck } from './checks/nothing-drifts.ts'
import { nothingIsRefusedCheck } from './checks/nothing-is-refused.ts'
import { nothingIsTornCheck } from './checks/nothing-is-torn.ts'
import { nothingRefusedIsStoredCheck } from './checks/nothing-refused-is-stored.ts'
import { nothingIsTwiceCheck } from './checks/nothing-is-twice.ts'
import { orderIsKeptCheck } from './checks/order-is-kept.ts'
import { producerAnswersAreRightCheck } from './checks/producer-answers-are-right.ts'
import { liveReadersMissNothingCheck } from './checks/live-readers-miss-nothing.ts'
import { liveReadersResumeCheck } from './checks/live-readers-resume.ts'
import { noAnswerIsWrongCheck } from './checks/no-answer-is-wrong.ts'
import { stopsWithinGraceCheck } from './checks/stops-within-grace.ts'
import { routineIsDoneCheck } from './checks/routine-is-done.ts'
import { errorsReachTheHandlerCheck } from './checks/errors-reach-the-handler.ts'
import { handlerIsHonouredCheck } from './checks/handler-is-honoured.ts'
import { transientsAreOutlastedCheck } from './checks/transients-are-outlasted.ts'
import { readersMissNothingCheck } from './checks/readers-miss-nothing.ts'
import { retryAfterIsHonouredCheck } from './checks/retry-after-is-honoured.ts'
import { retriesArePacedCheck } from './checks/retries-are-paced.ts'
import { crowdComesBackSpreadCheck } from './checks/crowd-comes-back-spread.ts'
import { answersAreTheSameCheck } from './checks/answers-are-the-same.ts'
import { privateStaysPrivateCheck } from './checks/private-stays-private.ts'
import { clientWritersLoseNothingCheck } from './checks/client-writers-lose-nothing.ts'
import { damageIsReportedCheck } from './checks/damage-is-reported.ts'
import { readyWithinCheck } from './checks/ready-within.ts'

const all: readonly AnyCheck[] = [
  clientWritersLoseNothingCheck,
  errorsReachTheHandlerCheck,
  handlerIsHonouredCheck,
  transientsAreOutlastedCheck,
  readersMissNothingCheck,
  retryAfterIsHonouredCheck,
  retriesArePacedCheck,
  crowdComesBackSpreadCheck,
  producerAnswersAreRightCheck,
  answersAreAsRecordedCheck,
  exchangeIsAnsweredCheck,
  clientHeadEndsCheck,
  firstReadIsSharedCheck,
  offsetsOnlyAdvanceCheck,
  copiedStreamsAreWholeCheck,
  conformanceAtOriginCheck,
  conformanceThroughEdgeCheck,
  conformanceIsUnchangedCheck,
  cursorMovesOnCheck,
  stockCacheIsMeasuredCheck,
  countCanBeWrongCheck,
  crowdIsServedRightCheck,
  crowdCollapsesCheck,
  secondServerIsRefusedCheck,
  filesStayBoundedCheck,
  eventsPassUnbufferedCheck,
  plainHttpServesNothingCheck,
  browsersAreNotHeldToSixCheck,
  operationsWorkFromAnotherOriginCheck,
  pageReadsEveryHeaderCheck,
  preflightAllowsEverythingCheck,
  chainIsVerifiedCheck,
  refusedCreatesCreateNothingCheck,
  liveReadersEndCheck,
  expiredIsGoneCheck,
  diskComesBackCheck,
  aliveUntilExpiryCheck,
  edgeTellsTheTruthCheck,
  revalidationIsRightCheck,
  headersReachTheClientCheck,
  privateAnswersStayPrivateCheck,
  cacheMakesNoErrorsCheck,
  offsetUrlsAreSharedCheck,
  scheduleCoversTheProductCheck,
  readersNeverSpinCheck,
  originDownIsNotHiddenCheck,
  everyStreamCanBeReadCheck,
  everyStreamStillExistsCheck,
  damageIsReportedCheck,
  fullDiskIsReportedCheck,
  killsHitAWorkingServerCheck,
  nothingAcknowledgedIsLostCheck,
  nothingDriftsCheck,
  nothingIsRefusedCheck,
  nothingIsTornCheck,
  nothingIsTwiceCheck,
  nothingRefusedIsStoredCheck,
  orderIsKeptCheck,
  readyWithinCheck,
  liveReadersMissNothingCheck,
  liveReadersResumeCheck,
  noAnswerIsWrongCheck,
  stopsWithinGraceCheck,
  routineIsDoneCheck,
  answersAreTheSameCheck,
  privateStaysPrivateCheck,
]

export const checkIds: readonly string[] = all.map(({ id }) => id)

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

export const exchangeIsAnswered = constructor(exchangeIsAnsweredCheck)
export const clientHeadEnds = constructor(clientHeadEndsCheck)
export const firstReadIsShared = constructor(firstReadIsSharedCheck)
export const offsetsOnlyAdvance = constructor(offsetsOnlyAdvanceCheck)
export const everyStreamCanBeRead = constructor(everyStreamCanBeReadCheck)
export const everyStreamStillExists = constructor(everyStreamStillExistsCheck)
export const damageIsReported = constructor(damageIsReportedCheck)
export const fullDiskIsReported = constructor(fullDiskIsReportedCheck)
export const killsHitAWorkingServer = constructor(killsHitAWorkingServerCheck)
export const nothingAcknowledgedIsLost = constructor(nothingAcknowledgedIsLostCheck)
export const nothingDrifts = constructor(nothingDriftsCheck)
export const nothingIsRefused = constructor(nothingIsRefusedCheck)
export const nothingIsTorn = constructor(nothingIsTornCheck)
export const nothingIsTwice = constructor(nothingIsTwiceCheck)
export const nothingRefusedIsStored = constructor(nothingRefusedIsStoredCheck)
export const orderIsKept = constructor(orderIsKeptCheck)
export const readyWithin = constructor(readyWithinCheck)
export const aliveUntilExpiry = constructor(aliveUntilExpiryCheck)
export const diskComesBack = constructor(diskComesBackCheck)
export const expiredIsGone = constructor(expiredIsGoneCheck)
export const liveReadersEnd = constructor(liveReadersEndCheck)
export const refusedCreatesCreateNothing = constructor(refusedCreatesCreateNothingCheck)
export const browsersAreNotHeldToSix = constructor(browsersAreNotHeldToSixCheck)
export const operationsWorkFromAnotherOrigin = constructor(operationsWorkFromAnotherOriginCheck)
export const pageReadsEveryHeader = constructor(pageReadsEveryHeaderCheck)
export const preflightAllowsEverything = constructor(preflightAllowsEverythingCheck)
export const chainIsVerified = constructor(chainIsVerifiedCheck)
export const plainHttpServesNothing = constructor(plainHttpServesNothingCheck)
export const eventsPassUnbuffered = constructor(eventsPassUnbufferedCheck)
export const filesStayBounded = constructor(filesStayBoundedCheck)
export const secondServerIsRefused = constructor(secondServerIsRefusedCheck)
export const crowdCollapses = constructor(crowdCollapsesCheck)
export const crowdIsServedRight = constructor(crowdIsServedRightCheck)
export const countCanBeWrong = constructor(countCanBeWrongCheck)
export const stockCacheIsMeasured = constructor(stockCacheIsMeasuredCheck)
export const cursorMovesOn = constructor(cursorMovesOnCheck)
export const producerAnswersAreRight = constructor(producerAnswersAreRightCheck)
export const liveReadersMissNothing = constructor(liveReadersMissNothingCheck)
export const liveReadersResume = constructor(liveReadersResumeCheck)
export const noAnswerIsWrong = constructor(noAnswerIsWrongCheck)
export const stopsWithinGrace = constructor(stopsWithinGraceCheck)
export const routineIsDone = constructor(routineIsDoneCheck)
export const copiedStreamsAreWhole = constructor(copiedStreamsAreWholeCheck)
export const conformanceAtOrigin = constructor(conformanceAtOriginCheck)
export const conformanceIsUnchanged = constructor(conformanceIsUnchangedCheck)
export const conformanceThroughEdge = constructor(conformanceThroughEdgeCheck)
export const edgeTellsTheTruth = constructor(edgeTellsTheTruthCheck)
export const revalidationIsRight = constructor(revalidationIsRightCheck)
export const headersReachTheClient = constructor(headersReachTheClientCheck)
export const cacheMakesNoErrors = constructor(cacheMakesNoErrorsCheck)
export const privateAnswersStayPrivate = constructor(privateAnswersStayPrivateCheck)
export const offsetUrlsAreShared = constructor(offsetUrlsAreSharedCheck)
export const scheduleCoversTheProduct = constructor(scheduleCoversTheProductCheck)
export const answersAreAsRecorded = constructor(answersAreAsRecordedCheck)
export const errorsReachTheHandler = constructor(errorsReachTheHandlerCheck)
export const handlerIsHonoured = constructor(handlerIsHonouredCheck)
export const transientsAreOutlasted = constructor(transientsAreOutlastedCheck)
export const readersMissNothing = constructor(readersMissNothingCheck)
export const retryAfterIsHonoured = constructor(retryAfterIsHonouredCheck)
export const retriesArePaced = constructor(retriesArePacedCheck)
export const crowdComesBackSpread = constructor(crowdComesBackSpreadCheck)
export const answersAreTheSame = constructor(answersAreTheSameCheck)
export const privateStaysPrivate = constructor(privateStaysPrivateCheck)
export const clientWritersLoseNothing = constructor(clientWritersLoseNothingCheck)
export const readersNeverSpin = constructor(readersNeverSpinCheck)
export const originDownIsNotHidden = constructor(originDownIsNotHiddenCheck)

/** Of what lies on a disk: whatever was done to that, all that was acknowledged is there as it was, and nothing else. */
export function storageIsWhole(): CheckSpec[] {
  return [
    everyStreamCanBeRead(),
    nothingAcknowledgedIsLost(),
    nothingIsTwice(),
    nothingIsTorn(),
    nothingRefusedIsStored(),
    orderIsKept(),
    everyStreamStillExists(),
  ]
}
