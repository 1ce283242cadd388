/** What the sound origin stores is the same after it was opened again: clean scenarios rest on that. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { DamagedStream, LastingStore } from './programs/sound/lasting-store.ts'
import { UnknownDamage } from './programs/sound/redo-log.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'sound-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const text = { contentType: 'text/plain' }
const bytes = (content: string) => new TextEncoder().encode(content)
const logOf = (dataDir: string) => path.join(dataDir, 'streams', 'redo.log')

/** All that a client can be told of a stream. */
function told(store: LastingStore, at: string) {
  const stream = store.get(at)
  if (stream === undefined) return null
  const content = Buffer.from(store.formatResponse(at, store.read(at, '-1').messages)).toString()
  return { content, tail: stream.currentOffset, closed: stream.closed, gone: stream.softDeleted === true, life: store.lifeOf(stream) }
}

function open(name: string): LastingStore {
  return new LastingStore(path.join(folder, name))
}

describe('opened again', () => {
  it('streams, forks and what was refused are as they were', async () => {
    const store = open('same')
    store.create('/source', text)
    for (const word of ['one ', 'two ']) store.append('/source', bytes(word), text)
    store.create('/fork', { forkedFrom: '/source' })
    store.append('/fork', bytes('own'), text)
    store.delete('/source')
    store.create('/json', { ...text, initialData: bytes('[') })
    expect(() => store.append('/json', bytes('x'), { contentType: 'application/json' })).toThrow('mismatch')
    store.create('/closed', text)
    const by = { producerId: 'p', producerEpoch: 0, producerSeq: 0 }
    store.append('/closed', bytes('last'), { ...text, ...by })
    await store.closeStreamWithProducer('/closed', { ...by, producerSeq: 1 })
    const again = open('same')
    for (const at of ['/source', '/fork', '/json', '/closed', '/none']) expect(told(again, at), at).toEqual(told(store, at))
    expect(told(again, '/fork')).toMatchObject({ content: 'one two own', closed: false })
    expect(told(again, '/source')).toMatchObject({ gone: true })
    // The producer is known: its last append again is none.
    expect(await again.closeStreamWithProducer('/closed', { ...by, producerSeq: 1 })).toMatchObject({ alreadyClosed: true, producerResult: { status: 'duplicate' } })
  })

  it('what is torn at the end is in nobody\'s way, then and later', () => {
    const store = open('torn')
    store.create('/s', text)
    store.append('/s', bytes('one '), text)
    const whole = statSync(logOf(path.join(folder, 'torn'))).size
    appendFileSync(logOf(path.join(folder, 'torn')), Buffer.from([0, 0, 0, 9, 1, 2, 3, 4, 5]))
    const again = open('torn')
    expect(statSync(logOf(path.join(folder, 'torn'))).size).toBe(whole)
    again.append('/s', bytes('two'), text)
    expect(told(open('torn'), '/s')).toEqual({ ...told(store, '/s'), content: 'one two', tail: told(again, '/s')!.tail })
  })

  it('the bytes of what is deleted or expired are given back, and a path that is used again has another life', async () => {
    const store = open('compact')
    store.create('/kept', { ...text, initialData: bytes('kept') })
    store.create('/again', text)
    const before = told(store, '/again')!.life
    for (let n = 0; n < 20; n += 1) store.create(`/short-${n}`, { ...text, ttlSeconds: 1, initialData: new Uint8Array(30_000) })
    store.delete('/again')
    const file = logOf(path.join(folder, 'compact'))
    expect(statSync(file).size).toBeGreaterThan(600_000)
    // Less than 256 KiB is not worth a new file.
    await until(async () => statSync(file).size < 256 * 1024 + 1_000, { for: 'the log to be small again', timeoutMs: 10_000 })
    const again = open('compact')
    expect(told(again, '/kept')).toEqual(told(store, '/kept'))
    again.create('/again', text)
    expect(told(again, '/again')!.life).toBeGreaterThan(before)
  })
})

describe('where a byte of the log has changed', () => {
  /** A whole stream before and behind the damaged one; the byte that begins this text, or stands so far before it. */
  function damage(name: string, marked: string, before = 0): string {
    const store = open(name)
    const all = ['/first', '/damaged', '/last']
    for (const at of all) store.create(at, { ...text, initialData: bytes(`${at} begins `) })
    for (const at of all) store.append(at, bytes(`${at} goes on`), text)
    store.create('/fork', { forkedFrom: '/damaged' })
    const file = logOf(path.join(folder, name))
    const log = readFileSync(file)
    const place = log.indexOf(marked) - before
    log[place] = log[place]! ^ 1
    writeFileSync(file, log)
    return file
  }

  const wholeOnes = { '/first': '/first begins /first goes on', '/last': '/last begins /last goes on' }

  it.each<[string, string, number]>([
    ['in the body', '/damaged begins', 0],
    ['in the length of the body', '/damaged begins', 1],
    ['in the length of the command', '{"do":"append","path":"/damaged"', 13],
    ['in the checksum', '{"do":"append","path":"/damaged"', 9],
    ['in an append', '/damaged goes on', 3],
  ])('%s, the stream of that command and its forks are refused, and all others are whole', (where, at, before) => {
    const file = damage(`damage ${where}`, at, before)
    const size = statSync(file).size
    for (const round of [1, 2]) {
      const again = open(`damage ${where}`)
      for (const [path_, content] of Object.entries(wholeOnes)) expect(told(again, path_)?.content, String(round)).toMatch(content)
      for (const refused of ['/damaged', '/fork']) {
        expect(() => told(again, refused)).toThrow(DamagedStream)
        expect(() => again.append(refused, bytes('more'), text)).toThrow(DamagedStream)
      }
      expect(() => again.create('/other', { forkedFrom: '/damaged' })).toThrow(DamagedStream)
      again.append('/last', bytes('!'), text)
    }
    expect(told(open(`damage ${where}`), '/last')!.content).toBe('/last begins /last goes on!!')
    expect(statSync(file).size).toBeGreaterThan(size)
  })

  it('in the middle of the log, and whose it was cannot be told: nothing is opened', () => {
    for (const [n, before] of [0, 1, 5].entries()) {
      damage(`unknown ${n}`, '{"do":"append","path":"/damaged"', before)
      expect(() => open(`unknown ${n}`)).toThrow(UnknownDamage)
    }
  })

  it('in a life that is over, the one after it is whole', () => {
    const store = open('over')
    store.create('/again', { ...text, initialData: bytes('of the first life') })
    store.delete('/again')
    store.create('/again', { ...text, initialData: bytes('of the second') })
    const file = logOf(path.join(folder, 'over'))
    const log = readFileSync(file)
    log[log.indexOf('of the first')] = 0x20
    writeFileSync(file, log)
    expect(told(open('over'), '/again')!.content).toBe('of the second')
  })
})
