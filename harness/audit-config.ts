/** Reads the configurations of origin and cache for the audits, and judges them by all rules. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Expected } from './audits/caddyfile-facts.ts'
import type { Place } from './audits/finding.ts'
import type { ConfigAudit } from './audits/row-parts.ts'
import { judgeBy } from './audits/rule.ts'
import type { AdaptedCaddyfile } from './confine/caddyfile.ts'
import { readDirectives } from './confine/caddyfile-directives.ts'
import { caddyfileFacts } from './confine/caddyfile-facts.ts'
import { variablesFor } from './confine/environment.ts'
import type { Edge, EdgeConfig } from './edges/edge.ts'
import { loadRules } from './load-audits.ts'

/** `adapted` is what the file was found to mean; its places are looked for in its text. */
export async function auditCaddyfile(adapted: AdaptedCaddyfile, file: string, expected: Expected, cwd: string): Promise<ConfigAudit> {
  const { json, variables } = adapted
  const environment = variablesFor(variables.map(({ name }) => name), process.env)
  const tree = readDirectives(file, { read: textOf, environment })
  const facts = caddyfileFacts(json, { file, tree, shown: (place) => shownFrom(cwd, place) }, expected)
  const judged = judgeBy(await loadRules('caddyfile'), facts)
  return { word: 'Caddyfile', judged, reproduce: `npm run audit -- --caddyfile ${facts.place.file}` }
}

/** Null for a cache whose language is not read. */
export async function auditEdge(edge: Edge, config: EdgeConfig, cwd: string): Promise<ConfigAudit | null> {
  const facts = edge.facts?.(config, (place) => shownFrom(cwd, place))
  if (!facts) return null
  const judged = judgeBy(await loadRules('edge'), facts)
  return { word: edge.config.word, judged, reproduce: `npm run audit -- --vcl ${facts.place.file}` }
}

/** As the user would name it: relative to where the command runs, unless that is the longer way. */
function shownFrom(cwd: string, { file, ...at }: Place): Place {
  const near = path.relative(cwd, file)
  return { file: (near === '' || near.length > file.length ? file : near).replaceAll(path.sep, '/'), ...at }
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
