/** Starts the fault proxy, asks it, and hands on what it observes. */
import { fileURLToPath } from 'node:url'
import type { Conversation, Runtime } from '../../runtime/runtime.ts'
import { within } from '../../until.ts'
import { Dialogue, endProgram } from '../dialogue.ts'
import type { Armed, FaultProxyAnswer, FaultProxyPlan, FaultProxyQuestion, Observation } from './faults.ts'

export interface FaultProxy {
  /** The authority of its wrong certificates, which clients are to trust. */
  readonly caPem: string
  /** A port that leads this client to the TLS edge. */
  door(client: string): Promise<number>
  arm(client: string, armed: Armed): Promise<void>
  /** How often the fault had struck. */
  disarm(client: string): Promise<number>
  endAnswers(client: string): Promise<number>
  /** Told each observation as it comes; one listener at a time. */
  onObservation(listener: (observation: Observation) => void): void
  close(): Promise<void>
}

const program = fileURLToPath(new URL('./fault-proxy.ts', import.meta.url))
const readyMsMax = 15_000

/** @throws HarnessError when it does not come up */
export async function openFaultProxy(runtime: Pick<Runtime, 'converse'>, id: string, plan: FaultProxyPlan): Promise<FaultProxy> {
  const conversation = await runtime.converse(id, process.execPath, [program])
  let listener: (observation: Observation) => void = () => {}
  const dialogue: ProxyDialogue = new Dialogue(conversation, { of: 'fault proxy', onTold: (observation) => listener(observation) })
  conversation.write(JSON.stringify(plan))
  try {
    const { caPem } = await within(dialogue.ready, { for: 'the fault proxy to be ready', timeoutMs: readyMsMax })
    return { ...proxyOver(dialogue, conversation, caPem), onObservation: (next) => void (listener = next) }
  } catch (error) {
    await conversation.kill()
    throw error
  }
}

type ProxyDialogue = Dialogue<FaultProxyQuestion, FaultProxyAnswer, { caPem: string }, Observation>

function proxyOver(dialogue: ProxyDialogue, conversation: Conversation, caPem: string): Omit<FaultProxy, 'onObservation'> {
  return {
    caPem,
    door: async (client) => (await dialogue.ask<{ port: number }>({ ask: 'door', client })).port,
    arm: async (client, armed) => void (await dialogue.ask({ ask: 'arm', client, armed })),
    disarm: async (client) => (await dialogue.ask<{ struck: number }>({ ask: 'disarm', client })).struck,
    endAnswers: async (client) => (await dialogue.ask<{ ended: number }>({ ask: 'end-answers', client })).ended,
    close: () => endProgram(conversation, 'the fault proxy to end'),
  }
}
