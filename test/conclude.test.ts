import { describe, expect, it } from 'vitest'
import { checkById } from '../harness/checks.ts'
import { rowIds, rows, type RowId } from '../harness/checklist.ts'
import { conclude, concludeAll, concludeBoxes, concludeRows, scoreOf, speakers, type Facts } from '../harness/conclude.ts'
import { fixed } from '../harness/fixes.ts'
import type { VerdictKind } from '../harness/verdict.ts'

function facts(verdicts: Partial<Record<RowId, VerdictKind>>, more: Partial<Facts> = {}, rest: VerdictKind = 'pass'): Facts {
  const audits = rowIds.map((row) => ({ row, verdict: verdicts[row] ?? rest, because: `${row} was looked at` }))
  return { scenarios: [], notRun: [], audits, originKind: 'production', partial: false, twins: [], reproduceOptions: '--seed 7', ...more }
}

function decide(given: Facts) {
  return conclude(given, concludeRows(given))
}

describe('the verdict', () => {
  it('is ready only when every required row passed or does not apply', () => {
    expect(decide(facts({}))).toMatchObject({ verdict: 'ready', exitCode: 0 })
    expect(decide(facts({ cors: 'not-applicable' }))).toMatchObject({ verdict: 'ready' })
    for (const row of rows.filter((candidate) => candidate.required)) {
      expect(decide(facts({ [row.id]: 'unknown' })), row.id).toMatchObject({ verdict: 'unknown', exitCode: 2 })
      expect(decide(facts({ [row.id]: 'fail' })), row.id).toMatchObject({ verdict: 'not-ready', exitCode: 1 })
    }
  })

  it('names the row in its first sentence', () => {
    expect(decide(facts({ cors: 'unknown' })).because).toContain('cors')
    expect(decide(facts({ https: 'fail' })).because).toContain('https')
  })

  it('does not hang on medium rows, soak and replay', () => {
    for (const row of ['soak', 'incident-replay', 'lifecycle-one', 'ops-upgrade'] as const) {
      expect(decide(facts({ [row]: 'unknown' })).verdict).toBe('ready')
    }
  })

  it('is never ready for the reference server or a partial run, and shows failures all the same', () => {
    expect(decide(facts({}, { originKind: 'reference' }))).toMatchObject({ verdict: 'unknown', exitCode: 2 })
    expect(decide(facts({}, { partial: true }))).toMatchObject({ verdict: 'unknown', exitCode: 2 })
    expect(decide(facts({ https: 'fail' }, { originKind: 'reference' })).because).toContain('https')
  })

  it('is never ready where a twin stood in for a hop, and says for which', () => {
    expect(decide(facts({}, { twins: ['tls'] }))).toMatchObject({ verdict: 'unknown', exitCode: 2 })
    expect(decide(facts({}, { twins: ['tls'] })).because).toContain('tls')
    expect(decide(facts({ https: 'fail' }, { twins: ['tls'] }))).toMatchObject({ verdict: 'unknown', exitCode: 2 })
  })

  it('leaves a row open whose other scenarios were not run', () => {
    const notRun = [{ id: 'restart-keeps-forks', because: 'It was not named.', rows: ['persistence-data-dir' as const] }]
    const row = (given: Facts) => concludeRows(given).find(({ id }) => id === 'persistence-data-dir')!
    expect(row(facts({}, { notRun }))).toMatchObject({ verdict: 'unknown', because: 'restart-keeps-forks was not run.' })
    expect(row(facts({}, { notRun })).reproduce).toContain('restart-keeps-forks')
    expect(row(facts({ 'persistence-data-dir': 'fail' }, { notRun })).verdict).toBe('fail')
    expect(concludeRows(facts({}, { notRun })).filter(({ verdict }) => verdict === 'unknown')).toHaveLength(1)
  })

  it('is unknown when nothing was judged at all', () => {
    const nothing: Facts = { ...facts({}), audits: [] }
    expect(decide(nothing)).toMatchObject({ verdict: 'unknown', exitCode: 2 })
    expect(concludeRows(nothing).every((row) => row.verdict === 'unknown')).toBe(true)
  })
})

describe('the rows', () => {
  it('are all there, once, in order, each the worst of its parts', () => {
    const given = facts({})
    given.audits.push({ row: 'https', verdict: 'fail', because: 'no chain' })
    const checklist = concludeRows(given)
    expect(checklist.map((row) => row.id)).toEqual([...rowIds])
    expect(checklist.find((row) => row.id === 'https')).toMatchObject({ verdict: 'fail', because: 'no chain' })
  })
})

describe('a row that passed by several checks', () => {
  const check = (id: string) => ({ id, because: `${id} passed.`, verdict: 'pass', rows: ['https'] })
  const scenario = (id: string, ...checks: string[]) => ({ id, checks: checks.map(check) })

  it('is told by the one that answers its statement, whichever ran first', () => {
    const scenarios = [scenario('a', 'crowd-is-served-right'), scenario('b', 'chain-is-verified')] as unknown as Facts['scenarios']
    const checklist = concludeRows({ ...facts({}), audits: [], scenarios })
    expect(checklist.find((row) => row.id === 'https')!.because).toBe('chain-is-verified passed; 1 more check passed.')
  })

  it('names checks that there are', () => {
    expect(Object.values(speakers).map((id) => checkById(id).id)).toEqual(Object.values(speakers))
  })
})

describe('a row that failed', () => {
  const failed = (fingerprint: string) => {
    const check = { id: 'x', because: 'It broke.', verdict: 'fail', rows: ['ops-restart'], fingerprint }
    const scenarios = [{ id: 'a', checks: [check] }] as unknown as Facts['scenarios']
    return concludeRows({ ...facts({}), audits: [], scenarios }).find((row) => row.id === 'ops-restart')!.fix
  }

  it('says what to do about this very failure, else what its row advises', () => {
    expect(failed('second-server-is-refused/ready/any/second-server-on-port/origin')).toContain('one server for one data_dir')
    expect(failed('something-new/x/y/z/origin')).toBe(rows.find((row) => row.id === 'ops-restart')!.fix)
  })

  it('has fixes for checks that there are only', () => {
    expect(fixed.map((beginning) => checkById(beginning.split('/')[0]!).id)).toEqual(fixed.map((beginning) => beginning.split('/')[0]))
  })
})

describe('the boxes', () => {
  it('are ticked, crossed or open', () => {
    const boxes = concludeBoxes(concludeRows(facts({ https: 'fail', 'client-errors': 'unknown', 'cdn-cursor': 'fail' })))
    expect(boxes.map((box) => box.state)).toEqual(['ticked', 'ticked', 'crossed', 'ticked', 'ticked', 'crossed', 'open', 'ticked'])
  })
})

describe('the score', () => {
  it('is 100 for all, capped by a failed critical row, and counts only what applies', () => {
    expect(scoreOf(concludeRows(facts({})))).toBe(100)
    expect(scoreOf(concludeRows(facts({ https: 'fail' })))).toBe(49)
    expect(scoreOf(concludeRows(facts({ cors: 'fail' })))).toBeGreaterThan(90)
    expect(scoreOf(concludeRows(facts({ https: 'pass' }, {}, 'not-applicable')))).toBe(100)
    expect(scoreOf(concludeRows(facts({}, {}, 'unknown')))).toBe(0)
  })
})

describe('an audit', () => {
  const rowOf = (given: Facts, id: RowId) => concludeRows(given).find((row) => row.id === id)!
  const audit = (more: Partial<Facts['audits'][number]> = {}) => ({ row: 'file-handles' as const, verdict: 'fail' as const, because: 'It reads badly.', ...more })
  const measured = (verdict: VerdictKind) => [{ id: 'a', checks: [{ id: 'x', because: 'It ran.', verdict, rows: ['file-handles'], examined: 1 }] }] as unknown as Facts['scenarios']

  it('is a part of its row, with its own advice and command', () => {
    const given = { ...facts({}), audits: [audit({ fix: 'Mend it.', reproduce: "npm run audit -- 'src'" })] }
    expect(rowOf(given, 'file-handles')).toMatchObject({ verdict: 'fail', because: 'It reads badly.', fix: 'Mend it.', reproduce: "npm run audit -- 'src'" })
  })

  it('yields to a measurement of the same thing, and only to one that passed', () => {
    const given = (verdict: VerdictKind, yields: boolean): Facts => ({ ...facts({}), scenarios: measured(verdict), audits: [audit(yields ? { yieldsToMeasurement: true } : {})] })
    expect(rowOf(given('pass', true), 'file-handles').verdict).toBe('pass')
    expect(rowOf(given('unknown', true), 'file-handles').verdict).toBe('fail')
    expect(rowOf(given('pass', false), 'file-handles').verdict).toBe('fail')
    expect(rowOf({ ...given('pass', true), scenarios: [] }, 'file-handles').verdict).toBe('fail')
  })

  it('leaves the boxes of the own code open where that was not given, whatever a run showed', () => {
    const missing = (row: RowId) => ({ row, verdict: 'not-applicable' as const, because: 'Not given.', missing: 'app' as const })
    const given = facts({})
    given.audits.push(missing('client-errors'), missing('https'))
    const checklist = concludeRows(given)
    const states = new Map(concludeBoxes(checklist, given.audits).map((box) => [box.rows[0]!, box]))
    expect(states.get('client-errors')).toMatchObject({ state: 'open', because: 'Not given.' })
    expect(states.get('https')).toMatchObject({ state: 'ticked' })
    expect(checklist.find((row) => row.id === 'client-errors')!.verdict).toBe('pass')
  })
})

describe('a waived row', () => {
  const waiver = (row: RowId, expired = false) => ({ row, reason: 'Our proxy does it.', until: '2030-01-01', expired })
  const waiversOf = (given: Facts) => concludeAll(given, null).waivers!.map(({ row, state }) => `${row} ${state}`)

  it('does not count for the verdict, and is named in the first sentence with how it came out', () => {
    for (const verdict of ['fail', 'unknown'] as const) {
      const given = facts({ https: verdict }, { waivers: [waiver('https')] })
      const conclusion = decide(given)
      expect(conclusion).toMatchObject({ verdict: 'ready', exitCode: 0 })
      expect(conclusion.because).toMatch(/^All 21 other required rows were seen to hold/)
      expect(conclusion.because).toContain(`Waived, and not counted: https (${verdict === 'fail' ? 'failed' : 'unknown'}; Our proxy does it; until 2030-01-01).`)
      expect(waiversOf(given)).toEqual(['https counts'])
    }
  })

  it('gives no point: the score is what it is without the waiver', () => {
    for (const seen of [{ https: 'fail' }, { cors: 'fail' }, { https: 'unknown', cors: 'fail' }] as const) {
      const without = scoreOf(concludeRows(facts(seen)))
      const waivers = (Object.keys(seen) as RowId[]).map((row) => waiver(row))
      expect(scoreOf(concludeRows(facts(seen, { waivers })))).toBe(without)
      expect(without).toBeLessThan(100)
    }
  })

  it('keeps what was seen of it, in its row and its box', () => {
    const checklist = concludeRows(facts({ https: 'fail' }, { waivers: [waiver('https')] }))
    expect(checklist.find((row) => row.id === 'https')).toMatchObject({ verdict: 'fail', waived: { until: '2030-01-01' } })
    expect(concludeBoxes(checklist).find((box) => box.rows.includes('https'))).toMatchObject({ state: 'crossed', because: 'Waived until 2030-01-01: Our proxy does it. Seen: https was looked at' })
  })

  it('is as any other once its waiver has expired, and the first sentence says so', () => {
    const given = facts({ https: 'fail', cors: 'unknown' }, { waivers: [waiver('https', true), waiver('cors', true)] })
    expect(decide(given)).toMatchObject({ verdict: 'not-ready', exitCode: 1 })
    expect(decide(given).because).toContain('Waiver expired, so that the row counts again: https (failed; it had been waived until 2030-01-01: Our proxy does it), cors (unknown;')
    expect(concludeRows(given).some((row) => row.waived)).toBe(false)
    expect(waiversOf(given)).toEqual(['https expired', 'cors expired'])
  })

  it('excuses no other row', () => {
    expect(decide(facts({ cors: 'fail' }, { waivers: [waiver('https')] }))).toMatchObject({ verdict: 'not-ready' })
    const two = decide(facts({ cors: 'fail', https: 'fail' }, { waivers: [waiver('https')] }))
    expect(two).toMatchObject({ verdict: 'not-ready' })
    expect(two.because).toMatch(/^1 required row failed: cors\. Waived, and not counted: https \(failed;/)
  })

  it('that passed or does not apply needs its waiver no longer, expired or not, and that is said', () => {
    for (const expired of [false, true]) {
      const given = facts({ soak: 'not-applicable' }, { waivers: [waiver('https', expired), waiver('soak', expired)] })
      expect(decide(given)).toMatchObject({ verdict: 'ready', because: 'All 22 required rows were seen to hold or do not apply. Waiver no longer needed, take it out: https (passed), soak (does not apply).' })
      expect(concludeRows(given).some((row) => row.waived)).toBe(false)
      expect(waiversOf(given)).toEqual(['https not-needed', 'soak not-needed'])
    }
  })

  it('does not make the reference server or a partial run ready', () => {
    expect(decide(facts({ https: 'fail' }, { waivers: [waiver('https')], partial: true }))).toMatchObject({ verdict: 'unknown' })
    expect(decide(facts({ https: 'fail' }, { waivers: [waiver('https')], originKind: 'reference' }))).toMatchObject({ verdict: 'unknown' })
  })
})
