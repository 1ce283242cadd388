/** What the gathered files say by themselves, as parts of rows. Pure. */
import { sourceParts, unreadParts, type SourceAudit } from './audits/row-parts.ts'
import type { AuditPart } from './conclude.ts'
import type { Subject } from './gather.ts'

/** `source` is null where no --app was given. */
export function audit(subject: Subject, source: SourceAudit | null): AuditPart[] {
  return [originIsProduction(subject), ...dataDirIsSet(subject), ...(source ? sourceParts(source) : unreadParts())]
}

function originIsProduction({ server }: Subject): AuditPart {
  if (server.kind === 'reference') {
    return { row: 'server-production', verdict: 'unknown', because: `The reference server stood in for the production server: ${server.because}.` }
  }
  const because = `The origin is ${server.path}, version ${server.version} (${server.label}); its modules list the durable_streams handler.`
  return { row: 'server-production', verdict: 'pass', because }
}

function dataDirIsSet({ caddyfile, capabilities }: Subject): AuditPart[] {
  if (!caddyfile || !capabilities) return []
  if (capabilities.dataDirSet) return [{ row: 'persistence-data-dir', verdict: 'pass', because: 'Every durable_streams block has a data_dir.' }]
  return [{ row: 'persistence-data-dir', verdict: 'fail', because: `A durable_streams block of ${caddyfile.file} has no data_dir: its streams live in memory.` }]
}
