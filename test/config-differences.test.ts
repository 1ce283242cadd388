/** What differs between two runs' own configurations, and what does not count. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { configDifferences, differencesIn } from '../harness/config-differences.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'config-differences-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(name: string, configs: Record<string, unknown>): string {
  for (const [file, config] of Object.entries(configs)) {
    const whole = path.join(folder, name, 'config', file)
    mkdirSync(path.dirname(whole), { recursive: true })
    writeFileSync(whole, typeof config === 'string' ? config : JSON.stringify(config))
  }
  return path.join(folder, name)
}

describe('two configurations', () => {
  test('differ where a value does, is new or is gone', () => {
    expect(differencesIn({ apps: { a: 1, b: [1, 2] } }, { apps: { a: 2, b: [1] }, admin: {} , log: true })).toEqual(['/apps/a: 1, now 2', '/apps/b/1: 2, now none', '/log: none, now true'])
  })

  test('do not differ by ports and temporary folders, which each run has of its own', () => {
    const one = (port: number, ending: string) => ({ http_port: port, listen: [`127.0.0.1:${port}`], data_dir: `/tmp/dss/run-1/tiny-${ending}/data` })
    expect(differencesIn(one(1_000, 'aB3dE6'), one(2_000, 'xyzxyz'))).toEqual([])
  })

  test('show no secret', () => {
    const lines = differencesIn({ headers: { Authorization: 'Bearer geheimgeheim' } }, { headers: { Authorization: 'Bearer auchgeheim!' } })
    expect(lines.join()).not.toContain('geheim')
  })

  test('are held together by file, each difference told once; what cannot be read is left out', async () => {
    const before = run('before', { 's1/o.json': { a: 1 }, 's2/o.json': { a: 1 }, 's3/o.json': '{' })
    const now = run('now', { 's1/o.json': { a: 2 }, 's2/o.json': { a: 2 }, 's3/o.json': { a: 1 }, 's4/o.json': { a: 1 } })
    expect((await configDifferences(before, now)).map((line) => line.replace(/^s\d/, 's'))).toEqual(['s/o.json: /a: 1, now 2'])
    expect(await configDifferences(path.join(folder, 'nowhere'), now)).toEqual([])
  })
})
