import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { annotationLines, annotationsMax, annotationsOf, commandOf, inertInLog } from '../../harness/report/annotations.ts'
import { arbitraryResult, sampleResult } from './arbitrary-result.ts'

/** As the runner reads a command (ActionCommand.TryParseV2): the first `::` after the properties ends them. */
function parseCommand(line: string) {
  const match = /^::(\w+) (.*?)::(.*)$/s.exec(line)
  if (!match) return null
  const unescape = (value: string) => value.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%25', '%')
  const properties = Object.fromEntries(match[2]!.split(',').map((part) => [part.slice(0, part.indexOf('=')), unescape(part.slice(part.indexOf('=') + 1))]))
  return { kind: match[1]!, properties, message: match[3]!.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%') }
}

describe('an annotation', () => {
  test.each(['a::b', '::add-mask::x', '100%', '%0A::error::x', 'a,line=7', 'file=/etc/passwd', 'a:b', '\n::stop-commands::x', '::error title=x::y'])('says %j and nothing else', (hostile) => {
    const line = commandOf({ kind: 'error', title: hostile, message: hostile, file: hostile, line: 3, column: 1 })
    expect(line).not.toMatch(/[\r\n]/)
    const shown = hostile.replaceAll('\n', ' ')
    expect(parseCommand(line)).toEqual({ kind: 'error', properties: { title: shown, file: shown, line: '3', col: '1' }, message: shown })
  })

  test('of any result is one line, and there are at most ten of a kind', () => {
    fc.assert(
      fc.property(arbitraryResult, (result) => {
        const lines = annotationLines([result, result])
        for (const line of lines) {
          expect(line).not.toMatch(/[\r\n]/)
          expect(parseCommand(line)!.kind).toMatch(/^(error|warning|notice)$/)
        }
        for (const kind of ['error', 'warning', 'notice']) expect(lines.filter((line) => line.startsWith(`::${kind} `)).length).toBeLessThanOrEqual(annotationsMax)
      }),
      { numRuns: 30 },
    )
  })

  test('beyond the tenth is counted', () => {
    const finding = { rule: 'https' as const, severity: 'error' as const, file: 'src/a.ts', line: 4, column: 2, message: 'Plain HTTP.', fix: 'Use HTTPS.' }
    const result = { ...sampleResult(1), scenarios: [], banners: [], notRun: [], expectedFailures: [], checklist: [], findings: Array.from({ length: 12 }, (_, n) => ({ ...finding, line: n + 1 })) }
    const lines = annotationLines([result])
    expect(lines).toHaveLength(10)
    expect(lines[0]).toBe('::error title=https,file=src/a.ts,line=1,col=2::Plain HTTP. Fix: Use HTTPS.')
    expect(lines[9]).toBe('::error title=And more::3 more of this kind stand in the job\'s summary and in the report.')
  })

  test('of a known failure is a warning that says why, of a new one an error', () => {
    const base = sampleResult(1)
    const scenario = base.scenarios[0] ?? sampleResult(3).scenarios[0]!
    const check = { id: 'a', rows: [], verdict: 'fail' as const, severity: 'high' as const, because: 'It broke.', evidence: [], examined: 1, fingerprint: 'a/broke' }
    const result = { ...base, checklist: [], banners: [], findings: [], scenarios: [{ ...scenario, id: 's', checks: [check, { ...check, id: 'b', fingerprint: 'b/broke' }] }], expectedFailures: [{ scenario: 's', fingerprint: 'a/broke', issue: null, why: 'Upstream knows.', state: 'failed' as const }, { scenario: 't', fingerprint: 'c/broke', issue: null, why: '', state: 'mended' as const }] }
    expect(annotationsOf(result).map(({ kind, title }) => `${kind} ${title}`)).toEqual(['error b/broke of s', 'warning Known: a/broke of s', 'notice Fixed upstream'])
    expect(annotationsOf(result)[1]!.message).toContain('Upstream knows.')
  })
})

test.each([
  ['::add-mask::x', ': :add-mask::x'],
  ['  ::error::x', '  : :error::x'],
  ['see ##[error]x', 'see ## [error]x'],
  ['a::b', 'a::b'],
])('in a log %j is no command', (line, inert) => expect(inertInLog(line)).toBe(inert))
