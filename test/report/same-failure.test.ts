import { describe, expect, test } from 'vitest'
import { isSameFailure } from '../../harness/report/same-failure.ts'

describe('a failure is that of the capsule', () => {
  test.each([
    ['with the same fingerprint', 'c/lost/json/kill/origin', 'c/lost/json/kill/origin'],
    ['where fewer were hit, and a part has a value', 'c/missed/any/none/any', 'c/missed/sse/none/edge'],
    ['where more were hit, and a part has none', 'c/missed/sse/none/edge', 'c/missed/any/none/any'],
    ['whatever a fingerprint looks like that is not of five parts', 'audit/https', 'audit/https'],
  ])('%s', (_name, of, seen) => expect(isSameFailure(of, seen)).toBe(true))

  test.each([
    ['of another check', 'c/lost/any/any/any', 'd/lost/any/any/any'],
    ['in another way', 'c/any/any/any/any', 'c/lost/any/any/any'],
    ['of another kind of stream', 'c/lost/json/kill/origin', 'c/lost/text/kill/origin'],
    ['after another fault', 'c/lost/json/kill/origin', 'c/lost/json/stop/origin'],
    ['at another hop', 'c/lost/json/kill/origin', 'c/lost/json/kill/edge'],
    ['of other parts', 'c/any', 'c/lost'],
    ['without a fingerprint', 'c/lost/json/kill/origin', undefined],
  ])('but not one %s', (_name, of, seen) => expect(isSameFailure(of, seen)).toBe(false))
})
