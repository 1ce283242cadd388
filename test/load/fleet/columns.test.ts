import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readColumns, writeColumns } from '../../../harness/load/fleet/columns.ts'
import { Crowd } from '../../../harness/load/fleet/crowd.ts'
import { crowdFigures } from '../../../harness/load/fleet/figures.ts'
import { outcomes, type Outcome } from '../../../harness/load/fleet/outcomes.ts'
import { summarize } from '../../../harness/load/fleet/summary.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'columns-'))
})
afterAll(() => rm(folder, { recursive: true }))

interface Story {
  status: number
  outcome: Outcome
  error: string | undefined
  body: string
  etag: string | undefined
}

const story: fc.Arbitrary<Story> = fc.record({
  status: fc.constantFrom(0, 200, 404),
  outcome: fc.constantFrom(...outcomes.slice(1)),
  error: fc.option(fc.constantFrom('ECONNRESET', 'chunk-end'), { nil: undefined }),
  body: fc.constantFrom('', 'a', 'ab', 'b'),
  etag: fc.option(fc.constantFrom('"1"', '"2"', ''), { nil: undefined }),
})

function crowdOf(stories: Story[]): Crowd {
  const shape = { readers: stories.length, requests: 1, captureHeaders: ['etag'], sse: false }
  const crowd = new Crowd(shape, () => {})
  stories.forEach(({ status, outcome, error, body, etag }, reader) => {
    crowd.connecting(reader)
    crowd.connected(reader)
    crowd.sent(reader)
    crowd.status[reader] = status
    if (status !== 0) crowd.bodies.push(reader, Buffer.from(body), 0, body.length)
    if (etag !== undefined) {
      const bytes = Buffer.from(etag)
      crowd.headers[0]![reader] = crowd.headerValues[0]!.indexOf(bytes, 0, bytes.length)
    }
    crowd.finish(reader, outcome, error)
  })
  return crowd
}

describe('a column file', () => {
  it('gives back what was written', async () => {
    const file = path.join(folder, 'round-trip')
    fc.assert(
      fc.property(fc.array(story, { minLength: 1, maxLength: 40 }), (stories) => {
        const crowd = crowdOf(stories)
        writeColumns(file, crowd)
        const columns = readColumns(file)
        expect(columns.readers).toBe(stories.length)
        stories.forEach((told, reader) => {
          const row = columns.row(reader)
          expect(row.status).toBe(told.status)
          expect(row.outcome).toBe(told.outcome)
          expect(row.error).toBe(told.error)
          expect(row.headers.etag).toBe(told.etag)
          expect(row.bodyBytes).toBe(told.status === 0 ? 0 : told.body.length)
          expect(row.bodyHash === undefined).toBe(told.status === 0)
          expect(row.sentMs).toBe(crowd.sentMs[reader])
          expect(row.firstByteMs).toBeNaN()
        })
      }),
    )
  })

  it('counts for the history what its rows say', async () => {
    const file = path.join(folder, 'figures')
    const row = { status: 200, error: undefined, etag: '"1"' }
    const crowd = crowdOf([
      { ...row, body: 'a', outcome: 'complete' },
      { ...row, body: 'b', outcome: 'complete', etag: '"2"' },
      { ...row, body: 'a', outcome: 'truncated' },
    ])
    writeColumns(file, crowd)
    const columns = readColumns(file)
    const summary = { ...summarize(crowd), columnsFile: file, memory: { kbPerReader: 2 } }
    const figures = crowdFigures({ summary: summary as never, columns })
    expect(Object.values(figures.hashes)).toEqual([2, 1])
    expect(figures.hashes[columns.row(1).bodyHash!]).toBe(1)
    expect(figures.headers).toEqual({ etag: { '"1"': 2, '"2"': 1 } })
    expect(figures.outcomes).toEqual({ complete: 2, truncated: 1 })
    expect(figures.readerBytes).toBe(2_048)
    expect(figures.firstSentAtMs).toBe(crowd.sentMs[0])
  })

  it('that is cut short or something else is refused by name', async () => {
    const file = path.join(folder, 'cut')
    const one: Story = { status: 200, outcome: 'complete', error: undefined, body: '', etag: '' }
    writeColumns(file, crowdOf([one]))
    const { length } = await readFile(file)
    await truncate(file, length - 3)
    expect(() => readColumns(file)).toThrow(/cut is not a fleet's column file/)
    const text = path.join(folder, 'text')
    await writeFile(text, 'hello')
    expect(() => readColumns(text)).toThrow(/text is not a fleet's column file/)
  })
})
