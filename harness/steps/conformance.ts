/**
 * Upstream's conformance suite by several ways at once, each in a program of its own, and each
 * test's result in the history. What keeps a suite from its end is a shortfall of ours.
 */
import { fileURLToPath } from 'node:url'
import { parseMessage, pinnedSuite, suiteName, type SuiteMessage, type SuitePlan } from '../conformance/suite-plan.ts'
import type { Via } from '../history.ts'
import { urlByName } from '../operations.ts'
import type { Conversation } from '../runtime/runtime.ts'
import type { Interpreter, StepContext } from '../step.ts'
import { within } from '../until.ts'

export interface Conformance {
  kind: 'conformance'
  via: Via[]
  /** What is judged, where one scenario judges several. */
  subject?: string
}

/** Runs the suite by each of these ways, side by side: most of its time is waiting. */
export function conformance(options: Omit<Conformance, 'kind'>): Conformance {
  return { kind: 'conformance', ...options }
}

const suiteProgram = fileURLToPath(new URL('../conformance/run-suite.ts', import.meta.url))
/** The suite asks for streams here, whatever its subject says. */
const suiteBase = '/v1/stream/'
/** It takes 20 s where nothing else runs. */
const suiteTimeoutMs = 180_000

export const conformanceInterpreter: Interpreter<Conformance> = async ({ via, subject }, context) => {
  if (subject !== undefined) context.progress(`the conformance suite, on the origin ${subject}`)
  await Promise.all(via.map((way, index) => runSuite(context, { via: way, subject }, { of: via.length, index })))
}

interface Way {
  via: Via
  subject: string | undefined
}

async function runSuite(context: StepContext, way: Way, place: SuitePlan['place']): Promise<void> {
  const because = await shortfallOf(context, way, place)
  if (because !== null) context.recorder.record({ kind: 'shortfall', what: suiteName(way), because })
}

/** What kept the suite from its end; null when it got there. */
async function shortfallOf(context: StepContext, way: Way, place: SuitePlan['place']): Promise<string | null> {
  const { world, signal } = context
  if (world.capabilities.streamBase !== suiteBase) {
    return `The suite asks for streams below ${suiteBase}; this origin has them below ${world.capabilities.streamBase}.`
  }
  const plan = planOf(context, way.via, place)
  const program = await world.converse(suiteName(way).replaceAll('/', '-'), suiteProgram, [JSON.stringify(plan)])
  const kill = () => void program.kill()
  signal.addEventListener('abort', kill, { once: true })
  try {
    return await within(follow(context, way, program), { for: 'the suite to end', timeoutMs: suiteTimeoutMs })
  } catch (error) {
    return `The suite did not end: ${error instanceof Error ? error.message : String(error)}`
  } finally {
    signal.removeEventListener('abort', kill)
    await program.kill()
  }
}

function planOf({ world }: StepContext, via: Via, place: SuitePlan['place']): SuitePlan {
  const endpoint = world.endpoint(via)
  return {
    url: urlByName(endpoint),
    caPem: endpoint.tls?.caPem ?? null,
    headers: endpoint.headers ?? {},
    longPollTimeoutMs: world.capabilities.longPollTimeoutMs,
    place,
  }
}

async function follow(context: StepContext, { via, subject }: Way, program: Conversation): Promise<string | null> {
  let last: SuiteMessage | null = null
  for await (const line of program.lines) {
    const message = parseMessage(line)
    if (message === null) continue
    last = message
    if (message.event === 'begin' && message.suite !== pinnedSuite.version) {
      return `The suite that is installed is ${message.suite}, not ${pinnedSuite.version}: run npm ci.`
    }
    if (message.event !== 'test') continue
    const { event: _, ...result } = message
    context.recorder.record({ kind: 'conformance', via, ...(subject === undefined ? {} : { subject }), ...result })
  }
  if (last?.event === 'end') return null
  if (last?.event === 'failed') return `The suite could not be run: ${last.because}.`
  const { code, signal } = await program.exited
  const said = (await program.lastLogLines(3)).join(' ')
  return `The suite ended by ${signal ?? `exit code ${code}`} before its last test. ${said}`.trim()
}
