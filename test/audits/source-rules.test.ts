/** Each rule on a project that breaks it in many ways, and on one that looks alike and does not. */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { rowsReadIn } from '../../harness/load-audits.ts'
import { audit, findingsIn, fixtures, markedIn, marks } from './audit-command.ts'

/** Besides what the files are marked with: findings in files that cannot hold a comment. */
const unmarked: Record<string, string[]> = {
  'server-production-bad': ['package.json:6 note server-production'],
}

const folders = readdirSync(fixtures).filter((name) => /-(bad|good)$/.test(name))

describe('the fixtures', () => {
  it('are there, one bad and one good for each rule', () => {
    const rules = folders.map((name) => name.replace(/-(bad|good)$/, ''))
    expect([...new Set(rules)].toSorted()).toEqual(rowsReadIn('app').toSorted())
    expect(folders.toSorted()).toEqual([...new Set(rules)].flatMap((rule) => [`${rule}-bad`, `${rule}-good`]).toSorted())
  })

  it.each(folders)('%s gets the findings that it is marked with, and no others', async (name) => {
    const folder = path.join(fixtures, name)
    const findings = await findingsIn(['.'], folder)
    expect(marks(findings)).toEqual([...markedIn(folder), ...(unmarked[name] ?? [])].toSorted())
    const [rule] = /^.*(?=-(bad|good)$)/.exec(name)!
    expect(findings.some((finding) => finding.severity === 'error')).toBe(name.endsWith('-bad'))
    // A fixture is about one rule: nothing else turns red.
    expect(findings.filter((finding) => finding.severity !== 'note' && finding.rule !== rule)).toEqual([])
  })
})

describe('the command', () => {
  it('prints each finding as file:line:col, and ends with 1 for an error', async () => {
    const { stdout, exitCode } = await audit(['src/direct.ts'], path.join(fixtures, 'lifecycle-set-bad'))
    expect(stdout).toMatch(/^src\/direct\.ts:5:9: error: DurableStream\.create\(\) sets no lifetime.* \[lifecycle-set\]$/m)
    expect(stdout).toMatch(/3 errors, 0 warnings and 0 notes in 1 file\.$/)
    expect(exitCode).toBe(1)
  })

  it('ends with 0 where nothing is an error', async () => {
    expect((await audit(['src'], path.join(fixtures, 'lifecycle-set-good'))).exitCode).toBe(0)
  })

  it.each([
    [[], 'Nothing was given to audit'],
    [['nothing-here/**/*.ts'], 'names no JavaScript or TypeScript file'],
    [['--colour'], "unknown option '--colour'"],
  ])('refuses %j in one sentence', async (args, words) => {
    const { exitCode, stderr } = await audit(args, fixtures)
    expect(exitCode).toBe(64)
    expect(stderr).toContain(words)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })
})
