import { describe, expect, test } from 'vitest'
import { rows as allRows, type RowId } from '../../harness/checklist.ts'
import { greenOf, killedTwice, outcomeOfRun, type Ran } from '../../harness/mutants/outcome.ts'
import type { Result } from '../../harness/report/result.ts'
import type { VerdictKind } from '../../harness/verdict.ts'

type Checks = Record<string, Partial<Record<string, [VerdictKind, ...RowId[]]>>>

/** Of a result what outcomes hang on: scenarios with their checks, and rows that audits failed. */
function resultOf(scenarios: Checks, auditFailed: RowId[] = []): Result {
  return {
    scenarios: Object.entries(scenarios).map(([id, checks]) => ({
      id,
      checks: Object.entries(checks).map(([check, verdict]) => ({ id: check, verdict: verdict![0], rows: verdict!.slice(1), because: `${check} said so.` })),
    })),
    checklist: allRows.map((row) => ({ id: row.id, verdict: auditFailed.includes(row.id) ? 'fail' : 'unknown', because: 'The file says so.' })),
  } as unknown as Result
}

const base = resultOf({
  crowd: { collapses: ['pass', 'cdn-collapse'], right: ['pass', 'cdn-collapse', 'cdn-freshness'], cursor: ['fail', 'cdn-cursor'] },
})
const asked = { rows: ['cdn-collapse'] as RowId[], scenarios: ['crowd'] }
const ran = (result: Result | null, more: Partial<Ran> = {}): Ran => ({ exitCode: 2, said: '', brokeDown: null, result, ...more })

describe('a mutant is killed', () => {
  test('by each row that was green and has a check that fails', () => {
    const result = resultOf({ crowd: { collapses: ['fail', 'cdn-collapse'], right: ['fail', 'cdn-collapse', 'cdn-freshness'] } })
    const outcome = outcomeOfRun(ran(result), [base], asked)
    expect(outcome).toMatchObject({ killedBy: ['cdn-collapse', 'cdn-freshness'], survived: false })
    expect(outcome.checks).toContainEqual({ row: 'cdn-freshness', check: 'right', scenario: 'crowd', because: 'right said so.' })
    expect(outcome.invalid).toBeUndefined()
  })

  test('by a row that what its files say turned red', () => {
    const result = resultOf({ crowd: { collapses: ['pass', 'cdn-collapse'] } }, ['persistence-data-dir'])
    expect(outcomeOfRun(ran(result), [base], asked)).toMatchObject({ killedBy: ['persistence-data-dir'], checks: [{ check: 'audit' }] })
    expect(outcomeOfRun(ran(result), [resultOf({}, ['persistence-data-dir'])], asked).killedBy).toEqual([])
  })

  test('but not by what its text says of a row that a run is to measure', () => {
    const said = (...findings: object[]) => ({ ...resultOf({ crowd: { collapses: ['pass', 'cdn-collapse'] } }, ['cdn-urls']), findings }) as unknown as Result
    const finding = { rule: 'cdn-urls', severity: 'error' }
    expect(outcomeOfRun(ran(said({ ...finding, yieldsToMeasurement: true })), [base], asked)).toMatchObject({ killedBy: [], survived: true })
    expect(outcomeOfRun(ran(said({ ...finding, yieldsToMeasurement: true }, finding)), [base], asked)).toMatchObject({ killedBy: ['cdn-urls'] })
  })

  test('even where another check stayed unknown', () => {
    const result = resultOf({ crowd: { collapses: ['unknown', 'cdn-collapse'], right: ['fail', 'cdn-collapse'] } })
    expect(outcomeOfRun(ran(result), [base], asked).killedBy).toEqual(['cdn-collapse'])
  })
})

describe('a kill is seen twice', () => {
  const red = (...rows: RowId[]) => outcomeOfRun(ran(resultOf({ crowd: { right: ['fail', ...rows] } })), [base], asked)

  test('by the rows that turned red both times', () => {
    expect(killedTwice(red('cdn-collapse', 'cdn-freshness'), red('cdn-freshness'))).toMatchObject({ killedBy: ['cdn-freshness'], checks: [{ row: 'cdn-freshness' }], survived: false })
  })

  test('or says nothing', () => {
    expect(killedTwice(red('cdn-collapse'), red('cdn-freshness'))).toEqual({ killedBy: [], checks: [], survived: false, invalid: 'red once of two runs: right in crowd: right said so.' })
  })
})

describe('a mutant is not killed', () => {
  test('by a row that was not green on the base, not even in one of its runs', () => {
    const red = resultOf({ crowd: { collapses: ['pass', 'cdn-collapse'], right: ['pass', 'cdn-collapse'], cursor: ['fail', 'cdn-cursor'] } })
    expect(outcomeOfRun(ran(red), [base], asked)).toEqual({ killedBy: [], checks: [], survived: true })
    const flaky = resultOf({ crowd: { collapses: ['fail', 'cdn-collapse'], right: ['pass', 'cdn-collapse'] } })
    expect(greenOf([base, flaky]).get('crowd')).toEqual(new Set())
    expect(outcomeOfRun(ran(flaky), [base, flaky], asked).invalid).toBe('nothing that judges cdn-collapse is green on the base')
  })

  test.each<[string, Partial<Ran>, Result | null, string]>([
    ['it does not compile', { exitCode: 64, said: 'a.vcl:3: no such thing.\n' }, null, 'refused: a.vcl:3: no such thing.'],
    ['the program breaks down, whatever failed', { brokeDown: 'the cache broke down: Child (7) died' }, resultOf({ crowd: { collapses: ['fail', 'cdn-collapse'] } }), 'the cache broke down: Child (7) died'],
    ['the harness fails', { exitCode: 70, said: 'The harness failed.' }, resultOf({}), 'the run ended with 70: The harness failed.'],
    ['it is cut off', { exitCode: undefined }, null, 'the run ended with no exit code: '],
    ['what should notice it stays unknown', {}, resultOf({ crowd: { collapses: ['unknown', 'cdn-collapse'] } }), 'unknown: collapses in crowd: collapses said so.'],
    ['what should notice it was not run', {}, resultOf({}), 'crowd was not run'],
  ])('where %s: that is invalid', (_name, more, result, because) => {
    expect(outcomeOfRun(ran(result, more), [base], asked)).toEqual({ killedBy: [], checks: [], survived: false, invalid: because })
  })
})
