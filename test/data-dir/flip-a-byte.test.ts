/** A byte that is changed in the files of both servers: where, and that nothing else is. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { flipAByte, recordsOnDisk } from '../../harness/data-dir/flip-a-byte.ts'
import { encodeRecord, findRecords } from '../../harness/record.ts'

let folder: string
const text = 'text/plain'
const json = 'application/json'
const file = path.join('streams', 'a', 'data.seg')

function frame(message: Buffer, end = ''): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(message.length)
  return Buffer.concat([length, message, Buffer.from(end)])
}

/** Three records of a stream, as the production server stores them or, with a comma and a line feed, the other one. */
async function store(contentType: string, comma = '', end = ''): Promise<Buffer> {
  const content = Buffer.concat([1, 2, 3].map((n) => frame(Buffer.concat([encodeRecord(1, `a/1.${n}`, contentType, 40), Buffer.from(comma)]), end)))
  await writeFile(path.join(folder, file), content)
  return content
}

/** Where two files differ. */
async function differences(before: Buffer): Promise<number[]> {
  const after = await readFile(path.join(folder, file))
  expect(after.length).toBe(before.length)
  return [...before.keys()].filter((at) => before[at] !== after[at])
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'flip-'))
  await mkdir(path.join(folder, 'streams', 'a'), { recursive: true })
  await mkdir(path.join(folder, 'streams', 'b'))
  await writeFile(path.join(folder, 'streams', 'b', 'data.seg'), frame(encodeRecord(1, 'b/1.2', text, 40)))
})
afterEach(() => rm(folder, { recursive: true }))

describe.each([
  ['bytes of the production server', text, '', ''],
  ['binary of the production server', 'application/octet-stream', '', ''],
  ['JSON of the production server', json, '', ''],
  ['bytes of the reference server', text, '', '\n'],
  ['JSON of the reference server', json, ',', '\n'],
])('in %s', (_what, contentType, comma, end) => {
  it('one byte of the payload changes, and that record alone is none any more', async () => {
    const before = await store(contentType, comma, end)
    const flipped = await flipAByte(folder, { record: 'a/1.2', contentType }, { where: 'payload' })
    expect(flipped).toEqual({ file, at: expect.any(Number), before: before[flipped!.at], after: before[flipped!.at]! ^ 1 })
    expect(await differences(before)).toEqual([flipped!.at])
    const after = await readFile(path.join(folder, file))
    const messages = after.length / 3
    const records = [0, 1, 2].map((n) => after.subarray(n * messages + 4, (n + 1) * messages - end.length - comma.length))
    const found = records.map((record) => findRecords(contentType === json ? Buffer.from(`[${record.toString()}]`) : record, contentType))
    expect(found.map(({ damaged }) => damaged.length)).toEqual([0, 1, 0])
  })

  it.each([0, 1, 2, 3])('byte %i of the length before it changes', async (lengthByte) => {
    const before = await store(contentType, comma, end)
    const flipped = await flipAByte(folder, { record: 'a/1.2', contentType }, { where: 'length', lengthByte })
    expect(flipped!.at).toBe(before.length / 3 + lengthByte)
    expect(await differences(before)).toEqual([flipped!.at])
  })
})

it('a record that is not there, or no longer whole, is not found', async () => {
  await store(text)
  const payload = { where: 'payload' as const }
  expect(await flipAByte(folder, { record: 'c/1.2', contentType: text }, payload)).toBeNull()
  expect(await flipAByte(path.join(folder, 'nothing'), { record: 'a/1.2', contentType: text }, payload)).toBeNull()
  await flipAByte(folder, { record: 'a/1.2', contentType: text }, payload)
  expect(await flipAByte(folder, { record: 'a/1.2', contentType: text }, payload)).toBeNull()
})

it('a number that is not the length of the record is left alone', async () => {
  const before = await store(text, '??')
  await expect(flipAByte(folder, { record: 'a/1.2', contentType: text }, { where: 'length', lengthByte: 0 })).rejects.toThrow('are not its length')
  expect(await differences(before)).toEqual([])
  await writeFile(path.join(folder, file), encodeRecord(1, 'a/1.2', text, 40))
  await expect(flipAByte(folder, { record: 'a/1.2', contentType: text }, { where: 'length', lengthByte: 0 })).rejects.toThrow('are not its length')
})

it('which records still stand there is looked for in all files', async () => {
  await store(text)
  const sought = ['a/1.1', 'a/1.2', 'a/1.3', 'b/1.2', 'b/1.3'].map((record) => ({ record, contentType: text }))
  expect(await recordsOnDisk(folder, sought)).toEqual(new Set(['a/1.1', 'a/1.2', 'a/1.3', 'b/1.2']))
  await flipAByte(folder, { record: 'a/1.2', contentType: text }, { where: 'payload' })
  await rm(path.join(folder, 'streams', 'b'), { recursive: true })
  expect(await recordsOnDisk(folder, sought)).toEqual(new Set(['a/1.1', 'a/1.3']))
  expect(await recordsOnDisk(path.join(folder, 'nothing'), sought)).toEqual(new Set())
})
