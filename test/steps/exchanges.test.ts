/** Requests as they stand in a scenario, with the origin's paths and the last offset filled in. */
import { expect, it } from 'vitest'
import type { Via } from '../../harness/history.ts'
import type { StepContext } from '../../harness/step.ts'
import { exchanges, exchangesInterpreter, type ExchangeRequest } from '../../harness/steps/exchanges.ts'

async function sent(...requests: ExchangeRequest[]): Promise<string[]> {
  const lines: string[] = []
  const exchange = async (label: string, via: Via, method: string, path: string, headers: Record<string, string>, body?: Buffer) => {
    lines.push(`${label}: ${method} ${path} ${via} ${JSON.stringify(headers)} ${body?.toString() ?? ''}`.trim())
    return label === 'lost' ? null : { status: 200, headers: { 'stream-next-offset': `${lines.length}&` }, body: Buffer.alloc(0) }
  }
  const context = { operations: { exchange }, world: { capabilities: { streamBase: '/v1/stream/' } }, signal: new AbortController().signal }
  await exchangesInterpreter(exchanges(requests), context as unknown as StepContext)
  return lines
}

it('are sent below the path of the streams, by the way that is asked for, in their order', async () => {
  expect(
    await sent({ label: 'a', method: 'PUT', stream: 'one', headers: { 'stream-forked-from': '{base}two' }, body: 'x' }, { label: 'b', method: 'DELETE', stream: 'one', via: 'edge' }),
  ).toEqual(['a: PUT /v1/stream/one origin {"stream-forked-from":"/v1/stream/two"} x', 'b: DELETE /v1/stream/one edge {}'])
})

it('ask at the offset that the stream\'s last answer told, or at the start', async () => {
  const poll = (label: string, stream: string) => ({ label, method: 'GET' as const, stream, query: 'offset={tail}' })
  const lines = await sent(poll('first', 'one'), { label: 'lost', method: 'GET', stream: 'one' }, poll('second', 'one'), poll('other', 'two'))
  expect(lines.map((line) => line.split(' ')[2])).toEqual(['/v1/stream/one?offset=-1', '/v1/stream/one', '/v1/stream/one?offset=1%26', '/v1/stream/two?offset=-1'])
})
