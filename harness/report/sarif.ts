/**
 * Findings as SARIF 2.1.0 (OASIS, March 2020), for code scanning and editors: rules with their help, places by
 * paths from the repository's root, and fingerprints that stay when lines move. Pure.
 */
import { rowById } from '../checklist.ts'
import { waiverOf, type Waiver } from '../conclude.ts'
import type { Finding, FindingSeverity, RuleId } from '../audits/finding.ts'
import { sha256 } from '../sha256.ts'

export interface SarifOptions {
  /** Of this program. */
  version: string
  /** The path of a file from the root of its repository, with forward slashes; absolute where it is in none. */
  pathOf(file: string): string
  /** The text of a line, from 1; empty where it cannot be read. */
  lineOf(file: string, line: number): string
  /** Rows that their owner lets pass for a time. */
  waivers: readonly Waiver[]
}

const root = '%SRCROOT%'
const project = 'https://github.com/durable-streams/durable-streams'
const levels: Record<FindingSeverity, 'error' | 'warning' | 'note'> = { error: 'error', warning: 'warning', note: 'note' }

export function renderSarif(findings: readonly Finding[], options: SarifOptions): string {
  const ids = [...new Set(findings.map(({ rule }) => rule))].toSorted()
  const prints = fingerprints(findings, options)
  const run = {
    tool: {
      driver: {
        name: 'durable-streams-production-simulator',
        version: options.version,
        semanticVersion: options.version,
        informationUri: project,
        rules: ids.map(ruleOf),
      },
    },
    // Where an upload does not name another one.
    automationDetails: { id: 'durable-streams-audit/' },
    columnKind: 'utf16CodeUnits',
    results: findings.map((finding, index) => resultOf(finding, ids.indexOf(finding.rule), prints[index]!, options)),
  }
  return `${JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }, null, 2)}\n`
}

function ruleOf(id: RuleId) {
  if (id === 'source') {
    const text = 'A file could not be read or parsed, so nothing in it was judged.'
    return { id, name: 'Source', shortDescription: { text }, fullDescription: { text }, help: { text: `${text} Mend it, or leave it out.` }, helpUri: project, defaultConfiguration: { level: 'note' } }
  }
  const { title, fix, link, severity } = rowById(id)
  return {
    id,
    name: id.replaceAll(/(^|-)([a-z])/g, (_whole, _dash, letter: string) => letter.toUpperCase()),
    shortDescription: { text: `${title}.` },
    fullDescription: { text: `${title}. ${fix}` },
    help: { text: `${fix} See ${link}`, markdown: `${fix}\n\n[Where this rule comes from](${link})` },
    helpUri: link,
    defaultConfiguration: { level: severity === 'medium' ? 'warning' : 'error' },
    properties: { tags: ['durable-streams', severity] },
  }
}

function resultOf({ rule, severity, file, line, column, message, fix }: Finding, ruleIndex: number, print: string, { pathOf, waivers }: SarifOptions) {
  const uri = uriOf(pathOf(file))
  return {
    ruleId: rule,
    ruleIndex,
    level: levels[severity],
    message: { text: `${message} ${fix}`.toWellFormed() },
    locations: [{ physicalLocation: { artifactLocation: uri.startsWith('file:') ? { uri } : { uri, uriBaseId: root }, region: { startLine: line, startColumn: column } } }],
    partialFingerprints: { 'findingLine/v1': print },
    ...suppressionsOf(rule, waivers),
  }
}

/** All results have them, or none: one that has an empty list is known not to be suppressed (section 3.27.23). */
function suppressionsOf(rule: RuleId, waivers: readonly Waiver[]) {
  if (waivers.length === 0) return {}
  const waiver = waiverOf(rule, waivers)
  return { suppressions: waiver ? [{ kind: 'external', status: 'accepted', justification: `Until ${waiver.until}: ${waiver.reason}` }] : [] }
}

/** Of a path: each part escaped, an absolute one as file:. */
function uriOf(path: string): string {
  const escaped = path.split('/').map((part) => encodeURIComponent(part)).join('/')
  if (/^[A-Za-z]%3A\//.test(escaped)) return `file:///${escaped.replace('%3A', ':')}`
  return path.startsWith('/') ? `file://${escaped}` : escaped
}

/** Of the rule, the file and the text of the line; the second one of the same counts on. */
function fingerprints(findings: readonly Finding[], { pathOf, lineOf }: SarifOptions): string[] {
  const seen = new Map<string, number>()
  return findings.map(({ rule, file, line }) => {
    const base = JSON.stringify([rule, pathOf(file), lineOf(file, line).trim()])
    const nth = (seen.get(base) ?? 0) + 1
    seen.set(base, nth)
    return sha256(`${base} ${nth}`)
  })
}
