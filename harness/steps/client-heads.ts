/** An application asks its client library for the state of a stream that is there, and of one that is not. */
import { monotonicMs } from '../clock.ts'
import type { ClientEvent } from '../load/client/plan.ts'
import type { ClientProgram } from '../load/client/launch.ts'
import { urlByName } from '../operations.ts'
import type { Interpreter, StepContext } from '../step.ts'
import { streamKind } from '../streams.ts'
import { settlesWithin } from '../until.ts'
import { createOne } from './create-streams.ts'

export interface ClientHeads {
  kind: 'client-heads'
}

/** Asks once for each. */
export function clientHeads(): ClientHeads {
  return { kind: 'client-heads' }
}

/** Long enough for many tries. */
const answerWithinMs = 3_000

type Headed = Extract<ClientEvent, { event: 'headed' }>

export const clientHeadsInterpreter: Interpreter<ClientHeads> = async (_step, context) => {
  const { path } = await createOne(context, { ...streamKind('json'), records: 1 }, 'head-of-a-stream')
  await using stack = new AsyncDisposableStack()
  const program = stack.adopt(await context.world.startClient(), (started) => started.close())
  await ask(context, program, { id: 'there', path, isThere: true })
  await ask(context, program, { id: 'missing', path: `${context.world.capabilities.streamBase}head-of-nothing`, isThere: false })
}

async function ask({ world, recorder }: StepContext, program: ClientProgram, { id, path, isThere }: { id: string; path: string; isThere: boolean }): Promise<void> {
  let requests = 0
  let headed: Headed | null = null
  const { promise, resolve } = Promise.withResolvers<void>()
  program.onEvent((event) => {
    if (event.event === 'sent' && event.reader === id) requests += 1
    if (event.event !== 'headed' || event.id !== id) return
    headed = event
    resolve()
  })
  const askedAtMs = monotonicMs()
  program.send({ head: { id, url: `${urlByName(world.endpoint('tls'))}${path}` } })
  await settlesWithin(promise, answerWithinMs)
  const told = headed as Headed | null
  const outcome = told === null ? 'none' : told.error === null ? 'state' : 'error'
  const seen = { ...(told?.status == null ? {} : { status: told.status }), ...(told?.error == null ? {} : { error: told.error }) }
  recorder.record({ kind: 'client-head', client: program.client, stream: path, isThere, outcome, ...seen, requests, tookMs: monotonicMs() - askedAtMs })
}
