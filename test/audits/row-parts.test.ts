/** What findings of a configuration mean for their rows, before and after a run has measured the same. */
import { describe, expect, it } from 'vitest'
import type { Finding } from '../../harness/audits/finding.ts'
import { overruled } from '../../harness/audits/overruled.ts'
import { configParts } from '../../harness/audits/row-parts.ts'
import type { ScenarioResult } from '../../harness/report/result.ts'
import type { VerdictKind } from '../../harness/verdict.ts'

const finding = (more: Partial<Finding> = {}): Finding => ({ rule: 'cdn-headers', severity: 'error', file: 'a.vcl', line: 2, column: 3, message: 'ETag is taken away.', fix: 'Leave it.', ...more })
const partsOf = (...findings: Finding[]) => configParts({ word: 'VCL', reproduce: 'npm run audit -- --vcl a.vcl', judged: [{ row: 'cdn-headers', things: ['exchange', 'exchanges'], outcome: { examined: 6, findings } }] })
const measured = (verdict: VerdictKind) => [{ id: 'a', checks: [{ id: 'x', verdict, rows: ['cdn-headers'] }] }] as unknown as ScenarioResult[]

describe('a configuration', () => {
  it('fails its row by an error, opens it by what is undecided, and never makes it green', () => {
    expect(partsOf(finding())).toMatchObject([{ row: 'cdn-headers', verdict: 'fail', fix: 'Leave it.', reproduce: 'npm run audit -- --vcl a.vcl', because: 'The VCL breaks the rule at 1 place, first at a.vcl:2:3: ETag is taken away.' }])
    expect(partsOf(finding({ severity: 'warning', undecided: true }))).toMatchObject([{ verdict: 'unknown' }])
    expect(partsOf(finding({ severity: 'note' }))).toEqual([])
    expect(partsOf()).toEqual([])
  })

  it('is two parts where only some of it yields to a measurement', () => {
    const parts = partsOf(finding({ yieldsToMeasurement: true }), finding({ severity: 'warning', undecided: true }))
    expect(parts.map(({ verdict, yieldsToMeasurement }) => [verdict, yieldsToMeasurement])).toEqual([['unknown', undefined], ['fail', true]])
  })
})

describe('a finding that yields', () => {
  it('is a note once its row was measured green, and says why', () => {
    const [told] = overruled([finding({ severity: 'warning', undecided: true, yieldsToMeasurement: true })], measured('pass'))
    expect(told).toEqual(finding({ severity: 'note', message: 'ETag is taken away. This run measured that the row holds with this very file, so it does not count.' }))
  })

  it.each([['fail'], ['unknown'], ['not-applicable']] as const)('stays as it is where the row was measured as %s, or another one was', (verdict) => {
    const own = finding({ yieldsToMeasurement: true })
    expect(overruled([own], measured(verdict))).toEqual([own])
    expect(overruled([{ ...own, rule: 'cdn-cursor' }], measured('pass'))).toEqual([{ ...own, rule: 'cdn-cursor' }])
  })

  it('is not one that speaks of what no run can see', () => {
    expect(overruled([finding()], measured('pass'))).toEqual([finding()])
  })
})
