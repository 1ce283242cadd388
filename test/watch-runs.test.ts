/** `--watch`: what counts as a change, what becomes of the run that it overtakes, and how it ends. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { filesOf, reloaded } from '../harness/plan.ts'
import { aborted, until } from '../harness/until.ts'
import { watchRuns } from '../harness/watch-runs.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'watch-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const longerThanQuietMs = 500

/** Watches `names` in a folder of their own; each run lasts until `hold` lets it go, or it is overtaken. */
function watching(name: string, names: string[], more: { holds?: boolean; include?: string } = {}) {
  const place = path.join(folder, name)
  mkdirSync(place)
  const file = (one: string) => path.join(place, one)
  for (const one of names) writeFileSync(file(one), 'first')
  const ending = new AbortController()
  const runs: { overtaken: boolean }[] = []
  const said: string[] = []
  let idle = 0
  const ended = watchRuns({
    files: names.map(file),
    signal: ending.signal,
    say: (line) => void said.push(line),
    run: async (signal, reads, nth) => {
      if (more.include !== undefined) reads(file(more.include))
      const run = { overtaken: false }
      runs.push(run)
      if (more.holds && nth === 1) await aborted(signal)
      run.overtaken = signal.aborted
      idle += 1
      return nth
    },
  })
  const ran = (n: number) => until(() => idle >= n, { for: `run ${n}`, timeoutMs: 5_000 })
  const end = async () => {
    ending.abort()
    return ended
  }
  return { file, runs, said, ran, end }
}

describe('what is watched', () => {
  test('runs again when a file has other content, once for several writes, and ends with the last run', async () => {
    const { file, runs, said, ran, end } = watching('content', ['a.ts', 'my.vcl'])
    await ran(1)
    for (const text of ['second', 'third', 'fourth']) {
      writeFileSync(file('a.ts'), text)
      writeFileSync(file('my.vcl'), text)
      await delay(20)
    }
    await ran(2)
    await delay(longerThanQuietMs)
    expect(runs).toHaveLength(2)
    expect(said.join('\n')).toMatch(/Watching 2 files: a\.ts, my\.vcl\. A change runs it again; Ctrl-C ends\.\n.*a\.ts was changed\./)
    expect(await end()).toBe(2)
  })

  test('runs again when another file takes its place, as editors save, or when what it includes changes', async () => {
    const { file, ran, end } = watching('replaced', ['a.ts', 'part.vcl'], { include: 'part.vcl' })
    await ran(1)
    writeFileSync(file('a.ts~'), 'second')
    renameSync(file('a.ts~'), file('a.ts'))
    await ran(2)
    writeFileSync(file('part.vcl'), 'second')
    await ran(3)
    expect(await end()).toBe(3)
  })

  test('does not run again for the same content, or for a file beside it', async () => {
    const { file, runs, ran, end } = watching('same', ['a.ts'])
    await ran(1)
    writeFileSync(file('a.ts'), 'first')
    utimesSync(file('a.ts'), new Date(), new Date())
    writeFileSync(file('b.ts'), 'another')
    await delay(longerThanQuietMs)
    expect(runs).toHaveLength(1)
    await end()
  })

  test('cuts the run short that a change overtakes', async () => {
    const { file, runs, ran, end } = watching('overtaken', ['a.ts'], { holds: true })
    await until(() => runs.length === 1, { for: 'the first run', timeoutMs: 5_000 })
    writeFileSync(file('a.ts'), 'second')
    await ran(2)
    expect(runs.map(({ overtaken }) => overtaken)).toEqual([true, false])
    expect(await end()).toBe(2)
  })

  test('ends at once where it is told to in the middle of a run', async () => {
    const { runs, end } = watching('ended', ['a.ts'], { holds: true })
    await until(() => runs.length === 1, { for: 'the first run', timeoutMs: 5_000 })
    expect(await end()).toBe(1)
    expect(runs).toHaveLength(1)
  })
})

describe('a scenario file', () => {
  test('is found by its id or its own name, and read as it is now', async () => {
    const own = path.join(folder, 'own.ts')
    const write = (title: string) => writeFileSync(own, `export default { id: 'own', title: '${title}' }\n`)
    write('first')
    expect(await filesOf(path.join(import.meta.dirname, '..', 'scenarios'), ['kill-under-load', own])).toEqual([own, path.resolve(import.meta.dirname, '../scenarios/kill-under-load.ts')])
    const first = await reloaded([], [own])
    write('second')
    utimesSync(own, new Date(), new Date(Date.now() + 5_000))
    const second = await reloaded(first, [own])
    expect([first, second].map((all) => all.map(({ title }) => title))).toEqual([['first'], ['second']])
  })
})
