/** What is waived is told as waived by every rendering, in its head and where its row stands. */
import { describe, expect, test } from 'vitest'
import { rowIds, type RowId } from '../../harness/checklist.ts'
import { concludeAll, type Waiver } from '../../harness/conclude.ts'
import { annotationLines } from '../../harness/report/annotations.ts'
import { headline } from '../../harness/report/groups.ts'
import { renderHtml } from '../../harness/report/html.ts'
import { renderJunit } from '../../harness/report/junit.ts'
import { renderMarkdown } from '../../harness/report/markdown.ts'
import type { Result } from '../../harness/report/result.ts'
import { renderTerminal } from '../../harness/report/terminal.ts'
import { validateResult } from '../../harness/report/validate.ts'
import type { VerdictKind } from '../../harness/verdict.ts'
import { sampleResult } from './arbitrary-result.ts'

const waiver = (row: RowId, expired = false): Waiver => ({ row, reason: 'The shop opens in spring.', until: '2027-03-31', expired })

/** A run in which all passed but for these; one check of a scenario says so of `cors`, another of two rows. */
function resultOf(seen: Partial<Record<RowId, VerdictKind>>, waivers: Waiver[]): Result {
  const sample = sampleResult(3)
  const check = (id: string, rows: RowId[], verdict: VerdictKind) => ({ id, rows, verdict, severity: 'high' as const, because: `${id} was seen.`, evidence: [], examined: 1 })
  const scenarios = [{ ...sample.scenarios[0], id: 'pages', title: 'Pages', why: '', proves: [], verdict: 'fail' as const, because: 'It failed.', startedAtMs: 0, durationMs: 1, measurements: {}, faults: [], timeline: [], throughput: [], operations: { ok: 1, failed: 0, unanswered: 0 }, checks: [check('reads', ['cors'], seen.cors ?? 'pass'), check('both', ['cors', 'https'], seen.cors ?? 'pass')] }]
  const audits = rowIds.map((row) => ({ row, verdict: seen[row] ?? ('pass' as const), because: `${row} was seen.` }))
  const gathered = { audits, waivers, originKind: 'production' as const, partial: false, twins: [], reproduceOptions: '' }
  const findings = [{ rule: 'cors' as const, severity: 'error' as const, file: 'a.ts', line: 1, column: 1, message: 'It is wrong.', fix: 'Mend it.' }]
  return { ...sample, subject: { ...sample.subject, kind: 'production' }, banners: [], scenarios, notRun: [], findings, ...concludeAll({ ...gathered, scenarios: scenarios.map((one) => ({ ...one, checks: one.checks.slice(0, 1) })), notRun: [] }, null) }
}

const waived = resultOf({ cors: 'fail' }, [waiver('cors')])
const expired = resultOf({ cors: 'fail' }, [waiver('cors', true)])

describe('a waived row', () => {
  test('makes a valid result, ready but for it', () => {
    expect(validateResult(JSON.parse(JSON.stringify(waived)))).toMatchObject({ valid: true })
    expect(waived).toMatchObject({ verdict: 'ready', exitCode: 0, waivers: [{ row: 'cors', state: 'counts' }] })
    expect(waived.score).toBe(expired.score)
    expect(headline(waived)).toMatch(/^READY, WITH 1 ROW WAIVED — All 21 other required rows .* Waived, and not counted: cors \(failed; The shop opens in spring; until 2027-03-31\)\.$/)
  })

  test('is told on a terminal first and last, and is no green there', () => {
    const text = renderTerminal(waived, { width: 400, colour: false })
    expect(text).toMatch(/^READY, WITH 1 ROW WAIVED — .*\n/)
    expect(text).toMatch(/\nREADY, WITH 1 ROW WAIVED, exit code 0\n$/)
    expect(text).toMatch(/Failed: 1 of 26 rows, 1 of them required, 1 waived\n\n.*cors \(high, waived\).*\n {4}Waived until 2027-03-31: The shop opens in spring\.\n/)
    const coloured = renderTerminal(waived, { width: 400, colour: true }).split('\n')[0]
    expect(coloured).toContain('\u001b[33m')
    expect(coloured).not.toContain('\u001b[32m')
  })

  test('that is unknown is told apart from those that are to be looked at', () => {
    const text = renderTerminal(resultOf({ cors: 'unknown' }, [waiver('cors')]), { width: 400, colour: false })
    expect(text).toMatch(/\nUnknown, and waived: 1\n {2}\? cors: reads was seen; 1 more check is unknown\. Waived until 2027-03-31: The shop opens in spring\.\n/)
    expect(text).not.toContain('Unknown, though required')
  })

  test('is told in the head of the page, which is not green, and in its row', () => {
    const page = renderHtml(waived)
    expect(page).toMatch(/<header class="band open">/)
    expect(page).toMatch(/<h1>.*Ready, with 1 row waived<\/h1>/)
    expect(page).toContain('; 1 waived</p>')
    expect(page).toMatch(/id="row-cors" data-verdict="fail">[^]*?high, waived<[^]*?<strong>Waived until 2027-03-31: The shop opens in spring\.<\/strong>/)
  })

  test('is told in Markdown', () => {
    const text = renderMarkdown(waived)
    expect(text).toMatch(/^## READY, WITH 1 ROW WAIVED/)
    expect(text).toMatch(/### ❌ .*\(cors, high, waived\)\n\n\*\*Waived until 2027\\-03\\-31: The shop opens in spring\.\*\*\n/)
    expect(text).toContain('| ❌ Failed | cors | high, waived |')
  })

  test('makes no job red by JUnit, nor looks as if it had passed; what is of another row too stays red', () => {
    const text = renderJunit(waived)
    expect(text).toMatch(/^.*\n<testsuites [^>]* failures="0"/)
    expect(text).toMatch(/name="cors: [^"]*"[^>]*>\s*<skipped message="Waived until 2027-03-31: The shop opens in spring\. Seen: /)
    expect(text).toMatch(/name="reads"[^>]*>\s*<skipped message="cors: Waived until .* Seen: reads was seen\."/)
    expect(text).toMatch(/name="a\.ts:1:1 cors"[^>]*>\s*<skipped message="cors: Waived until /)
    expect(text).toMatch(/name="both"[^>]*>\s*<failure /)
  })
})

test.each([
  ['notices while they are waived', waived, '::notice title=cors,file=a.ts,line=1,col=1::Waived: It is wrong. Fix: Mend it.'],
  ['errors once the waiver has expired', expired, '::error title=cors,file=a.ts,line=1,col=1::It is wrong. Fix: Mend it.'],
])('findings of a row are %s', (_when, result, line) => expect(annotationLines([result]).filter((one) => one.includes('file=a.ts'))).toEqual([line]))

describe('an expired waiver', () => {
  test('is told in the head and in its row, which counts', () => {
    expect(validateResult(JSON.parse(JSON.stringify(expired)))).toMatchObject({ valid: true })
    expect(headline(expired)).toMatch(/^NOT READY — 1 required row failed: cors\. Waiver expired, so that the row counts again: cors \(failed; it had been waived until 2027-03-31: The shop opens in spring\)\.$/)
    const words = 'Its waiver expired, 2027-03-31 was the last day: The shop opens in spring.'
    expect(renderTerminal(expired, { width: 400, colour: false })).toContain(`    ${words}\n`)
    expect(renderHtml(expired)).toMatch(new RegExp(`id="row-cors"[^]*?<strong>${words}</strong>`))
    expect(renderHtml(expired)).toContain('<header class="band bad">')
    expect(renderMarkdown(expired)).toContain('**Its waiver expired, 2027\\-03\\-31 was the last day:')
    expect(renderJunit(expired)).toMatch(/name="cors: [^"]*"[^>]*>\s*<failure message="Its waiver expired/)
    expect(renderJunit(expired)).toMatch(/^.*\n<testsuites [^>]* failures="1"/)
  })
})
