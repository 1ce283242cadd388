import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderJunit } from '../../harness/report/junit.ts'
import { arbitraryResult, withRow } from './arbitrary-result.ts'

describe('the JUnit file', () => {
  test('is well-formed, for any result', () => {
    fc.assert(
      fc.property(arbitraryResult, (result) => {
        const text = renderJunit(result)
        const unquoted = text.replace(/"[^"]*"/g, '""')
        // oxlint-disable-next-line no-control-regex -- XML forbids them
        expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/)
        expect(unquoted).not.toMatch(/&(?!(amp|lt|gt|quot|apos);)/)
        for (const tag of ['testsuite', 'testcase', 'failure', 'error', 'skipped']) {
          const opened = unquoted.match(new RegExp(`<${tag}[ >][^>]*[^/]>|<${tag}>`, 'g'))?.length ?? 0
          expect(unquoted.split(`</${tag}>`).length - 1, tag).toBe(opened)
        }
        expect(text.match(/<testcase classname="checklist"/g)!.length).toBe(26)
      }),
      { numRuns: 40 },
    )
  })

  test.each([
    ['fail', 'https', 'failure'],
    ['unknown', 'https', 'error'],
    ['unknown', 'soak', 'skipped'],
    ['not-applicable', 'https', 'skipped'],
  ] as const)('a row that is %s (%s) is a %s', (verdict, id, outcome) => {
    const text = renderJunit(withRow(id, { verdict, because: 'so it was' }))
    const [, inside] = text.match(new RegExp(`name="${id}: [^"]*"[^>]*>\\s*<(\\w+) message="so it was"`))!
    expect(inside).toBe(outcome)
  })
})
