/** `npm run audit -- …`: reads the user's files, prints what is wrong with them, ends with 1 if something is. */
import { parseAuditOptions } from './audit-options.ts'
import { auditSource } from './audit-source.ts'
import { findingsOf } from './audits/row-parts.ts'
import { readConfig } from './config.ts'
import { exitCodes, UsageError } from './errors.ts'
import { explain } from './explain.ts'
import { countFindings, isWaived, renderFindings, waiverLines } from './report/findings.ts'
import { wantsColour } from './report/terminal.ts'

process.exitCode = await main(process.argv.slice(2)).catch(explain)

async function main(args: string[]): Promise<number> {
  const options = parseAuditOptions(args)
  const config = await readConfig(options.config)
  const globs = options.globs.length > 0 ? options.globs : (config?.settings.app ?? [])
  if (globs.length === 0) throw new UsageError("Nothing was given to audit; give a glob in quotes, npm run audit -- 'src/**/*.{ts,tsx}', or app in the configuration file.")
  const source = await auditSource(globs, process.cwd())
  const { files } = source
  const findings = findingsOf(source)
  const waivers = config?.waivers ?? []
  if (options.json) process.stdout.write(`${JSON.stringify({ files, findings, ...(config === null ? {} : { waivers }) }, null, 2)}\n`)
  else {
    process.stdout.write(`${renderFindings(findings, wantsColour(process.stdout.isTTY === true, process.env))}${countFindings(findings)} in ${files} ${files === 1 ? 'file' : 'files'}.\n`)
    process.stdout.write(waiverLines(findings, waivers).map((line) => `${line}\n`).join(''))
  }
  return findings.some((finding) => finding.severity === 'error' && !isWaived(finding, waivers)) ? exitCodes.notReady : exitCodes.ready
}
