/** Starts the client program, and hands on what its readers see. */
import { fileURLToPath } from 'node:url'
import { HarnessError } from '../../errors.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { endProgram } from '../../services/dialogue.ts'
import { twinEnvironment, twinProgram } from '../../twins.ts'
import { within } from '../../until.ts'
import type { ClientCommand, ClientEvent } from './plan.ts'

export interface ClientProgram {
  /** The library's name and version. */
  readonly client: string
  send(command: ClientCommand): void
  /** Told each event as it comes; one listener at a time. */
  onEvent(listener: (event: ClientEvent) => void): void
  close(): Promise<void>
}

const program = fileURLToPath(new URL('./program.ts', import.meta.url))
const readyMsMax = 15_000

/** @throws HarnessError when it does not come up */
export async function launchClient(runtime: Pick<Runtime, 'converse'>, id: string, options: { caFile: string; hosts: string[] }): Promise<ClientProgram> {
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', NODE_EXTRA_CA_CERTS: options.caFile, ...twinEnvironment() }
  const conversation = await runtime.converse(id, process.execPath, [twinProgram('client') ?? program], env)
  const ready = Promise.withResolvers<string>()
  let listener: (event: ClientEvent) => void = () => {}
  const listen = async () => {
    for await (const line of conversation.lines) {
      const event = JSON.parse(line) as ClientEvent
      if (event.event === 'ready') ready.resolve(event.client)
      else listener(event)
    }
    throw new HarnessError(`The client program has ended. ${(await conversation.lastLogLines(5)).join(' ')}`.trim())
  }
  listen().catch((error: unknown) => ready.reject(error))
  try {
    const client = await within(ready.promise, { for: 'the client program to be ready', timeoutMs: readyMsMax })
    conversation.write(JSON.stringify({ hosts: options.hosts } satisfies ClientCommand))
    return {
      client,
      send: (command) => conversation.write(JSON.stringify(command)),
      onEvent: (next) => void (listener = next),
      close: () => endProgram(conversation, 'the client program to end'),
    }
  } catch (error) {
    await conversation.kill()
    throw error
  }
}
