import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeBlock, codeSpan, text } from '../../harness/report/markdown-text.ts'
import { hostileStrings } from './arbitrary-result.ts'

const acting = [...hostileStrings, '@octocat did it', 'see #12, o/r#34 and GH-5', 'https://github.com/o/r/issues/9', '``` \n# out\n```', '`` a ` b ``', '<!-- durable-streams-simulation {} -->', '[x](javascript:alert(1))', '![](http://example/x.png)']
const anything = fc.oneof(fc.constantFrom(...acting), fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ unit: fc.constantFrom('`', '@', '#', ' ', '\n', 'a', '1', '<', '-', '|'), maxLength: 40 }))

describe('text that came from elsewhere', () => {
  test('mentions nobody and refers to nothing', () => {
    expect(text('@octocat')).toBe('@\u2060octocat')
    expect(text('see #12')).toBe('see \\#\u206012')
    expect(text('GH-5')).toBe('GH\\-\u20605')
    expect(text('https://github.com/o/r')).not.toContain('https://')
    fc.assert(fc.property(anything, (value) => {
      // As the page shows it, without backslashes: there GitHub looks for names and numbers.
      const shown = text(value).replace(/\\(?=[!-/:-@[-`{-~])/g, '')
      expect(shown).not.toMatch(/@\w|#\d|\bgh-\d|\bhttps?:\/\//i)
      expect(text(value)).not.toMatch(/[<\n\r]/)
    }))
  })

  test('stays in its code span, whatever backticks it holds', () => {
    fc.assert(fc.property(anything, (value) => {
      const span = codeSpan(value)
      const marks = /^`+/.exec(span)![0]
      const inside = span.slice(marks.length, -marks.length)
      expect(span.endsWith(marks)).toBe(true)
      expect(span).not.toContain('\n')
      // CommonMark: a run of just as many backticks ends it, and none is within.
      expect((inside.match(/`+/g) ?? []).some((run) => run.length === marks.length)).toBe(false)
      expect(inside.startsWith('`') || inside.endsWith('`')).toBe(false)
    }))
  })

  test('stays in its block, whatever fences it holds', () => {
    fc.assert(fc.property(fc.array(anything, { maxLength: 5 }), (lines) => {
      const [opening, ...rest] = codeBlock(lines, 'sh')
      const fence = opening!.replace(/sh$/, '')
      expect(rest.at(-1)).toBe(fence)
      for (const line of rest.slice(0, -1)) expect(line.trim().startsWith(fence)).toBe(false)
      expect(rest).toHaveLength(lines.length + 1)
    }))
  })
})
