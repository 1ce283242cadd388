import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HistoryFile, readHistory, type HistoryCondition } from '../harness/history-file.ts'
import type { HistoryEvent } from '../harness/history.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'history-file-'))
})
afterAll(() => rm(root, { recursive: true }))

async function newFolder(): Promise<string> {
  const folder = path.join(root, randomBytes(6).toString('hex'))
  await mkdir(folder)
  return folder
}

function shortfalls(count: number, because = (n: number) => `naïve 日本 \u{1f30a} "${n}"\n\u2028`): HistoryEvent[] {
  return Array.from({ length: count }, (_, n) => ({ kind: 'shortfall', what: 'w', because: because(n), seq: n + 1, atMs: n / 3, scenario: 's' }))
}

async function write(folder: string, events: HistoryEvent[], bytesMax?: number): Promise<void> {
  const history = new HistoryFile(folder, bytesMax)
  for (const [index, event] of events.entries()) {
    history.write(event)
    if (index % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await history.close()
}

async function read(folder: string): Promise<HistoryCondition & { read: HistoryEvent[] }> {
  const found: HistoryEvent[] = []
  const condition = await readHistory(folder, (event) => found.push(event))
  return { ...condition, read: found }
}

describe('a history', () => {
  it('is read as it was written, over many files', async () => {
    const folder = await newFolder()
    const events = shortfalls(200)
    await write(folder, events, 2_000)
    const names = (await readdir(folder)).toSorted()
    expect(names.slice(0, 2)).toEqual(['history-0001.jsonl', 'history-0002.jsonl'])
    expect(names.length).toBeGreaterThan(5)
    const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).size))
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2_000)
    expect(await read(folder)).toEqual({ files: names.length, events: 200, torn: false, damage: [], read: events })
  })

  it('holds lines that are longer than what is read at once', async () => {
    const folder = await newFolder()
    const events = shortfalls(4, (n) => 'x'.repeat(n * 1_000_003))
    await write(folder, events)
    expect((await read(folder)).read).toEqual(events)
  })

  it('that was cut anywhere gives what was whole, and says so', async () => {
    const folder = await newFolder()
    const events = shortfalls(20)
    await write(folder, events)
    const file = path.join(folder, 'history-0001.jsonl')
    const bytes = await readFile(file)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: bytes.length }), async (length) => {
        await writeFile(file, bytes.subarray(0, length))
        const { read: found, torn, damage } = await read(folder)
        const kept = bytes.subarray(0, length).toString('latin1')
        // A last line that lacks nothing but its end is whole.
        const whole = kept.split('\n').length - 1 + (bytes[length] === 0x0a ? 1 : 0)
        expect({ found, torn, damage }).toEqual({ found: events.slice(0, whole), torn: !kept.endsWith('\n') && bytes[length] !== 0x0a, damage: [] })
      }),
      { numRuns: 60 },
    )
  })

  it.each<[string, (lines: string[]) => string[], string]>([
    ['a missing line', (lines) => lines.toSpliced(6, 1), 'event 7 is not where it should be, at line 7'],
    ['two lines in the other order', (lines) => lines.with(3, lines[4]!).with(4, lines[3]!), 'event 4 is not where it should be, at line 4'],
    ['half a line in the middle', (lines) => lines.with(2, lines[2]!.slice(0, 20)), 'line 3 of history-0001.jsonl is no event'],
    ['a line that is something else', (lines) => lines.with(2, '{"kind":"ok"}'), 'line 3 of history-0001.jsonl is no event'],
    ['a line of nothing', (lines) => lines.with(2, ''), 'line 3 of history-0001.jsonl is no event'],
  ])('tells of %s', async (_, damage, told) => {
    const folder = await newFolder()
    await write(folder, shortfalls(10))
    const file = path.join(folder, 'history-0001.jsonl')
    const lines = (await readFile(file, 'utf8')).split('\n')
    await writeFile(file, damage(lines).join('\n'))
    const condition = await read(folder)
    expect(condition.damage[0]).toContain(told)
    expect(condition.torn).toBe(false)
  })

  it('of which a whole file is missing, or ends early, is damaged, not torn', async () => {
    const folder = await newFolder()
    await write(folder, shortfalls(60), 1_000)
    const first = path.join(folder, 'history-0001.jsonl')
    await truncate(first, (await stat(first)).size - 10)
    expect(await read(folder)).toMatchObject({ torn: false, damage: [expect.stringContaining('history-0001.jsonl is no event'), expect.stringContaining('at line 1 of history-0002.jsonl')] })
    await rm(first)
    expect((await read(folder)).damage[0]).toContain('event 1 is not where it should be, at line 1 of history-0002.jsonl')
  })

  it('of a folder without one is no event', async () => {
    expect(await read(await newFolder())).toEqual({ files: 0, events: 0, torn: false, damage: [], read: [] })
  })
})

describe('a history that cannot be written', () => {
  it('is told to the next event, and at the end', async () => {
    const history = new HistoryFile(path.join(root, 'not', 'there'))
    const [first, second] = shortfalls(2)
    history.write(first!)
    await expect.poll(() => thrownBy(() => history.write(second!))).toMatchObject({ code: 'ENOENT' })
    await expect(history.close()).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('is refused before it fills the memory', () => {
    const history = new HistoryFile(path.join(root, 'never-made'))
    const [event] = shortfalls(1, () => 'x'.repeat(1024 * 1024))
    const thrown = thrownBy(() => {
      for (let n = 0; n < 100; n += 1) history.write(event!)
    })
    expect(thrown).toMatchObject({ name: 'HarnessError', message: expect.stringContaining('behind with the history') })
  })

  it('takes nothing more once it was closed', async () => {
    const folder = await newFolder()
    const history = new HistoryFile(folder)
    const [first, second] = shortfalls(2)
    history.write(first!)
    await history.close()
    history.write(second!)
    expect((await read(folder)).events).toBe(1)
    expect(await readdir(folder)).toEqual(['history-0001.jsonl'])
  })
})

function thrownBy(act: () => void): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return null
}
