/** The file against what the schema of SARIF 2.1.0 requires, and what GitHub's code scanning asks beyond it. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Finding } from '../../harness/audits/finding.ts'
import type { Waiver } from '../../harness/conclude.ts'
import { renderSarif } from '../../harness/report/sarif.ts'

/** OASIS sarif-schema-2.1.0.json: the objects that are written, with no property that it does not know. */
const text = z.strictObject({ text: z.string().min(1), markdown: z.string().min(1).optional() })
const uri = z.string().regex(/^(?:[A-Za-z][A-Za-z\d+.-]*:)?[A-Za-z\d\-._~:/?#[\]@!$&'()*+,;=%]*$/)
const level = z.enum(['none', 'note', 'warning', 'error'])
const rule = z.strictObject({
  id: z.string().min(1),
  name: z.string().min(1),
  shortDescription: text,
  fullDescription: text,
  help: text,
  helpUri: z.url(),
  defaultConfiguration: z.strictObject({ level }),
  properties: z.strictObject({ tags: z.array(z.string()).refine((tags) => new Set(tags).size === tags.length) }).optional(),
})
const location = z.strictObject({
  physicalLocation: z.strictObject({
    artifactLocation: z.strictObject({ uri, uriBaseId: z.literal('%SRCROOT%').optional() }),
    region: z.strictObject({ startLine: z.int().min(1), startColumn: z.int().min(1) }),
  }),
})
const schema = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z
    .array(
      z.strictObject({
        tool: z.strictObject({
          driver: z.strictObject({
            name: z.string().min(1),
            version: z.string(),
            semanticVersion: z.string().regex(/^\d+\.\d+\.\d+/),
            informationUri: z.url(),
            rules: z.array(rule),
          }),
        }),
        automationDetails: z.strictObject({ id: z.string() }),
        columnKind: z.enum(['utf16CodeUnits', 'unicodeCodePoints']),
        results: z.array(
          z.strictObject({
            ruleId: z.string(),
            ruleIndex: z.int().min(0),
            level,
            message: z.strictObject({ text: z.string().min(1) }),
            locations: z.array(location).length(1),
            suppressions: z.array(z.strictObject({ kind: z.enum(['inSource', 'external']), status: z.enum(['accepted', 'underReview', 'rejected']), justification: z.string().min(1) })).optional(),
            partialFingerprints: z.record(z.string().regex(/^[\w/]+$/), z.string().min(1)),
          }),
        ),
      }),
    )
    .length(1),
})

const finding: Finding = { rule: 'https', severity: 'error', file: 'caddy/My file#1.Caddyfile', line: 3, column: 7, message: 'Wrong.', fix: 'Mend it.', yieldsToMeasurement: true }

function sarifOf(findings: Finding[], lines: Record<string, string[]> = {}, waivers: Waiver[] = []) {
  const file = renderSarif(findings, { waivers, version: '1.2.3', pathOf: (name) => name, lineOf: (name, line) => lines[name]?.[line - 1] ?? '' })
  return schema.parse(JSON.parse(file)).runs[0]!
}

describe('a SARIF file', () => {
  it('has what the schema requires, and nothing it does not know', () => {
    const all: Finding[] = [finding, { ...finding, rule: 'source', severity: 'note' }, { ...finding, rule: 'cdn-urls', severity: 'warning' }]
    const { results, tool } = sarifOf(all)
    expect(results.map(({ level }) => level)).toEqual(['error', 'note', 'warning'])
    expect(results.map(({ ruleId, ruleIndex }) => tool.driver.rules[ruleIndex]!.id === ruleId)).toEqual([true, true, true])
    expect(tool.driver.rules.map(({ id }) => id)).toEqual(['cdn-urls', 'https', 'source'])
    expect(tool.driver.rules[1]!.help.text).toContain('See https://')
  })

  it('is right with no finding at all', () => {
    expect(sarifOf([])).toMatchObject({ results: [], tool: { driver: { rules: [] } } })
  })

  it('names files by relative addresses, and by absolute ones where they are in no repository', () => {
    const place = (file: string) => sarifOf([{ ...finding, file }]).results[0]!.locations[0]!.physicalLocation
    expect(place('caddy/My file#1.Caddyfile')).toEqual({ artifactLocation: { uri: 'caddy/My%20file%231.Caddyfile', uriBaseId: '%SRCROOT%' }, region: { startLine: 3, startColumn: 7 } })
    expect(place('/etc/caddy/Caddyfile').artifactLocation).toEqual({ uri: 'file:///etc/caddy/Caddyfile' })
    expect(place('C:/caddy/Caddyfile').artifactLocation).toEqual({ uri: 'file:///C:/caddy/Caddyfile' })
  })

  it('has fingerprints that stay when lines move, and differ where the line does', () => {
    const [file, line] = ['Caddyfile', '\tdata_dir /tmp/x']
    const prints = (findings: Finding[], lines: string[]) => sarifOf(findings, { [file]: lines }).results.map(({ partialFingerprints }) => partialFingerprints['findingLine/v1'])
    const at = (n: number, more: Partial<Finding> = {}): Finding => ({ ...finding, file, line: n, ...more })
    const [before] = prints([at(1)], [line])
    expect(prints([at(3, { column: 9, message: 'In other words.' })], ['', '', `  ${line}`])).toEqual([before])
    expect(prints([at(1)], ['\tdata_dir /tmp/y'])).not.toEqual([before])
    expect(prints([at(1, { rule: 'cdn-urls' })], [line])).not.toEqual([before])
    const [first, second] = prints([at(1), at(2)], [line, line])
    expect(first).toBe(before)
    expect(second).not.toBe(before)
  })

  it('suppresses what is waived, for as long as it is', () => {
    const waiver = { row: 'https' as const, reason: 'Our proxy does it.', until: '2030-01-01', expired: false }
    const suppressions = (waivers: Waiver[]) => sarifOf([finding, { ...finding, rule: 'cdn-urls' }], {}, waivers).results.map((one) => one.suppressions)
    expect(suppressions([])).toEqual([undefined, undefined])
    expect(suppressions([waiver])).toEqual([[{ kind: 'external', status: 'accepted', justification: 'Until 2030-01-01: Our proxy does it.' }], []])
    expect(suppressions([{ ...waiver, expired: true }])).toEqual([[], []])
  })
})
