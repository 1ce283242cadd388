/** Moves the backends of a VCL to loopback. */
import { HarnessError } from '../../errors.ts'
import { isLoopbackHost } from '../../confine/addresses.ts'
import type { SourceLine } from '../../confine/includes.ts'
import type { VclSource, VclToken } from './vcl-tokens.ts'

export interface LocalBackend {
  readonly host: string
  readonly port: number
}

export interface ConfinedBackend extends SourceLine {
  readonly name: string
  /** `host:port` or the socket's path, as the file has it. */
  readonly original: string
  readonly local: LocalBackend | null
}

/** The local address that serves in place of a backend, or null to answer for it with 503. */
export type FindBackend = (name: string, original: string) => LocalBackend | null

const keptSettings = new Set(
  (
    'host port path host_header connect_timeout first_byte_timeout between_bytes_timeout ' +
    'max_connections wait_limit wait_timeout'
  ).split(' '),
)

/** Why a probe is taken out: backends without one count as healthy. */
export const noProbe = 'it asks for a page of your backend that the local one does not have'

const droppedSettings: Readonly<Record<string, string>> = {
  probe: noProbe,
  proxy_header: 'the local backend does not speak the PROXY protocol',
  preamble: 'the local backend speaks plain HTTP',
  via: 'the local backend is reached directly',
  authority: 'the local backend is reached directly',
}

interface Setting {
  readonly name: string
  /** From the dot to the `;` or the `}` of a block. */
  readonly tokens: readonly VclToken[]
  readonly value: readonly VclToken[]
}

/**
 * Rewrites the declaration `backend NAME { … }` whose tokens lie from `index` to before `end`.
 * Gives null for `backend NAME none;`, which reaches nothing.
 */
export function rewriteBackend(
  source: VclSource,
  index: number,
  end: number,
  find: FindBackend,
): ConfinedBackend | null {
  const name = source.tokens[index + 1] as VclToken
  const open = source.tokens[index + 2]
  if (open?.text === 'none') return null
  if (open?.text !== '{') throw source.error(name, `the backend "${name.text}" has no block`)
  const settings = readSettings(source, index + 3, end - 1)
  const original = originalAddress(settings)
  const local = find(name.text, original)
  if (local !== null && !isLoopbackHost(local.host)) {
    throw new HarnessError(`The backend "${name.text}" was given ${local.host}, not loopback.`)
  }
  if (local === null) replaceByNone(source, name, { open, end, original })
  else for (const setting of settings) rewriteSetting(source, { name, setting, settings, local })
  return { name: name.text, original, local, ...source.placeOf(name) }
}

function replaceByNone(
  source: VclSource,
  name: VclToken,
  { open, end, original }: { open: VclToken; end: number; original: string },
): void {
  const close = source.tokens[end - 1] as VclToken
  source.edit(open.start, close.end, 'none;')
  source.refuse({
    token: name,
    what: `backend ${name.text}`,
    from: original,
    to: 'none',
    because: 'no local backend stands in for it',
  })
}

/** The `.name = value;` of a block whose tokens lie between two indexes. */
function readSettings(source: VclSource, from: number, to: number): Setting[] {
  const settings: Setting[] = []
  let at = from
  while (at < to) {
    const stop = endOfSetting(source.tokens, at, to)
    const tokens = source.tokens.slice(at, stop)
    const [dot, name, equals] = tokens
    if (dot?.text !== '.' || name?.kind !== 'word' || equals?.text !== '=') {
      throw source.error(dot as VclToken, 'a setting of the form ".name = value;" was expected')
    }
    settings.push({ name: name.text, tokens, value: tokens.slice(3) })
    at = stop
  }
  return settings
}

/** A setting ends with its `;`, or with the `}` of a block that has none behind it. */
function endOfSetting(tokens: readonly VclToken[], from: number, to: number): number {
  let depth = 0
  for (let at = from; at < to; at += 1) {
    const { kind, text } = tokens[at] as VclToken
    if (kind !== 'mark') continue
    if (text === '{') depth += 1
    if (text === '}') depth -= 1
    const isBlock = text === '}' && depth === 0
    if (isBlock && tokens[at + 1]?.text === ';') continue
    if (depth === 0 && (text === ';' || isBlock)) return at + 1
  }
  return to
}

interface SettingOfBackend {
  readonly name: VclToken
  readonly setting: Setting
  readonly settings: readonly Setting[]
  readonly local: LocalBackend
}

function rewriteSetting(source: VclSource, of: SettingOfBackend): void {
  const { name, setting } = of
  const first = setting.tokens[0] as VclToken
  const last = setting.tokens.at(-1) as VclToken
  const what = `backend ${name.text} .${setting.name}`
  const because = Object.hasOwn(droppedSettings, setting.name) && droppedSettings[setting.name]
  if (because) return source.drop(first, last, what, because)
  if (!keptSettings.has(setting.name)) {
    throw source.error(first, `${what} is a setting the simulation does not know`)
  }
  const to = addressSetting(of)
  const text = source.slice(first, last)
  if (to === null || to === text) return
  source.edit(first.start, last.end, to)
  const address = setting.value[0]?.value ?? ''
  if (setting.name === 'port' || isLoopbackHost(address)) {
    source.change({ token: first, what, from: text, to, because: 'the local backend' })
  } else {
    const reason = 'nothing outside loopback is reached'
    source.refuse({ token: first, what, from: address, to, because: reason })
  }
}

/** What takes the place of `.host`, `.port` or `.path`; null for a setting that stays. */
function addressSetting({ setting, settings, local }: SettingOfBackend): string | null {
  const host = `.host = "${local.host}";`
  const port = `.port = "${local.port}";`
  if (setting.name === 'port') return port
  if (setting.name !== 'host' && setting.name !== 'path') return null
  return settings.some((one) => one.name === 'port') ? host : `${host} ${port}`
}

function originalAddress(settings: readonly Setting[]): string {
  const value = (name: string) => settings.find((one) => one.name === name)?.value[0]?.value
  return value('path') ?? `${value('host') ?? ''}:${value('port') ?? '80'}`
}
