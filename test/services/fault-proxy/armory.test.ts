import { describe, expect, it } from 'vitest'
import { Armory } from '../../../harness/services/fault-proxy/armory.ts'

describe('the armory', () => {
  it('strikes so often as it was told, each client for itself', () => {
    const armory = new Armory()
    armory.arm('a', { fault: { kind: 'answer', status: 429, headers: { 'retry-after': '2' } }, times: 2 })
    const struck = [1, 2, 3].map(() => armory.onRequest('a', undefined))
    expect(struck).toEqual([{ status: 429, headers: { 'retry-after': '2' } }, { status: 429, headers: { 'retry-after': '2' } }, null])
    expect([armory.onRequest('b', undefined), armory.onConnection('a'), armory.disarm('a'), armory.disarm('b')]).toEqual([null, null, 2, 0])
  })

  it('lets the right token pass, and answers any other 401 until it is disarmed', () => {
    const armory = new Armory()
    armory.arm('a', { fault: { kind: 'token', authorization: 'Bearer new' }, times: null })
    expect(['Bearer new', 'Bearer old', undefined].map((one) => armory.onRequest('a', one)?.status ?? null)).toEqual([null, 401, 401])
    expect(armory.disarm('a')).toBe(2)
    expect(armory.onRequest('a', 'Bearer old')).toBeNull()
  })

  it('ends a connection in the middle of the bytes', () => {
    const armory = new Armory()
    armory.arm('a', { fault: { kind: 'hang-up', afterBytes: 100 }, times: 1 })
    expect([60, 39, 20, 500].map((bytes) => armory.onBytes('a', bytes))).toEqual([null, null, 1, null])
  })

  it('ends an event stream between a data event and its control event', () => {
    const armory = new Armory()
    armory.arm('a', { fault: { kind: 'cut' }, times: 1 })
    expect(armory.onEvents('a', Buffer.from('event: control\ndata: {}\n\n'))).toBeNull()
    const bytes = Buffer.from('event: data\ndata: x\ndata: y\n\nevent: control\ndata: {}\n\n')
    expect(armory.onEvents('a', bytes)).toBe(bytes.indexOf('event: control'))
    expect(armory.onEvents('a', bytes)).toBeNull()
  })

  it('knows a data event that comes in pieces', () => {
    const armory = new Armory()
    armory.arm('a', { fault: { kind: 'cut' }, times: 1 })
    expect(armory.onEvents('a', Buffer.from('event: data\ndata: x\n'))).toBeNull()
    expect(armory.onEvents('a', Buffer.from('\nevent: control\n'), Buffer.from('event: data\ndata: x\n'))).toBe(1)
  })

  it('meets connections with resets and certificates only', () => {
    const armory = new Armory()
    armory.arm('a', { fault: { kind: 'certificate', wrong: 'date' }, times: null })
    expect([armory.onConnection('a'), armory.onRequest('a', undefined), armory.awaitsConnection('a')]).toEqual([{ kind: 'certificate', wrong: 'date' }, null, true])
    armory.arm('a', { fault: { kind: 'hang-up', afterBytes: 1 }, times: null })
    expect([armory.onConnection('a'), armory.awaitsConnection('a')]).toEqual([null, false])
  })
})
