/**
 * Evidence as a release manager can read it: a structured log line is shown as its message, hashes
 * and the run's own temporary folders are shortened. The whole lines are in result.json.
 */

/** A line of evidence in words. */
export function readableEvidence(line: string): string {
  return shortened(logMessage(line) ?? line)
}

/** Text in which long hashes keep their first eight digits, and temporary folders only their end. */
export function shortened(text: string): string {
  return text.replace(temporaryFolder, '…/').replace(uuid, '$1…').replace(longHash, (hash) => (isHash(hash) ? `${hash.slice(0, 8)}…` : hash))
}

const temporaryFolder = /\/[^\s"':]*\/durable-streams-simulation-[^/\s"']+\/[^/\s"']+\//g
const uuid = /\b([0-9a-f]{8})-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi
const longHash = /\b[0-9a-f]{24,}\b/gi

/** A number of as many digits is none. */
function isHash(text: string): boolean {
  return /[a-f]/i.test(text) && /\d/.test(text)
}

/** Of what a log line carries beside its message, what tells a person more. */
const telling = ['error', 'err', 'file', 'path', 'storage', 'signal', 'exit_code', 'status']

/** `warn http: no certificate (error: …)` of a line as Caddy and others log it; null of any other line. */
function logMessage(line: string): string | null {
  const fields = parsedObject(line)
  const message = fields?.['msg'] ?? fields?.['message']
  if (fields === null || typeof message !== 'string') return null
  const from = [fields['level'], fields['logger']].filter((word) => typeof word === 'string' && word !== '').join(' ')
  const more = telling.flatMap((name) => (isPlain(fields[name]) ? [`${name}: ${String(fields[name])}`] : []))
  return `${from === '' ? '' : `${from}: `}${message}${more.length === 0 ? '' : ` (${more.join(', ')})`}`
}

function parsedObject(line: string): Record<string, unknown> | null {
  if (!line.trimStart().startsWith('{')) return null
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    // Cut at its end, as long evidence is: the message stands near the beginning.
    return cutLogLine(line)
  }
}

function cutLogLine(line: string): Record<string, unknown> | null {
  const field = (name: string) => new RegExp(`"${name}":("(?:[^"\\\\]|\\\\.)*")`).exec(line)?.[1]
  const entries = ['level', 'logger', 'msg', 'error'].flatMap((name) => {
    const text = field(name)
    return text === undefined ? [] : [[name, unquoted(text)] as const]
  })
  return Object.fromEntries(entries)
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    return text.slice(1, -1)
  }
}

function isPlain(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
}
