/**
 * Takes secrets out of anything that people will read: diffs, logs, reports.
 *
 * It errs on the side of hiding: a value is hidden when its name sounds like a secret, when its
 * text has the shape of one, and where a URL carries user information or a key.
 */
import type { Json } from './json.ts'

export const hidden = '[redacted]'

const secretName =
  /pass(word|wd|phrase)?$|secret|token|api[-_]?key|private[-_]?key|access[-_]?key|account[-_]?key|mac[-_]?key|authorization|cookie|credential|signature|^auth$|^key$|^hmac|eab|bearer|session[-_]?id/i

/** Says whether a key, header, variable or parameter of this name holds a secret. */
export function isSecretName(name: string): boolean {
  return secretName.test(name) && !harmlessNames.has(name.toLowerCase())
}

const harmlessNames = new Set([
  'issuers',
  'key_type',
  'message_key',
  'session_tickets',
  'basic_auth',
  'forward_auth',
])

const shapes: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]+-----[\s\S]*?(-----END [A-Z ]+-----|$)/g, hidden],
  [/\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{20,}/g, hidden],
  [/\$argon2[a-z]*\$[^\s"']+/g, hidden],
  [/\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?/g, hidden],
  [/\b(Bearer|Basic|Digest|Negotiate|Token)\s+[\w.~+/=-]{6,}/gi, `$1 ${hidden}`],
  [/\b(AKIA|ASIA)[A-Z0-9]{12,}/g, hidden],
  [
    /\b(gh[pousr]_|github_pat_|xox[abprs]-|sk[-_](live|test|ant|proj)?[-_]?|glpat-|AIza)[\w-]{10,}/g,
    hidden,
  ],
  [/(\w[\w+.-]*:\/\/)[^\s/?#@"']*@/g, `$1${hidden}@`],
  [
    /([?&](?:[\w.-]*(?:key|token|secret|sig|signature|password|passwd|pwd|auth|code|credential)[\w.-]*)=)[^&#\s"']+/gi,
    `$1${hidden}`,
  ],
  [
    /((?:^|[\s;{,"'])(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key)["']?\s*[:=]\s*["']?)[^"'\r\n]+/gi,
    `$1${hidden}`,
  ],
  [
    /\b((?:\w+[-_])*(?:password|passwd|secret|token|api[-_]?key|private[-_]?key|access[-_]?key)["']?\s*[:=]\s*["']?)[^\s"',;&]+/gi,
    `$1${hidden}`,
  ],
  // Long runs without a word or a path in them: keys in hexadecimal or base64.
  [/(?<![\w/.-])(?=[A-Fa-f\d]*\d)(?=[A-Fa-f\d]*[A-Fa-f])[A-Fa-f\d]{32,}(?![\w/.-])/g, hidden],
  [
    /(?<![\w/.+=-])(?=[\w+/]*\d)(?=[\w+/]*[a-z])(?=[\w+/]*[A-Z])[A-Za-z0-9+/_]{32,}={0,2}(?![\w/.-])/g,
    hidden,
  ],
]

/** Hides everything in a text that looks like a secret. Redacting twice changes nothing more. */
export function redactText(text: string): string {
  return shapes.reduce((left, [pattern, replacement]) => left.replace(pattern, replacement), text)
}

/** Hides secrets in a JSON value, by the names of its keys and by the shape of its texts. */
export function redactJson(value: Json, name = ''): Json {
  if (isSecretName(name)) return hide(value)
  if (typeof value === 'string') return redactText(value)
  if (Array.isArray(value)) return value.map((item) => redactJson(item))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [redactText(key), redactJson(item, key)]),
  )
}

function hide(value: Json): Json {
  if (Array.isArray(value)) return value.map(hide)
  if (value === null || typeof value === 'boolean') return value
  if (typeof value !== 'object') return hidden
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [redactText(key), hide(item)]),
  )
}
