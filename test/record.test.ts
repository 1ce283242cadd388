import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeRecord, findRecords } from '../harness/record.ts'

const types = ['text/plain', 'application/octet-stream'] as const

describe('records', () => {
  it('are all found, in order, in a stream that holds nothing else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.array(fc.nat(500), { maxLength: 20 }), fc.nat(), (type, sizes, seed) => {
        const ids = sizes.map((_, n) => `s/1.${n}`)
        const body = Buffer.concat(sizes.map((size, n) => encodeRecord(seed, ids[n]!, type, size)))
        expect(findRecords(body, type)).toEqual({ records: ids, damaged: [] })
      }),
    )
  })

  it('are not found where a byte was changed, cut or put in; what is whole still is', () => {
    const bodies = [0, 1, 2].map((n) => encodeRecord(1, `s/1.${n}`, 'text/plain', 60))
    fc.assert(
      fc.property(fc.nat(bodies[1]!.length - 1), fc.constantFrom('flip', 'cut', 'insert'), (at, how) => {
        const middle = [...bodies[1]!]
        if (how === 'flip') middle[at]! ^= 0x01
        if (how === 'cut') middle.splice(at, 1)
        if (how === 'insert') middle.splice(at, 0, 0x21)
        const found = findRecords(Buffer.concat([bodies[0]!, Buffer.from(middle), bodies[2]!]), 'text/plain')
        expect(found.records).toContain('s/1.0')
        expect(found.records).toContain('s/1.2')
        // Only its own id may be damaged without the payload's hash noticing.
        if (found.records.includes('s/1.1')) expect(found.damaged.length).toBeGreaterThan(0)
        else expect(found.damaged.length + found.records.length).toBeGreaterThan(2)
      }),
    )
  })

  it('are found in JSON arrays, and messages of others are damage', () => {
    const one = encodeRecord(1, 's/1.1', 'application/json', 30).toString()
    const found = findRecords(Buffer.from(`[${one},{"other":1}]`), 'application/json')
    expect(found.records).toEqual(['s/1.1'])
    expect(found.damaged).toHaveLength(1)
    expect(findRecords(Buffer.from('[{'), 'application/json').damaged).toHaveLength(1)
    expect(findRecords(Buffer.from('[]'), 'application/json')).toEqual({ records: [], damaged: [] })
  })

  it('never throw, whatever the bytes are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void findRecords(Buffer.from(bytes), 'text/plain')))
  })
})
