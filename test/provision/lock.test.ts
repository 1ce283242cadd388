import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { withLock } from '../../harness/bootstrap/lock.mjs'
import { temporaryFolder } from './temporary-folder.ts'

const lockModule = path.resolve(import.meta.dirname, '../../harness/bootstrap/lock.mjs')

test('one job at a time, and the file is gone afterwards', async () => {
  using folder = temporaryFolder()
  const file = path.join(folder.path, 'lock')
  let running = 0
  let most = 0
  const job = async () => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
  }
  await Promise.all([1, 2, 3].map(() => withLock(file, { waitMs: 5_000 }, job)))
  expect(most).toBe(1)
  expect(existsSync(file)).toBe(false)
})

test('a job that fails gives the lock back', async () => {
  using folder = temporaryFolder()
  const file = path.join(folder.path, 'lock')
  await expect(
    withLock(file, { waitMs: 100 }, async () => Promise.reject(new Error('no'))),
  ).rejects.toThrow('no')
  expect(existsSync(file)).toBe(false)
})

test('the lock of a process that was killed is taken over by exactly one of several', async () => {
  using folder = temporaryFolder()
  const file = path.join(folder.path, 'lock')
  const script = `import { withLock } from ${JSON.stringify(lockModule)}
    await withLock(${JSON.stringify(file)}, { waitMs: 100 }, () => { process.kill(process.pid, 'SIGKILL') })`
  await execa(process.execPath, ['--input-type=module', '-e', script], { reject: false })
  expect(existsSync(file)).toBe(true)
  let running = 0
  const job = async () => {
    expect(++running).toBe(1)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    return 'done'
  }
  const all = await Promise.all([1, 2, 3, 4].map(() => withLock(file, { waitMs: 5_000 }, job)))
  expect(all).toEqual(['done', 'done', 'done', 'done'])
})

test('a living one is waited for, with a word, and not for ever', async () => {
  using folder = temporaryFolder()
  const file = path.join(folder.path, 'lock')
  const words: string[] = []
  const onWait = () => words.push('waiting')
  await withLock(file, { waitMs: 0 }, async () => {
    await expect(withLock(file, { waitMs: 150, onWait }, async () => {})).rejects.toThrow(
      /another run has held .*lock/,
    )
  })
  expect(words).toEqual(['waiting'])
})

test('a reused pid is not taken for the owner', async () => {
  using folder = temporaryFolder()
  const file = path.join(folder.path, 'lock')
  const owner = { pid: process.pid, startedAt: '1', host: hostname(), nonce: '' }
  writeFileSync(file, JSON.stringify(owner))
  await withLock(file, { waitMs: 100 }, async () => {
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid })
  })
  expect(existsSync(file)).toBe(false)
})
