import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readableEvidence } from '../../harness/report/readable-evidence.ts'

const sha = '8d958d5cec9e74df2115877f0a1b2c3d4e5f60718293a4b5c6d7e8f901234567'

test.each([
  ['{"level":"info","ts":1795549600.69,"logger":"tls","msg":"finished cleaning storage units"}', 'info tls: finished cleaning storage units'],
  ['{"level":"error","ts":1,"msg":"no data_dir","error":"permission denied"}', 'error: no data_dir (error: permission denied)'],
  ['{"level":"info","logger":"tls","msg":"skipping","storage":"FileStorage:/tmp/x', 'info tls: skipping'],
  ['{"msg":"half a line, cut \\"here', '{"msg":"half a line, cut \\"here'],
  [`bodies ${sha}`, 'bodies 8d958d5c…'],
  ['instance d1801d2f-a496-47dc-ac8c-5e66be28ff77', 'instance d1801d2f…'],
  ['next offset 0000000000000000_0000000000008550', 'next offset 0000000000000000_0000000000008550'],
  ['123456789012345678901234567890 bytes', '123456789012345678901234567890 bytes'],
  ['open /tmp/durable-streams-simulation-0/2026-11-24T19-46-37-af2c/kill-under-load-yXx/origin/db: locked', 'open …/kill-under-load-yXx/origin/db: locked'],
  ['GET /v1/stream/a answered 404', 'GET /v1/stream/a answered 404'],
  ['{}', '{}'],
  ['{"level":"info"}', '{"level":"info"}'],
])('%s', (line, words) => {
  expect(readableEvidence(line)).toBe(words)
})

test('no line becomes longer', () => {
  const logged = fc.record({ level: fc.string(), logger: fc.string(), msg: fc.string(), error: fc.jsonValue() }, { requiredKeys: [] })
  const line = fc.oneof(fc.string(), fc.jsonValue().map((value) => JSON.stringify(value)), logged.map((value) => JSON.stringify(value)))
  fc.assert(fc.property(line, (given) => {
    expect(readableEvidence(given).length).toBeLessThanOrEqual(given.length)
  }))
})
