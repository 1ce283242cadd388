/** `npm run audit -- …`: reads the user's files, prints what is wrong with them, ends with 1 if something is. */
import path from 'node:path'
import { auditCaddyfile, auditEdge } from './audit-config.ts'
import { parseAuditOptions, type AuditOptions } from './audit-options.ts'
import { sortFindings, type Finding } from './audits/finding.ts'
import { findingsOf } from './audits/row-parts.ts'
import { readConfig, type Config } from './config.ts'
import { readGivenText } from './confine/read-given-text.ts'
import { defaultEdge } from './edges/edges.ts'
import { exitCodes, UsageError } from './errors.ts'
import { explain } from './explain.ts'
import { openFilesMax } from './load/fleet/limits.ts'
import { adaptWherePossible } from './provision/caddyfile-adapter.ts'
import { countFindings, isWaived, renderFindings, waiverLines } from './report/findings.ts'
import { wantsColour } from './report/terminal.ts'
import { annotate, writeSarif } from './tell-findings.ts'

process.exitCode = await main(process.argv.slice(2)).catch(explain)

interface Part {
  findings: Finding[]
  /** How many files were judged. */
  files: number
}

async function main(args: string[]): Promise<number> {
  const options = parseAuditOptions(args)
  const config = await readConfig(options.config)
  const named = withSettings(options, config)
  const cwd = process.cwd()
  const parts = [await readSource(named, cwd), await readCaddyfile(named, cwd), await readVcl(named, cwd)].filter((one) => one !== null)
  const findings = sortFindings(parts.flatMap((part) => part.findings))
  const files = parts.reduce((sum, part) => sum + part.files, 0)
  const waivers = config?.waivers ?? []
  if (options.sarif !== undefined) await writeSarif(options.sarif, { findings, waivers }, cwd)
  if (options.json) process.stdout.write(`${JSON.stringify({ files, findings, ...(config === null ? {} : { waivers }) }, null, 2)}\n`)
  else {
    process.stdout.write(`${renderFindings(findings, wantsColour(process.stdout.isTTY === true, process.env))}${countFindings(findings)} in ${files} ${files === 1 ? 'file' : 'files'}.\n`)
    process.stdout.write(waiverLines(findings, waivers).map((line) => `${line}\n`).join(''))
  }
  annotate({ findings, waivers }, cwd, options.json ? process.stderr : process.stdout)
  return findings.some((finding) => finding.severity === 'error' && !isWaived(finding, waivers)) ? exitCodes.notReady : exitCodes.ready
}

interface Named {
  globs: readonly string[]
  caddyfile: string | undefined
  vcl: string | undefined
  serverBin: string | undefined
  streams: number
  tlsInFront: boolean
}

/** What flags name is read; where they name nothing, all that the configuration file does. */
function withSettings({ globs, caddyfile, vcl, serverBin, streams }: AuditOptions, config: Config | null): Named {
  const settings = config?.settings ?? {}
  const isNamed = globs.length > 0 || caddyfile !== undefined || vcl !== undefined
  const isVcl = settings.edge === undefined || settings.edge === defaultEdge.id
  const files = isNamed ? { globs, caddyfile, vcl } : { globs: settings.app ?? [], caddyfile: settings.caddyfile, vcl: isVcl ? settings.edgeConfig : undefined }
  if (files.globs.length === 0 && files.caddyfile === undefined && files.vcl === undefined) {
    throw new UsageError("Nothing was given to audit; give a glob in quotes, a Caddyfile or a VCL, npm run audit -- 'src/**/*.{ts,tsx}' --caddyfile Caddyfile --vcl default.vcl, or name them in the configuration file.")
  }
  return { ...files, serverBin: serverBin ?? settings.serverBin, streams: streams ?? settings.streams ?? 1_000, tlsInFront: settings.tlsCaddyfile !== undefined }
}

/** The parser is a native program of some megabytes: loaded only where source is read. */
async function readSource({ globs }: Named, cwd: string): Promise<Part | null> {
  if (globs.length === 0) return null
  const { auditSource } = await import('./audit-source.ts')
  const source = await auditSource(globs, cwd)
  return { findings: findingsOf(source), files: source.files }
}

async function readCaddyfile({ caddyfile, serverBin, streams, tlsInFront }: Named, cwd: string): Promise<Part | null> {
  if (caddyfile === undefined) return null
  const file = path.resolve(cwd, caddyfile)
  const adapted = await adaptWherePossible(file, { serverBin, env: process.env })
  if (adapted.standIn !== null) process.stderr.write(`${caddyfile} was read with ${adapted.standIn}, as no production server is here: what only that one refuses was not noticed.\n`)
  const expected = { streams, openFilesMax: openFilesMax('self', 'hard') ?? null, tlsInFront }
  return { findings: findingsOf(await auditCaddyfile(adapted, file, expected, cwd)), files: adapted.files.length }
}

/** Its text is read, and not compiled: no Varnish is needed for that. */
async function readVcl({ vcl }: Named, cwd: string): Promise<Part | null> {
  if (vcl === undefined) return null
  const file = path.resolve(cwd, vcl)
  const source = await readGivenText(defaultEdge.config.word, file)
  const read = await auditEdge(defaultEdge, { file, source }, cwd)
  return { findings: read ? findingsOf(read) : [], files: 1 }
}
