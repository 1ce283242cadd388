/** What is shown of a real run: whole and valid, small, and without a trace of the machine it was made on. */
import { readFileSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { anonymised } from '../../harness/report/anonymise.ts'
import { validateResult } from '../../harness/report/validate.ts'
import { sampleResult } from './arbitrary-result.ts'

const root = path.join(import.meta.dirname, '..', '..')
const file = (name: string) => path.join(root, 'reports', 'sample', name)
const machine = /\/(?:Users|etc|home|mnt|opt|private|proc|root|run|srv|tmp|usr|var|work)\/[\w.-]/

describe('reports/sample', () => {
  const json = readFileSync(file('result.json'), 'utf8')
  const page = readFileSync(file('report.html'), 'utf8')

  test('is a valid result of a real run with figures of every kind that it can have', () => {
    const validation = validateResult(JSON.parse(json))
    if (!validation.valid) expect(validation.problems).toEqual([])
    else expect(new Set(validation.result.scenarios.flatMap((one) => Object.keys(one.measurements)))).toEqual(new Set(['disk', 'durability', 'expiry', 'fanOut', 'passage', 'readiness', 'usage']))
  })

  test('has a page of that run', () => {
    expect(page).toContain((JSON.parse(json) as { runId: string }).runId)
    expect(page).toContain('REFERENCE SERVER')
  })

  test('is small', () => {
    expect(json.length).toBeLessThan(300_000)
    expect(page.length).toBeLessThan(300_000)
    expect(statSync(path.join(root, 'docs', 'report.png')).size).toBeLessThan(200_000)
  })

  test('names no path of a machine', () => {
    expect(json.split('\n').filter((line) => machine.test(line))).toEqual([])
    expect(machine.test(page.replace(/<style>[^]*?<\/style>/, ''))).toBe(false)
  })
})

test('a result that is shown to others keeps its words, but not its machine', () => {
  const result = sampleResult(1)
  const evidence = `open ${os.homedir()}/reports/x.db on build-7 (see /opt/server/log, GET /v1/stream/opt/a): build-7x`
  const shown = anonymised({ ...result, because: evidence, score: 12.345_678, host: { ...result.host, kernel: 'Linux 6.1-x' }, options: { out: '/a', seed: 1 } }, ['build-7', ''])
  expect(shown.because).toBe('open …/x.db on this-host (see …/log, GET /v1/stream/opt/a): build-7x')
  expect(shown).toMatchObject({ score: 12.3457, host: { kernel: 'Linux' }, options: { seed: 1 } })
  expect(shown.options).not.toHaveProperty('out')
})
