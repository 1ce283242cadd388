/** What a configuration may hold, and what each setting takes, as it is said to whoever gave something else. Pure. */
import { z } from 'zod'
import type { SimulateConfig } from '../../define-config.mjs'
import { rowIds } from '../checklist.ts'
import { readersBounds, seedBounds, staleMsBounds, streamsBounds, timeMs, timeWords, wholeWords } from '../option-limits.ts'
import { nearest } from '../plan.ts'
import type { SettingPath } from './place-of-setting.ts'

const reasonCharactersMax = 300
const waiverDaysMax = 366
const dayMs = 86_400_000

/** Each error is the rest of a sentence that begins with the setting's name. */
function takes(words: string) {
  return { error: `takes ${words}` }
}

/** An empty one would be taken for the folder one is in: a variable that is not set. */
function text(words: string) {
  return z.string(takes(words)).regex(/\S/, takes(words))
}

function oneOf<const T extends readonly [string, ...string[]]>(...words: T) {
  return z.enum(words, takes(listed(words.map((word) => `"${word}"`))))
}

function whole(bounds: { min: number; max: number }) {
  const words = takes(wholeWords(bounds))
  return z.number(words).int(words).min(bounds.min, words).max(bounds.max, words)
}

function block<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, takes(`settings in braces: ${listed(Object.keys(shape))}`))
}

/** `edges` are the ids of the caches that there are, `today` is YYYY-MM-DD. */
export function configSchema(edges: readonly string[], today: string) {
  const path = text('a path, relative to this file')
  const edgeWords = takes(listed(edges.map((id) => `"${id}"`)))
  return z.strictObject(
    {
      server: block({ bin: path.optional(), version: text('a version, as "0.3.1"').optional() }).optional(),
      origin: oneOf('auto', 'caddy', 'reference').optional(),
      caddyfile: path.optional(),
      tlsCaddyfile: path.optional(),
      vcl: path.optional(),
      edge: block({ kind: z.string(edgeWords).refine((id) => edges.includes(id), edgeWords), config: path.optional() }).optional(),
      app: z.union([text('globs'), z.array(text('a glob')).min(1).readonly()], takes("a glob or a list of globs, relative to this file, as 'src/**/*.{ts,tsx}'")).optional(),
      streams: whole(streamsBounds).optional(),
      readers: whole(readersBounds).optional(),
      bounds: block({ staleMs: whole(staleMsBounds).optional() }).optional(),
      profile: oneOf('quick', 'full', 'soak').optional(),
      for: z.string(takes(timeWords)).refine((time) => timeMs(time) !== null, takes(timeWords)).optional(),
      runtime: oneOf('auto', 'processes', 'containers', 'engine').optional(),
      seed: whole(seedBounds).optional(),
      browser: text('the path of a Chromium or Chrome, relative to this file, or "none"').optional(),
      out: path.optional(),
      waivers: z.array(waiverSchema(today), takes('a list: [{ row, reason, until }]')).readonly().optional(),
    },
    takes('settings in braces: export default defineConfig({ … })'),
  ) satisfies z.ZodType<SimulateConfig, SimulateConfig>
}

function waiverSchema(today: string) {
  const last = new Date(Date.parse(today) + waiverDaysMax * dayMs).toISOString().slice(0, 10)
  const reason = `a sentence of at most ${reasonCharactersMax} characters that says why the row may stay as it is`
  const day = takes('the last day of the waiver, as YYYY-MM-DD')
  const until = z
    .string(day)
    .refine(isDay, day)
    .refine((given) => !isDay(given) || given <= last, takes(`a day at most a year from now, ${last} at the latest`))
  return block({ row: z.enum(rowIds, takes('the id of a row of the checklist')), reason: text(reason).max(reasonCharactersMax, takes(reason)), until })
}

/** One that is in the calendar: there is no 30 February. */
function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`)
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

/** A sentence on what is wrong, without the file, and the setting that it speaks of. */
export interface Problem {
  setting: SettingPath
  sentence: string
}

/** The first that is wrong, and how many more. */
export function problemOf(error: z.ZodError, config: unknown): Problem {
  const [issue] = error.issues
  const more = error.issues.length - 1
  const { setting, sentence } = issue!.code === 'unrecognized_keys' ? unknownSetting(issue!) : wrongValue(issue!, config)
  return { setting, sentence: more === 0 ? sentence : sentence.replace(/[.?]$/, ` (and ${more} more after it)$&`) }
}

type Issue = z.core.$ZodIssue

function unknownSetting({ path, keys }: Extract<Issue, { code: 'unrecognized_keys' }>): Problem {
  const among = path.length === 0 ? '' : ` in ${named(path)}`
  const known = Object.keys(settingsAt(path))
  return { setting: [...path, keys[0]!], sentence: `there is no setting "${keys[0]}"${among}; did you mean "${nearest(keys[0]!, known)}"?` }
}

function wrongValue(issue: Issue, config: unknown): Problem {
  // Of a union the branch that was meant says more: a wrong one of a list.
  const inner = issue.code === 'invalid_union' ? issue.errors.flat().find(({ path }) => path.length > 0) : undefined
  const setting = [...issue.path, ...(inner?.path ?? [])]
  const value = setting.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step], config)
  const message = inner?.message ?? issue.message
  const name = setting.length === 0 ? 'its default export' : named(setting)
  if (value === undefined) return { setting, sentence: `${name} is missing; it ${message}.` }
  const best = setting.at(-1) === 'row' && typeof value === 'string' ? `; did you mean "${nearest(value, [...rowIds])}"?` : '.'
  return { setting, sentence: `${name} ${message}, not ${shown(value)}${best}` }
}

function settingsAt(path: SettingPath): Record<string, unknown> {
  const { shape } = configSchema([], '1970-01-01')
  if (path.length === 0) return shape
  if (path[0] === 'waivers') return waiverSchema('1970-01-01').shape
  return (shape[path[0] as 'server' | 'edge' | 'bounds'].unwrap() as { shape: Record<string, unknown> }).shape
}

/** waivers[0].until */
function named(setting: SettingPath): string {
  return setting.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('').replace(/^\./, '')
}

const shownMax = 60

function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}

function listed(words: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(words)
}
