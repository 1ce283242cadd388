import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderMarkdown, summaryBytesMax } from '../../harness/report/markdown.ts'
import { arbitraryResult, withRow } from './arbitrary-result.ts'
import { outsideOfCode } from './outside-of-code.ts'

describe('the summary in Markdown', () => {
  test('holds no HTML and keeps each row of the table in one line, for any result', () => {
    fc.assert(
      fc.property(arbitraryResult, (result) => {
        const text = renderMarkdown(result)
        expect(outsideOfCode(text)).not.toContain('<')
        const rows = text.split('\n').filter((line) => /^\| (❌|❔|✅|➖) /u.test(line))
        expect(rows.length).toBe(26)
        for (const row of rows) expect(row.replaceAll('\\\\', '').match(/(?<!\\)\|/g)!.length).toBe(5)
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(summaryBytesMax)
      }),
      { numRuns: 40 },
    )
  })

  test('begins with the verdict, and says how to repeat a failure', () => {
    const result = withRow('https', { verdict: 'fail', because: 'Wrong name.', reproduce: 'npm run simulate -- tls --seed 1' })
    const text = renderMarkdown({ ...result, verdict: 'not-ready', because: '1 required row failed: https.' })
    expect(text.split('\n')[0]).toBe('## NOT READY — 1 required row failed: https.')
    expect(text).toContain('```sh\nnpm run simulate -- tls --seed 1\n```')
  })
})
