/** The order of a replay, with a server that answers when it is told to. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { RecordedRequest } from '../../harness/incident/recording.ts'
import type { HistoryEvent } from '../../harness/history.ts'
import type { StepContext } from '../../harness/step.ts'
import { replay, replayInterpreter } from '../../harness/steps/replay.ts'
import { until } from '../../harness/until.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'replay-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const request = (method: string, stream: string, atMs: number, tookMs = 1): RecordedRequest => ({ atMs, tookMs, method, path: stream, query: [], status: 200, requestBytes: null, headers: {} })

/** Replays these; writes to /slow are answered when `answer` is called. */
function replaying(requests: RecordedRequest[]) {
  const recording = path.join(folder, 'some.jsonl')
  writeFileSync(recording, requests.map((line) => JSON.stringify(line)).join('\n'))
  const { promise: slow, resolve: answer } = Promise.withResolvers<void>()
  const sent: string[] = []
  const recorded: HistoryEvent[] = []
  const operations = {
    async glance(_via: string, method: string, target: string) {
      sent.push(`${method} ${target}`)
      if (method !== 'GET' && target === '/slow') await slow
      return { status: 200, headers: {} }
    },
  }
  const signal = new AbortController().signal
  const context = { operations, recorder: { record: (event: HistoryEvent) => recorded.push(event) }, signal, stopping: signal, seed: 1 } as unknown as StepContext
  return { sent, recorded, answer, done: replayInterpreter(replay({ recording, speed: 100 }), context) }
}

const allSent = (sent: string[], count: number) => until(() => sent.length >= count, { for: `${count} requests`, timeoutMs: 5_000 })

describe('a replay', () => {
  test('sends a read after the answer to the write that it followed then, and nobody else waits', async () => {
    const { sent, recorded, answer, done } = replaying([request('DELETE', '/slow', 0), request('GET', '/slow', 5), request('GET', '/other', 10)])
    await allSent(sent, 2)
    expect(sent).toEqual(['DELETE /slow', 'GET /other'])
    answer()
    await done
    expect(sent).toEqual(['DELETE /slow', 'GET /other', 'GET /slow'])
    expect(recorded).toHaveLength(3)
  })

  test('sends side by side what was in flight side by side', async () => {
    const { sent, answer, done } = replaying([request('POST', '/slow', 0, 50), request('POST', '/slow', 5, 50), request('GET', '/slow', 10)])
    await allSent(sent, 3)
    expect(sent).toEqual(['POST /slow', 'POST /slow', 'GET /slow'])
    answer()
    await done
  })
})
