import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { gateOf } from '../../harness/report/gate.ts'
import type { Result } from '../../harness/report/result.ts'

/** A real run, of which single fields are turned. */
const sample = JSON.parse(readFileSync(path.join(import.meta.dirname, '../../reports/sample/result.json'), 'utf8')) as Result

function with_(changes: Partial<Result>, rows: Record<string, Partial<Result['checklist'][number]>> = {}): Result {
  const all = rows['*'] ?? {}
  return { ...sample, subject: { ...sample.subject, kind: 'production' }, banners: [], ...changes, checklist: sample.checklist.map((row) => ({ ...row, ...all, ...rows[row.id] })) }
}

const passed = { '*': { verdict: 'pass' as const } }
const ready = with_({ verdict: 'ready', exitCode: 0 }, passed)
const soak = with_({ verdict: 'unknown', exitCode: 2, profile: 'soak', scenarios: sample.scenarios.slice(0, 1).map((one) => ({ ...one, id: 'soak', verdict: 'pass' as const })) }, { '*': { verdict: 'unknown' }, soak: { verdict: 'pass' } })

describe('a job ends with', () => {
  test.each<[string, Result[], number, number]>([
    ['all that was seen to hold', [ready], 0, 0],
    ['a soak that holds, which judges nothing else', [ready, soak], 0, 0],
    ['a soak whose row is unknown', [ready, { ...soak, checklist: soak.checklist.map((row) => ({ ...row, verdict: 'unknown' as const })) }], 2, 0],
    ['a soak whose row failed', [ready, { ...soak, checklist: soak.checklist.map((row) => (row.id === 'soak' ? { ...row, verdict: 'fail' as const } : row)) }], 1, 1],
    ['a soak whose row failed and is waived', [ready, { ...soak, checklist: soak.checklist.map((row) => (row.id === 'soak' ? { ...row, verdict: 'fail' as const, waived: { reason: 'x', until: '2099-01-01' } } : row)) }], 0, 0],
    ['a soak in which another scenario did not pass', [{ ...soak, scenarios: soak.scenarios.map((one) => ({ ...one, verdict: 'unknown' as const })) }], 2, 0],
    ['a soak of the reference server', [{ ...soak, subject: sample.subject }], 2, 0],
    ['a soak of a program that is broken on purpose', [{ ...soak, banners: ['TWIN: in place of the origin stands …'] }], 2, 0],
    ['a quick run with a green soak row', [{ ...soak, profile: 'quick' }], 2, 0],
    ['a required row that failed', [with_({ verdict: 'not-ready', exitCode: 1 }, { ...passed, https: { verdict: 'fail' } })], 1, 1],
    ['a row that failed and is not required', [with_({ verdict: 'ready', exitCode: 0 }, { ...passed, 'lifecycle-one': { verdict: 'fail' } })], 0, 0],
    ['a required row that failed and is waived', [with_({ verdict: 'ready', exitCode: 0 }, { ...passed, https: { verdict: 'fail', waived: { reason: 'x', until: '2099-01-01' } } })], 0, 0],
    ['the reference server, where rows failed', [sample], 1, 1],
    ['one unknown among ready ones', [ready, with_({ verdict: 'unknown', exitCode: 2 }, { ...passed, https: { verdict: 'unknown' } })], 2, 0],
    ['an interrupted run, before all', [with_({ exitCode: 130 }), ready], 130, 130],
    ['nothing at all', [], 2, 0],
  ])('%s', (_name, results, code, onFailureOnly) => {
    expect(gateOf(results, 'unknown').exitCode).toBe(code)
    expect(gateOf(results, 'failure').exitCode).toBe(onFailureOnly)
  })

  test('what a killed run ended with, though its result says only that it began', () => {
    const begun = with_({ verdict: 'unknown', exitCode: 2 }, { '*': { verdict: 'unknown' } })
    expect(gateOf([begun], 'failure', 137)).toMatchObject({ exitCode: 137 })
    expect(gateOf([begun], 'failure', 2)).toMatchObject({ exitCode: 0 })
    expect(gateOf([ready], 'failure', 70).lines.at(-1)).toBe('The simulation itself ended with 70: see the end of its log.')
  })

  test('words: the reference server is loud, and green on failures alone is no success', () => {
    const reference = { ...sample, checklist: sample.checklist.map((row) => ({ ...row, verdict: 'unknown' as const })) }
    expect(gateOf([reference], 'failure').lines.join('\n')).toMatch(/THE REFERENCE SERVER WAS JUDGED[^]*NOT A SUCCESS/)
    const waived = { ...soak, checklist: soak.checklist.map((row) => (row.id === 'soak' ? { ...row, verdict: 'fail' as const, waived: { reason: 'We know.', until: '2099-01-01' } } : row)) }
    expect(gateOf([waived], 'unknown').lines[0]).toContain('the soak does not hold, which is waived. Waived until 2099-01-01: We know.')
    expect(gateOf([soak], 'unknown').lines[0]).toContain('the soak holds')
  })
})
