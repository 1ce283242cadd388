/** The public command behind nginx, with a file as a user would give it: green where nginx can, red where it cannot. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CheckResult, Result } from '../../../harness/report/result.ts'
import { findProgram } from '../../../harness/provision/find-program.ts'
import { sayNotTested } from '../../confine/programs.ts'
import { simulate } from '../../cli/simulation.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const readers = 120
const nginx = findProgram('nginx', process.env)
if (!nginx) sayNotTested('a run behind nginx', 'nginx was not found')

describe.skipIf(!nginx)('behind nginx', () => {
  test('long-polls collapse, event streams do not, and the file is shown as it ran', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'behind-nginx-'))
    try {
      const file = path.join(folder, 'mine.conf')
      await writeFile(file, await readFile(path.join(root, 'nginx/recommended.conf')))
      const out = path.join(folder, 'out')
      const args = ['fan-out-long-poll', 'fan-out-sse', '--origin', 'reference', '--readers', String(readers), '--out', out]
      const ended = await simulate([...args, '--edge', 'nginx', '--edge-config', file])
      await using _simulation = ended.simulation
      expect(ended.code, ended.stderr.slice(-600)).toBe(2)
      const result = JSON.parse(await readFile(path.join(out, 'latest', 'result.json'), 'utf8')) as Result
      const collapse = (id: string) => checkOf(result, id, 'crowd-collapses')
      expect(collapse('fan-out-long-poll')).toMatchObject({ verdict: 'pass', value: 1 })
      expect(collapse('fan-out-sse')).toMatchObject({ verdict: 'fail', value: readers })
      expect(checkOf(result, 'fan-out-sse', 'crowd-is-served-right').verdict).toBe('pass')
      expect(result.subject.hops.find((hop) => hop.id === 'edge')).toMatchObject({ kind: 'nginx', source: file })
      expect(result.subject.fileChanges.map((change) => change.file)).toEqual([file])
      expect(result.scope.join('\n')).toContain(`behind nginx`)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

function checkOf(result: Result, scenario: string, check: string): CheckResult {
  return result.scenarios.find((one) => one.id === scenario)!.checks.find((one) => one.id === check)!
}
