import { describe, expect, test } from 'vitest'
import { mutantsMarkdown, mutantsPage } from '../../harness/report/mutants-page.ts'
import { cellOf, matrixRows, mutantLines, mutantsSummary, scoreOf, type MutantResult, type MutantsResult } from '../../harness/report/mutants.ts'
import { hostileStrings } from './arbitrary-result.ts'

function mutant(id: string, more: Partial<MutantResult>): MutantResult {
  return { id, file: 'a.vcl', line: 1, what: 'without "x;"', rows: ['cdn-collapse'], killedBy: [], checks: [], survived: false, durationMs: 1, sha256: '', ...more }
}

const killed = mutant('a:1:delete', {
  killedBy: ['cdn-freshness'],
  checks: [{ row: 'cdn-freshness', check: 'is-fresh', scenario: 'mixed', because: 'Stale.' }],
})
const survived = mutant('a:2:delete', { survived: true })
const invalid = mutant('a:3:delete', { invalid: 'refused: no' })

function resultOf(mutants: MutantResult[]): MutantsResult {
  return { schemaVersion: 1, startedAt: '', command: 'npm run simulate', subject: 'A server.', base: [], mutants, notRun: [{ id: 'a:4:delete', because: 'No time.' }], score: scoreOf(mutants) }
}

const equivalent = mutant('a:5:delete', { excuse: { kind: 'equivalent', because: 'as built in' } })
const unseen = mutant('a:6:delete', { survived: true, excuse: { kind: 'unseen', because: 'nobody sends it' } })

describe('what mutants say', () => {
  test('the score counts what was killed and what survived, and nothing else', () => {
    expect(scoreOf([killed, survived, invalid])).toBe(50)
    expect(scoreOf([killed, killed, survived])).toBe(67)
    expect(scoreOf([invalid])).toBeNull()
    expect(mutantsSummary(resultOf([killed, survived, invalid]))).toBe('3 mutants: 1 killed, 1 survived, 1 invalid, 1 not run; score 50.')
    expect(mutantsSummary({ ...resultOf([killed, survived]), total: 315 })).toMatch(/^2 of 315 mutants: /)
  })

  test('those that the file has a reason for are counted apart, whether they were run or not', () => {
    expect(scoreOf([killed, equivalent, unseen])).toBe(100)
    expect(mutantsSummary(resultOf([killed, equivalent, unseen]))).toBe('3 mutants: 1 killed, 0 survived, 0 invalid, 1 equivalent, 1 unseen, 1 not run; score 100.')
    expect(mutantLines(resultOf([equivalent, unseen]))).toEqual(['equivalent  a:5:delete  without "x;": as built in', 'unseen      a:6:delete  without "x;": nobody sends it'])
    expect(cellOf(unseen, 'cdn-collapse')).toBe('')
    expect(mutantsMarkdown(resultOf([unseen]))).toContain('| `a:6:delete` | unseen |  | without "x;": nobody sends it |')
  })

  test('a kill stands, and the file that has a reason for the line is wrong', () => {
    const wrongly = { ...killed, excuse: { kind: 'unseen' as const, because: 'nobody sends it' } }
    expect(scoreOf([wrongly])).toBe(100)
    expect(mutantLines(resultOf([wrongly]))).toEqual(['killed  a:1:delete  cdn-freshness (is-fresh in mixed) (the file calls it unseen: wrongly)'])
  })

  test('each has a line that says what noticed it', () => {
    expect(mutantLines(resultOf([killed, survived, invalid]))).toEqual([
      'killed    a:1:delete  cdn-freshness (is-fresh in mixed)',
      'survived  a:2:delete  without "x;": nothing of cdn-collapse turned red',
      'invalid   a:3:delete  refused: no',
    ])
  })

  test('the matrix has a column for each row that was asked or killed, and tells them apart', () => {
    expect(matrixRows([killed, survived])).toEqual(['cdn-collapse', 'cdn-freshness'])
    expect([cellOf(killed, 'cdn-freshness'), cellOf(killed, 'cdn-collapse'), cellOf(killed, 'cors'), cellOf(invalid, 'cdn-collapse')]).toEqual(['●', '○', '', ''])
    expect(mutantsMarkdown(resultOf([killed]))).toContain('| `a:1:delete` | killed | ○ | ● | cdn-freshness (is-fresh in mixed) |')
    expect(mutantsPage(resultOf([killed]))).toContain('<td class="mark open">○</td><td class="mark">●</td>')
  })

  test('no text of theirs acts in a page or breaks a table', () => {
    const bad = hostileStrings.map((text, index) => mutant(`a:${index}:delete`, { invalid: text }))
    const page = mutantsPage(resultOf(bad))
    expect(page).not.toMatch(/<script|<img|<svg/)
    const table = mutantsMarkdown(resultOf(bad)).split('\n').filter((line) => line.startsWith('| `a:'))
    expect(table).toHaveLength(bad.length)
    for (const line of table) expect(line.replaceAll('\\\\', '').match(/(?<!\\)\|/g)!.length, line).toBe(5)
  })
})
