/**
 * Turns a VCL from production into one whose every backend is on loopback, and says what it
 * changed. It reads included files; it runs nothing (`vcl-compile.ts` does).
 */
import { UsageError } from '../errors.ts'
import { isLoopbackHost } from './addresses.ts'
import type { Change, FileRead, Refusal } from './caddy-rules.ts'
import { redactText } from './redact.ts'
import { expandIncludes, type SourceLine } from './vcl-includes.ts'
import { countLines, tokenizeVcl, type VclToken } from './vcl-tokens.ts'

export { parseVarnishdParameters, type VarnishdParameter } from './varnishd-parameters.ts'
export { compileVcl } from './vcl-compile.ts'

export interface LocalBackend {
  readonly host: string
  readonly port: number
}

export interface ConfineVclOptions {
  readonly source: string
  /** Where the source came from: for messages, and for includes relative to it. */
  readonly file: string
  /** The local address that serves in place of a backend, or null to answer for it with 503. */
  readonly backends: (name: string, original: string) => LocalBackend | null
  /** Folders in which includes without `./` are looked for; Varnish's own by default. */
  readonly vclPath?: readonly string[]
}

export interface ConfinedBackend {
  readonly name: string
  /** `host:port` or the socket's path, as the file has it. */
  readonly original: string
  readonly local: LocalBackend | null
  readonly file: string
  readonly line: number
}

export interface ConfinedVcl {
  readonly vcl: string
  /** For each line of `vcl` the user's file and line. */
  readonly lines: SourceLine[]
  readonly files: string[]
  readonly changes: Change[]
  readonly refused: Refusal[]
  readonly reads: FileRead[]
  readonly backends: ConfinedBackend[]
}

const defaultVclPath = ['/etc/varnish', '/usr/share/varnish/vcl']

/** Modules that compute, look up or count, and open no connection of their own. */
const harmlessVmods = new Set([
  'blob', 'blobdigest', 'bodyaccess', 'cookie', 'crypto', 'digest', 'directors', 'frozen', 'geoip',
  'geoip2', 'h2', 'header', 'parseform', 'proxy', 'purge', 'querystring', 're', 're2', 'saintmode',
  'selector', 'softpurge', 'std', 'str', 'taskvar', 'unix', 'urlcode', 'urlplus', 'uuid', 'var',
  'vsthrottle', 'xkey',
])

const keptFields = new Set([
  'host', 'port', 'path', 'host_header', 'connect_timeout', 'first_byte_timeout',
  'between_bytes_timeout', 'max_connections', 'wait_limit', 'wait_timeout',
])

const droppedFields: Readonly<Record<string, string>> = {
  probe: 'it asks for a page of your backend that the local one does not have',
  proxy_header: 'the local backend does not speak the PROXY protocol',
  preamble: 'the local backend speaks plain HTTP',
  via: 'the local backend is reached directly',
  authority: 'the local backend is reached directly',
}

/** Never the address of a client: stands in for a host name in an access list. */
const nobodysAddress = '127.255.255.254'

/**
 * Rewrites backends, access lists and the few functions that reach outside; line numbers stay.
 *
 * @throws UsageError with `file:line` for what can not be simulated: inline C, modules that open
 * connections or make backends while running, files that can not be read.
 */
export function confineVcl(options: ConfineVclOptions): ConfinedVcl {
  const vclPath = options.vclPath ?? defaultVclPath
  const expanded = expandIncludes(options.source, options.file, vclPath)
  const rewriter = new Rewriter(expanded.text, expanded.lines, options)
  rewriter.declarations()
  rewriter.functions()
  const { changes, refused, reads, backends } = rewriter
  const { lines, files } = expanded
  return { vcl: rewriter.result(), lines, files, changes, refused, reads, backends }
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

class Rewriter {
  readonly changes: Change[] = []
  readonly refused: Refusal[] = []
  readonly reads: FileRead[] = []
  readonly backends: ConfinedBackend[] = []
  readonly #edits: Edit[] = []
  readonly #source: string
  readonly #lines: readonly SourceLine[]
  readonly #options: ConfineVclOptions
  readonly #tokens: readonly VclToken[]
  /** Indexes of the tokens with which top-level declarations begin. */
  readonly #seen = new Set<number>()
  /** Names under which the module `std` was imported. */
  readonly #std = new Set<string>()

  constructor(source: string, lines: readonly SourceLine[], options: ConfineVclOptions) {
    this.#source = source
    this.#lines = lines
    this.#options = options
    this.#tokens = tokenizeVcl(source)
    for (const token of this.#tokens) this.#mustBeReadable(token)
  }

  result(): string {
    const edits = this.#edits.toSorted((a, b) => b.start - a.start)
    return edits.reduce((text, { start, end, text: put }) => {
      const missing = countLines(text.slice(start, end)) - countLines(put)
      return text.slice(0, start) + put + '\n'.repeat(Math.max(0, missing)) + text.slice(end)
    }, this.#source)
  }

  /** Walks over the top level: backends, probes, access lists, imports. */
  declarations(): void {
    let index = 0
    while (index < this.#tokens.length) {
      this.#seen.add(index)
      index = this.#declaration(index)
    }
    this.#nothingHidden()
  }

  /** A backend in a place this walk does not look at would keep its address. */
  #nothingHidden(): void {
    for (const [index, token] of this.#tokens.entries()) {
      const isBackend = token.text === 'backend' && this.#tokens[index + 2]?.text === '{'
      const isImport = token.text === 'import' && this.#tokens[index + 1]?.kind === 'word'
      if (token.kind !== 'word' || this.#seen.has(index) || !(isBackend || isImport)) continue
      throw this.#error(token, `this ${token.text} is not at the top level of the VCL`)
    }
  }

  #declaration(index: number): number {
    const end = this.#endOfDeclaration(index)
    const [first, name] = [this.#tokens[index], this.#tokens[index + 1]]
    if (first?.kind !== 'word' || name === undefined) return end
    if (first.text === 'import') this.#import(index)
    if (first.text === 'backend') this.#backend(index, end)
    if (first.text === 'probe') this.#drop(index, end, `probe ${name.text}`, droppedFields.probe)
    if (first.text === 'acl') this.#acl(index, end)
    if (first.text === 'include') {
      throw this.#error(first, 'this include has no form the simulation can follow')
    }
    return end
  }

  /** The index after a declaration: behind its `;`, or behind the `}` that closes its block. */
  #endOfDeclaration(index: number): number {
    let depth = 0
    for (let at = index; at < this.#tokens.length; at += 1) {
      const token = this.#tokens[at] as VclToken
      if (token.kind !== 'mark') continue
      if (token.text === '{') depth += 1
      if (token.text === '}') depth -= 1
      const closes = token.text === '}' || token.text === ';'
      if (closes && depth <= 0) return at + 1
    }
    return this.#tokens.length
  }

  #import(index: number): void {
    const [name, as, alias] = this.#tokens.slice(index + 1, index + 4)
    const vmod = name as VclToken
    const rest = this.#tokens.slice(index + 2, index + 6)
    if (!harmlessVmods.has(vmod.text)) {
      throw this.#error(
        vmod,
        `the module "${vmod.text}" can not be simulated: it may open connections or make ` +
          'backends of its own while running; give the simulation a VCL with static backends',
      )
    }
    if (rest.slice(0, 3).some((token) => token.kind === 'word' && token.text === 'from')) {
      throw this.#error(vmod, `the module "${vmod.text}" is loaded from a file of yours, which can not be simulated`)
    }
    if (vmod.text === 'std') this.#std.add(as?.text === 'as' && alias ? alias.text : 'std')
  }

  // --- backends -------------------------------------------------------------------------------

  #backend(index: number, end: number): void {
    const name = this.#tokens[index + 1] as VclToken
    const open = this.#tokens[index + 2]
    if (open?.text === 'none') return
    if (open?.text !== '{') throw this.#error(name, `the backend "${name.text}" has no block`)
    const settings = this.#settings(index + 3, end - 1)
    const original = originalAddress(settings)
    const local = this.#options.backends(name.text, original)
    if (local !== null && !isLoopbackHost(local.host)) {
      throw new Error(`The backend "${name.text}" was given ${local.host}, which is not loopback.`)
    }
    this.backends.push({ name: name.text, original, local, ...this.#placeOf(name) })
    if (local === null) this.#withoutBackend(name, open, end, original)
    else for (const setting of settings) this.#setting(name, setting, local, settings)
  }

  #withoutBackend(name: VclToken, open: VclToken, end: number, original: string): void {
    const close = this.#tokens[end - 1] as VclToken
    this.#edits.push({ start: open.start, end: close.end, text: 'none;' })
    this.#refuse(name, `backend ${name.text}`, original, 'none', 'no local backend stands in for it')
  }

  /** The `.name = value;` of a block whose tokens lie between two indexes. */
  #settings(from: number, to: number): Setting[] {
    const settings: Setting[] = []
    let at = from
    while (at < to) {
      const stop = this.#endOfSetting(at, to)
      const tokens = this.#tokens.slice(at, stop)
      const [dot, name, equals] = tokens
      if (dot?.text !== '.' || name?.kind !== 'word' || equals?.text !== '=') {
        throw this.#error(dot as VclToken, 'a setting of the form ".name = value;" was expected')
      }
      settings.push({ name: name.text, tokens, value: tokens.slice(3) })
      at = stop
    }
    return settings
  }

  #endOfSetting(from: number, to: number): number {
    let depth = 0
    for (let at = from; at < to; at += 1) {
      const { kind, text } = this.#tokens[at] as VclToken
      if (kind !== 'mark') continue
      if (text === '{') depth += 1
      if (text === '}') depth -= 1
      const isBlock = text === '}' && depth === 0
      if (isBlock && this.#tokens[at + 1]?.text === ';') continue
      if (depth === 0 && (text === ';' || isBlock)) return at + 1
    }
    return to
  }

  #setting(backend: VclToken, setting: Setting, local: LocalBackend, all: readonly Setting[]): void {
    const first = setting.tokens[0] as VclToken
    const last = setting.tokens.at(-1) as VclToken
    const because = droppedFields[setting.name]
    if (because === undefined && !keptFields.has(setting.name)) {
      throw this.#error(first, `the backend "${backend.text}" has a setting the simulation does not know: .${setting.name}`)
    }
    const what = `backend ${backend.text} .${setting.name}`
    const text = this.#source.slice(first.start, last.end)
    if (because !== undefined) {
      this.#edits.push({ start: first.start, end: last.end, text: '' })
      this.#change(first, what, text, null, because)
      return
    }
    const to = addressSetting(setting.name, local, all)
    if (to === null || to === text) return
    this.#edits.push({ start: first.start, end: last.end, text: to })
    const from = setting.value[0]?.value ?? ''
    if (setting.name === 'port' || isLoopbackHost(from)) {
      this.#change(first, what, text, to, 'the local backend')
    } else {
      this.#refuse(first, what, from, to, 'nothing outside loopback is reached')
    }
  }

  #drop(index: number, end: number, what: string, because = ''): void {
    const first = this.#tokens[index] as VclToken
    const last = this.#tokens[end - 1] as VclToken
    const text = this.#source.slice(first.start, last.end)
    this.#edits.push({ start: first.start, end: last.end, text: '' })
    this.#change(first, what, text, null, because)
  }

  // --- access lists and functions ---------------------------------------------------------------

  /** Varnish looks host names of access lists up while it compiles. */
  #acl(index: number, end: number): void {
    const name = this.#tokens[index + 1] as VclToken
    for (const token of this.#tokens.slice(index + 2, end)) {
      if (token.kind !== 'string' || isNumericAddress(token.value)) continue
      if (isLoopbackHost(token.value)) continue
      this.#edits.push({ start: token.start, end: token.end, text: `"${nobodysAddress}"` })
      this.#refuse(token, `acl ${name.text}`, token.value, nobodysAddress, 'names are not looked up')
    }
  }

  /** The functions of `std` that read files, write to the system's log or look names up. */
  functions(): void {
    for (const [index, token] of this.#tokens.entries()) {
      const [module, name] = splitOnce(token.text)
      if (token.kind !== 'word' || !this.#std.has(module)) continue
      const args = this.#arguments(index)
      if (args === null) continue
      if (name === 'fileread' || name === 'file_exists') this.#noteRead(token, args)
      if (name === 'syslog') this.#syslog(token, args)
      if (name === 'ip') this.#lookUp(token, args)
    }
  }

  #arguments(index: number): Call | null {
    if (this.#tokens[index + 1]?.text !== '(') return null
    let depth = 0
    const commas: number[] = []
    for (let at = index + 1; at < this.#tokens.length; at += 1) {
      const { kind, text } = this.#tokens[at] as VclToken
      if (kind !== 'mark') continue
      if (text === '(') depth += 1
      if (text === ',' && depth === 1) commas.push(at)
      if (text === ')') depth -= 1
      if (depth === 0) return { tokens: this.#tokens.slice(index + 2, at), commas, open: index + 1, close: at }
    }
    return null
  }

  #noteRead(token: VclToken, call: Call): void {
    const file = call.tokens.map(({ value }) => value).join(' ')
    const { file: from, line } = this.#placeOf(token)
    this.reads.push({ path: `${from}:${line}`, file: redactText(file) })
  }

  #syslog(token: VclToken, call: Call): void {
    const comma = this.#tokens[call.commas[0] ?? -1]
    const open = this.#tokens[call.open] as VclToken
    if (comma === undefined) return
    const module = splitOnce(token.text)[0]
    this.#edits.push({ start: token.start, end: token.end, text: `${module}.log` })
    this.#edits.push({ start: open.end, end: comma.end, text: '' })
    this.#change(token, token.text, token.text, `${module}.log`, "nothing is written to the system's log")
  }

  #lookUp(token: VclToken, call: Call): void {
    const named = call.tokens.find(
      ({ kind, value }) => kind === 'string' && !isNumericAddress(value) && !isLoopbackHost(value) && /^[\w.-]+$/.test(value) && /[A-Za-z]/.test(value),
    )
    if (named) throw this.#error(named, `the name "${named.value}" would be looked up, which can not be simulated`)
    const resolve = call.tokens.findIndex(({ text }) => text === 'resolve')
    const answer = call.tokens[resolve + 2]
    const close = this.#tokens[call.close] as VclToken
    if (answer && resolve >= 0) {
      if (answer.text === 'false') return
      this.#edits.push({ start: answer.start, end: answer.end, text: 'false' })
    } else if (call.commas.length < 2) {
      this.#edits.push({ start: close.start, end: close.start, text: ', resolve = false' })
    } else {
      const third = this.#tokens[(call.commas[1] ?? 0) + 1] as VclToken
      if (third.text === 'true') this.#edits.push({ start: third.start, end: third.end, text: 'false' })
      if (['true', 'false'].includes(third.text) === false) {
        this.#edits.push({ start: close.start, end: close.start, text: ', resolve = false' })
      }
    }
    this.#change(token, token.text, 'resolve = true', 'resolve = false', 'names are not looked up')
  }

  // --- places -----------------------------------------------------------------------------------

  #mustBeReadable(token: VclToken): void {
    if (token.kind === 'inline-c') {
      throw this.#error(token, 'inline C can do anything and is not run in the simulation; take it out')
    }
    if (token.kind === 'unterminated') {
      throw this.#error(token, `this ${token.value} is never closed`)
    }
  }

  #placeOf(token: VclToken): SourceLine {
    return this.#lines[token.line - 1] ?? { file: this.#options.file, line: token.line }
  }

  #error(token: VclToken, words: string): UsageError {
    const { file, line } = this.#placeOf(token)
    return new UsageError(`${file}:${line}: ${redactText(words)}.`)
  }

  #change(token: VclToken, what: string, from: string, to: string | null, because: string): void {
    const { file, line } = this.#placeOf(token)
    const path = `${file}:${line} ${what}`
    this.changes.push({ path, from: redactText(from), to: to === null ? null : redactText(to), because })
  }

  #refuse(token: VclToken, what: string, from: string, to: string, because: string): void {
    this.#change(token, what, from, to, because)
    const { file, line } = this.#placeOf(token)
    this.refused.push({ path: `${file}:${line} ${what}`, address: redactText(from), because })
  }
}

interface Setting {
  readonly name: string
  /** From the dot to the `;` or the `}` of a block. */
  readonly tokens: readonly VclToken[]
  readonly value: readonly VclToken[]
}

interface Call {
  readonly tokens: readonly VclToken[]
  readonly commas: readonly number[]
  readonly open: number
  readonly close: number
}

function originalAddress(settings: readonly Setting[]): string {
  const value = (name: string) => settings.find((one) => one.name === name)?.value[0]?.value
  const path = value('path')
  if (path !== undefined) return path
  return `${value('host') ?? ''}:${value('port') ?? '80'}`
}

/** What takes the place of `.host`, `.port` or `.path`; null for a setting that stays. */
function addressSetting(name: string, local: LocalBackend, all: readonly Setting[]): string | null {
  const host = `.host = "${local.host}";`
  const port = `.port = "${local.port}";`
  if (name === 'port') return port
  if (name !== 'host' && name !== 'path') return null
  return all.some((one) => one.name === 'port') ? host : `${host} ${port}`
}

function isNumericAddress(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){0,3}(\/\d+)?$/.test(text) || /^[\da-fA-F:]*:[\da-fA-F:.]*(\/\d+)?$/.test(text)
}

function splitOnce(text: string): [string, string] {
  const dot = text.indexOf('.')
  return dot < 0 ? [text, ''] : [text.slice(0, dot), text.slice(dot + 1)]
}
