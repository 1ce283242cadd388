/** Starts the counting tap and asks it. */
import { fileURLToPath } from 'node:url'
import type { Conversation, Runtime, Usage } from '../../runtime/runtime.ts'
import { twinEnvironment, twinProgram } from '../../twins.ts'
import { within } from '../../until.ts'
import { Dialogue, endProgram } from '../dialogue.ts'
import type { TapTally } from './counting.ts'
import type { PassedResponses } from './response-log.ts'
import type { LinkCounters, LinkState } from './link.ts'
import type { TapAnswer, TapPlan, TapQuestion } from './tap.ts'

export type { RequestCounts, TapTally } from './counting.ts'

export interface TapOptions {
  /** A port leased from the runtime; the tap leases one where it is not given. */
  listenPort?: number
  upstreamPort: number
  recordMax?: number
  eventsMax?: number
  /** Number each response by a header, and remember it for `responses`. */
  numbers?: boolean
  /** Names its log; worlds that run side by side take one each. */
  id?: string
}

export interface Tap {
  readonly port: number
  /** All since its start, of targets that begin with `prefix`. */
  counters(prefix?: string): Promise<TapTally>
  /** A moment to count from. Costs the tap nothing. */
  mark(): Promise<number>
  since(mark: number, prefix?: string): Promise<TapTally>
  /** Requests that have not been answered to their end, of targets that begin with `prefix`. */
  inFlight(prefix?: string): Promise<number>
  /** New connections go to this port from now on. */
  repoint(port: number): Promise<void>
  /** The responses to requests for this path, each told once; `forgotten` of all paths were too many to keep. */
  responses(path: string): Promise<PassedResponses>
  /** How the link is; with `state`, how it shall be from now on. */
  link(state?: LinkState): Promise<LinkCounters>
  usage(): Promise<Usage>
  close(): Promise<void>
}

const tapProgram = fileURLToPath(new URL('./tap.ts', import.meta.url))
const recordMaxUsual = 20_000
const readyMsMax = 10_000

/** Starts a tap in front of an origin. @throws HarnessError when it does not come up */
export async function openTap(runtime: Runtime, options: TapOptions): Promise<Tap> {
  const { upstreamPort, recordMax = recordMaxUsual, eventsMax, numbers = false } = options
  const listenPort = options.listenPort ?? (await runtime.leasePort())
  const plan: TapPlan = { listenPort, upstreamPort, recordMax, numbers, ...(eventsMax ? { eventsMax } : {}) }
  const twin = twinProgram('tap')
  const conversation = await runtime.converse(options.id ?? 'tap', process.execPath, [twin ?? tapProgram], ...(twin === undefined ? [] : [twinEnvironment()]))
  const dialogue: TapDialogue = new Dialogue(conversation, { of: 'tap' })
  conversation.write(JSON.stringify(plan))
  try {
    await within(dialogue.ready, { for: 'the tap to be ready', timeoutMs: readyMsMax })
    await runtime.reach([listenPort])
  } catch (error) {
    await conversation.kill()
    throw error
  }
  return tapOver(dialogue, conversation, listenPort)
}

type TapDialogue = Dialogue<TapQuestion, TapAnswer>

function tapOver(dialogue: TapDialogue, conversation: Conversation, port: number): Tap {
  const optional = (prefix?: string) => (prefix === undefined ? {} : { prefix })
  return {
    port,
    counters: async (prefix) => (await dialogue.ask<{ tally: TapTally }>({ ask: 'counters', ...optional(prefix) })).tally,
    mark: async () => (await dialogue.ask<{ mark: number }>({ ask: 'mark' })).mark,
    since: async (mark, prefix) =>
      (await dialogue.ask<{ tally: TapTally }>({ ask: 'since', mark, ...optional(prefix) })).tally,
    inFlight: async (prefix) =>
      (await dialogue.ask<{ inFlight: number }>({ ask: 'in-flight', ...optional(prefix) })).inFlight,
    repoint: async (upstream) => void (await dialogue.ask({ ask: 'repoint', port: upstream })),
    responses: (path) => dialogue.ask<PassedResponses>({ ask: 'responses', path }),
    link: async (state) => (await dialogue.ask<{ link: LinkCounters }>(state ? { ask: 'link', set: state } : { ask: 'link' })).link,
    usage: () => conversation.usage(),
    close: () => endProgram(conversation, 'the tap to end'),
  }
}
