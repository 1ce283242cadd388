/** What a crash in the middle of an append leaves behind, in the files of both servers. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { leaveACrash } from '../../harness/data-dir/leave-a-crash.ts'
import { scanSegment } from '../../harness/data-dir/segment-file.ts'

let folder: string
let file: string
const frame = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)])

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'crash-'))
  await mkdir(path.join(folder, 'streams', 'a'), { recursive: true })
  await mkdir(path.join(folder, 'streams', 'b'))
  file = path.join(folder, 'streams', 'a', 'data.seg')
  await writeFile(file, frame('@r a/1.1'))
  await writeFile(path.join(folder, 'streams', 'b', 'data.seg'), frame('@r b/1.1'))
})
afterEach(() => rm(folder, { recursive: true }))

it('puts a whole message behind the last one, that the metadata knows nothing of', async () => {
  expect(await leaveACrash(folder, '@r a/1.', Buffer.from('@r a/1.2'), 'whole')).toEqual({ bytesBefore: 12, bytesAfter: 24 })
  expect(await scanSegment(file, 12)).toMatchObject({ whole: { messages: 2 }, committed: { messages: 1 }, tornBytes: 0, damage: null })
})

it('puts half a message there', async () => {
  expect(await leaveACrash(folder, '@r a/1.', Buffer.from('@r a/1.2'), 'half')).toEqual({ bytesBefore: 12, bytesAfter: 18 })
  expect(await scanSegment(file, 12)).toMatchObject({ whole: { messages: 1 }, wholeBytes: 12, tornBytes: 6 })
})

it('ends a message of the reference server as that does', async () => {
  await writeFile(path.join(folder, 'metadata.lmdb'), '')
  await leaveACrash(folder, '@r a/1.', Buffer.from('@r a/1.2'), 'whole')
  expect((await readFile(file)).at(-1)).toBe('\n'.charCodeAt(0))
})

it('touches no other stream, and finds none that is not there', async () => {
  await leaveACrash(folder, '@r a/1.', Buffer.from('@r a/1.2'), 'whole')
  expect(await readFile(path.join(folder, 'streams', 'b', 'data.seg'))).toEqual(frame('@r b/1.1'))
  expect(await leaveACrash(folder, '@r c/1.', Buffer.from('@r c/1.2'), 'whole')).toBeNull()
  expect(await leaveACrash(path.join(folder, 'nothing'), '@r a/1.', Buffer.from('x'), 'half')).toBeNull()
})
