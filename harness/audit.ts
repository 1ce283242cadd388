/** What the gathered files say by themselves, as parts of rows. Pure. */
import { configParts, sourceParts, unreadParts, type ConfigAudit, type SourceAudit } from './audits/row-parts.ts'
import type { RowId } from './checklist.ts'
import type { AuditPart } from './conclude.ts'
import type { Subject } from './gather.ts'

export interface FilesRead {
  /** Null where no --app was given. */
  source: SourceAudit | null
  /** The rows that source is a part of. */
  sourceRows: readonly RowId[]
  /** The Caddyfile and the cache's configuration, as far as they are read. */
  configs: readonly ConfigAudit[]
}

export function audit(subject: Subject, { source, sourceRows, configs }: FilesRead): AuditPart[] {
  return [originIsProduction(subject), ...configs.flatMap(configParts), ...(source ? sourceParts(source) : unreadParts(sourceRows))]
}

function originIsProduction({ server }: Subject): AuditPart {
  if (server.kind === 'reference') {
    return { row: 'server-production', verdict: 'unknown', because: `The reference server stood in for the production server: ${server.because}.` }
  }
  const because = `The origin is ${server.path}, version ${server.version} (${server.label}); its modules list the durable_streams handler.`
  return { row: 'server-production', verdict: 'pass', because }
}
