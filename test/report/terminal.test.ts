import fc from 'fast-check'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { rowIds } from '../../harness/checklist.ts'
import { renderTerminal, wantsColour } from '../../harness/report/terminal.ts'
import { cellsOf } from '../../harness/report/wrap-text.ts'
import { arbitraryResult, arbitraryShape, sampleResult } from './arbitrary-result.ts'

const width = fc.integer({ min: 40, max: 160 })
// oxlint-disable-next-line no-control-regex -- finding control characters is the point
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

describe('for any result', () => {
  test('each line fits the width, but for a single word of a command', () => {
    fc.assert(
      fc.property(arbitraryResult, width, (result, cells) => {
        for (const line of renderTerminal(result, { width: cells, colour: false }).split('\n')) {
          const breakable = line.trim().replace(/^Repeat +/, '').replace(/ \\$/, '').includes(' ')
          if (breakable) expect(cellsOf(line), line).toBeLessThanOrEqual(cells)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('nothing in it can act on a terminal', () => {
    fc.assert(
      fc.property(arbitraryShape, width, (result, cells) => {
        expect(renderTerminal(result, { width: cells, colour: false })).not.toMatch(controls)
      }),
      { numRuns: 60 },
    )
  })

  test('with colours it says the same as without', () => {
    fc.assert(
      fc.property(arbitraryResult, width, (result, cells) => {
        const coloured = renderTerminal(result, { width: cells, colour: true })
        expect(stripVTControlCharacters(coloured)).toBe(renderTerminal(result, { width: cells, colour: false }))
      }),
      { numRuns: 60 },
    )
  })

  test('every row, every scenario and everything that did not run is named', () => {
    fc.assert(
      fc.property(arbitraryResult, (result) => {
        const named = { ...result, notRun: [{ id: 'left-out', because: 'no time', rows: [] }] }
        const words = new Set(renderTerminal(named, { width: 200, colour: false }).split(/[\s,:]+/))
        expect(rowIds.filter((id) => !words.has(id))).toEqual([])
        expect(words).toContain('left-out')
      }),
      { numRuns: 30 },
    )
  })
})

describe('the first lines', () => {
  const result = {
    ...sampleResult(1),
    verdict: 'not-ready' as const,
    because: '2 required rows failed: lifecycle-expires, cdn-freshness',
    banners: ['THE REFERENCE SERVER WAS JUDGED'],
  }
  const lines = renderTerminal(result, { width: 80, colour: false }).trimEnd().split('\n')

  test('hold the verdict and why', () => {
    expect(lines[0]).toBe('NOT READY — 2 required rows failed: lifecycle-expires, cdn-freshness')
  })

  test('and the banners, which are the last lines too', () => {
    expect(lines.slice(0, 8).join('\n')).toContain('!! THE REFERENCE SERVER WAS JUDGED')
    expect(lines.at(-1)).toBe('!! THE REFERENCE SERVER WAS JUDGED')
  })
})

test('a failed row comes with what was seen, the fix and a command that can be pasted', () => {
  const result = sampleResult(1)
  const command = `npm run simulate -- ttl-expiry ${'--seed 123456789 '.repeat(6)}--profile full`
  const checklist = result.checklist.map((row) =>
    row.id === 'https'
      ? { ...row, verdict: 'fail' as const, because: 'The name is wrong.', fix: 'Renew it.', reproduce: command }
      : row,
  )
  const text = renderTerminal({ ...result, checklist }, { width: 80, colour: false })
  const from = text.indexOf('https (critical)')
  expect(from).toBeGreaterThan(0)
  const part = text.slice(from, from + 700)
  expect(part).toMatch(/Seen +The name is wrong\./)
  expect(part).toMatch(/Fix +Renew it\./)
  expect(part.slice(part.indexOf('npm')).replace(/ \\\n +/g, ' ').split('\n')[0]).toBe(command)
})

test('the report\'s path stays in one piece', () => {
  const reportFile = `/home/someone/${'a-rather-long-folder/'.repeat(8)}report.html`
  const lines = renderTerminal(sampleResult(1), { width: 80, colour: false, reportFile }).split('\n')
  expect(lines).toContain(`Report ${reportFile}`)
})

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
])('colours on a terminal (%s) with %o: %s', (tty, env, wanted) => {
  expect(wantsColour(tty, env)).toBe(wanted)
})
