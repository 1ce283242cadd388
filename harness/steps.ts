/** Every kind of step with its interpreter. A kind without one does not compile. */
import type { AnyStep, Interpreter } from './step.ts'
import { appendInterpreter, type Append } from './steps/append.ts'
import { conformanceInterpreter, type Conformance } from './steps/conformance.ts'
import { createStreamsInterpreter, type CreateStreams } from './steps/create-streams.ts'
import { crashInAppendInterpreter, type CrashInAppend } from './steps/crash-in-append.ts'
import { cutPowerInterpreter, type CutPower } from './steps/cut-power.ts'
import { duringInterpreter, type During } from './steps/during.ts'
import { faultInterpreter, type Fault } from './steps/fault.ts'
import { lifelinesInterpreter, type Lifelines } from './steps/lifelines.ts'
import { refusedCreatesInterpreter, type RefusedCreates } from './steps/refused-creates.ts'
import { watchDiskInterpreter, type WatchDisk } from './steps/watch-disk.ts'
import { flipAByteInterpreter, type FlipAByte } from './steps/flip-a-byte.ts'
import { awaitReadersInterpreter, followInterpreter, type AwaitReaders, type Follow } from './steps/follow.ts'
import { closeStreamsInterpreter, type CloseStreams } from './steps/close-streams.ts'
import { awaitEventsInterpreter, type AwaitEvents } from './steps/await-events.ts'
import { lookInterpreter, askAsStrangerInterpreter, type Look, type AskAsStranger } from './steps/look.ts'
import { operateInterpreter, seeVariantsInterpreter, padLogInterpreter, type Operate, type SeeVariants, type PadLog } from './steps/routines.ts'
import { generationsInterpreter, type Generations } from './steps/generations.ts'
import { oddRequestsInterpreter, type OddRequests } from './steps/odd-requests.ts'
import { handshakesInterpreter, type Handshakes } from './steps/handshakes.ts'
import { pageOperationsInterpreter, type PageOperations } from './steps/page-operations.ts'
import { pagePreflightsInterpreter, type PagePreflights } from './steps/page-preflights.ts'
import { pageTabsInterpreter, type PageTabs } from './steps/page-tabs.ts'
import { passagesInterpreter, type Passages } from './steps/passages.ts'
import { churnInterpreter, type Churn } from './steps/churn.ts'
import { secondServerInterpreter, type SecondServer } from './steps/second-server.ts'
import { producersGoOnInterpreter, producersInterpreter, type Producers, type ProducersGoOn } from './steps/producers.ts'
import { clientHeadsInterpreter, type ClientHeads } from './steps/client-heads.ts'
import { clientWritersInterpreter, type ClientWriters } from './steps/client-writers.ts'
import { clientMeetsInterpreter, clientsComeBackInterpreter, type ClientMeets, type ClientsComeBack } from './steps/clients.ts'
import { crowdInterpreter, type CrowdStep } from './steps/crowd.ts'
import { readCopiedStreamsInterpreter, type ReadCopiedStreams } from './steps/read-copied-streams.ts'
import { scheduleInterpreter, type Schedule } from './steps/schedule.ts'
import { readAllInterpreter, type ReadAllFromStart } from './steps/read-all.ts'
import { replayInterpreter, type Replay } from './steps/replay.ts'
import { soakInterpreter, type Soak } from './steps/soak.ts'
import { exchangesInterpreter, type Exchanges } from './steps/exchanges.ts'
import { repeatInterpreter, type Repeat } from './steps/repeat.ts'
import {
  killInterpreter,
  startInterpreter,
  stopInterpreter,
  type Kill,
  type Start,
  type Stop,
} from './steps/start-stop.ts'

export type Step =
  | Append
  | AskAsStranger
  | AwaitEvents
  | AwaitReaders
  | Churn
  | ClientHeads
  | ClientMeets
  | ClientWriters
  | ClientsComeBack
  | CloseStreams
  | Conformance
  | CrashInAppend
  | CutPower
  | CreateStreams
  | CrowdStep
  | During
  | Exchanges
  | Fault
  | FlipAByte
  | Follow
  | Generations
  | Handshakes
  | Kill
  | Lifelines
  | Look
  | OddRequests
  | Operate
  | PadLog
  | PageOperations
  | PagePreflights
  | PageTabs
  | Passages
  | Producers
  | ProducersGoOn
  | ReadAllFromStart
  | ReadCopiedStreams
  | RefusedCreates
  | Repeat
  | Replay
  | Schedule
  | SecondServer
  | SeeVariants
  | Soak
  | Start
  | Stop
  | WatchDisk

const interpreters: { [S in Step as S['kind']]: Interpreter<S> } = {
  append: appendInterpreter,
  soak: soakInterpreter,
  conformance: conformanceInterpreter,
  'crash-in-append': crashInAppendInterpreter,
  'cut-power': cutPowerInterpreter,
  'create-streams': createStreamsInterpreter,
  during: duringInterpreter,
  exchanges: exchangesInterpreter,
  fault: faultInterpreter,
  'flip-a-byte': flipAByteInterpreter,
  kill: killInterpreter,
  'read-all': readAllInterpreter,
  'read-copied-streams': readCopiedStreamsInterpreter,
  repeat: repeatInterpreter,
  generations: generationsInterpreter,
  schedule: scheduleInterpreter,
  replay: replayInterpreter,
  start: startInterpreter,
  lifelines: lifelinesInterpreter,
  'refused-creates': refusedCreatesInterpreter,
  'watch-disk': watchDiskInterpreter,
  'odd-requests': oddRequestsInterpreter,
  handshakes: handshakesInterpreter,
  'page-operations': pageOperationsInterpreter,
  'page-preflights': pagePreflightsInterpreter,
  'page-tabs': pageTabsInterpreter,
  passages: passagesInterpreter,
  churn: churnInterpreter,
  'second-server': secondServerInterpreter,
  crowd: crowdInterpreter,
  producers: producersInterpreter,
  'producers-go-on': producersGoOnInterpreter,
  'client-heads': clientHeadsInterpreter,
  'client-meets': clientMeetsInterpreter,
  'client-writers': clientWritersInterpreter,
  'clients-come-back': clientsComeBackInterpreter,
  stop: stopInterpreter,
  operate: operateInterpreter,
  'see-variants': seeVariantsInterpreter,
  'pad-log': padLogInterpreter,
  look: lookInterpreter,
  'ask-as-stranger': askAsStrangerInterpreter,
  follow: followInterpreter,
  'await-readers': awaitReadersInterpreter,
  'close-streams': closeStreamsInterpreter,
  'await-events': awaitEventsInterpreter,
}

/** The interpreter of a step's kind. Throws TypeError for a kind that there is none for. */
export function interpreterOf(step: AnyStep): Interpreter<AnyStep> {
  const interpreter = (interpreters as Record<string, Interpreter<never> | undefined>)[step.kind]
  if (!interpreter) throw new TypeError(`no step is called "${step.kind}"`)
  return interpreter as Interpreter<AnyStep>
}
