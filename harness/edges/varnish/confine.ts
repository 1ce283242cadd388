/**
 * Turns a VCL from production into one whose every backend is on loopback, and says what it
 * changed. It reads included files; it runs nothing (`vcl-compile.ts` does).
 */
import { isLoopbackHost } from '../../confine/addresses.ts'
import type { Change, FileRead, Refusal } from '../../confine/caddy-rules.ts'
import { EditedSource } from '../../confine/edited-source.ts'
import { expandIncludes, type SourceLine } from '../../confine/includes.ts'
import {
  noProbe,
  rewriteBackend,
  type ConfinedBackend,
  type FindBackend,
  type LocalBackend,
} from './vcl-backends.ts'
import { isNumericAddress, rewriteFunctions } from './vcl-functions.ts'
import { vclIncludes } from './vcl-includes.ts'
import { tokenizeVcl, type VclSource, type VclToken } from './vcl-tokens.ts'

export { compileVcl } from './compile.ts'
export { parseVarnishdParameters, type VarnishdParameter } from './varnishd-parameters.ts'
export type { ConfinedBackend, LocalBackend }

export interface ConfineVclOptions {
  readonly source: string
  /** Where the source came from: for messages, and for includes relative to it. */
  readonly file: string
  readonly backends: FindBackend
  /** Folders in which includes without `./` are looked for; Varnish's own by default. */
  readonly vclPath?: readonly string[]
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

/** Modules that compute, look up or count, and open no connection of their own. */
const harmlessVmods = new Set(
  (
    'blob blobdigest bodyaccess cookie crypto digest directors frozen geoip geoip2 h2 header ' +
    'parseform proxy purge querystring re re2 saintmode selector softpurge std str taskvar unix ' +
    'urlcode urlplus uuid var vsthrottle xkey'
  ).split(' '),
)

/** Never the address of a client: stands in for a host name in an access list. */
const nobodysAddress = '127.255.255.254'

/**
 * Rewrites backends, access lists and the few functions that reach outside; line numbers stay.
 *
 * @throws UsageError with `file:line` for what can not be simulated: inline C, modules that open
 * connections or make backends while running, files that can not be read.
 */
export function confineVcl(options: ConfineVclOptions): ConfinedVcl {
  const { text, lines, files } = expandIncludes(options.source, options.file, vclIncludes(options.vclPath))
  const source = new EditedSource(text, lines, tokenizeVcl(text))
  for (const token of source.tokens) mustBeReadable(source, token)
  const { backends, std } = rewriteDeclarations(source, options.backends)
  rewriteFunctions(source, std)
  const { changes, refused, reads } = source
  return { vcl: source.result(), lines, files, changes, refused, reads, backends }
}

function mustBeReadable(source: VclSource, token: VclToken): void {
  if (token.kind === 'inline-c') {
    throw source.error(token, 'inline C can do anything and is not run in the simulation')
  }
  if (token.kind === 'unterminated') {
    throw source.error(token, `this ${token.value} is never closed`)
  }
}

interface Declarations {
  readonly backends: ConfinedBackend[]
  /** Names under which the module `std` was imported. */
  readonly std: Set<string>
}

/** Walks over the top level: backends, probes, access lists, imports. */
function rewriteDeclarations(source: VclSource, find: FindBackend): Declarations {
  const found: Declarations = { backends: [], std: new Set() }
  const seen = new Set<number>()
  let index = 0
  while (index < source.tokens.length) {
    const end = endOfDeclaration(source.tokens, index)
    rewriteDeclaration(source, { index, end, find, found })
    seen.add(index)
    index = end
  }
  nothingHidden(source, seen)
  return found
}

interface Declaration {
  readonly index: number
  /** The index behind its last token. */
  readonly end: number
  readonly find: FindBackend
  readonly found: Declarations
}

function rewriteDeclaration(source: VclSource, { index, end, find, found }: Declaration): void {
  const [first, name] = [source.tokens[index], source.tokens[index + 1]]
  if (first?.kind !== 'word' || name === undefined) return
  if (first.text === 'import') checkImport(source, index, found)
  if (first.text === 'acl') rewriteAccessList(source, name, source.tokens.slice(index + 2, end))
  if (first.text === 'probe') {
    source.drop(first, source.tokens[end - 1] ?? first, `probe ${name.text}`, noProbe)
  }
  if (first.text === 'backend') {
    const backend = rewriteBackend(source, index, end, find)
    if (backend) found.backends.push(backend)
  }
  if (first.text === 'include') {
    throw source.error(first, 'this include has no form the simulation can follow')
  }
}

/** The index after a declaration: behind its `;`, or behind the `}` that closes its block. */
function endOfDeclaration(tokens: readonly VclToken[], index: number): number {
  let depth = 0
  for (let at = index; at < tokens.length; at += 1) {
    const { kind, text } = tokens[at] as VclToken
    if (kind !== 'mark') continue
    if (text === '{') depth += 1
    if (text === '}') depth -= 1
    if ((text === '}' || text === ';') && depth <= 0) return at + 1
  }
  return tokens.length
}

/** A backend in a place this walk does not look at would keep its address. */
function nothingHidden(source: VclSource, seen: ReadonlySet<number>): void {
  for (const [index, token] of source.tokens.entries()) {
    const isBackend = token.text === 'backend' && source.tokens[index + 2]?.text === '{'
    const isImport = token.text === 'import' && source.tokens[index + 1]?.kind === 'word'
    if (token.kind !== 'word' || seen.has(index) || !(isBackend || isImport)) continue
    throw source.error(token, `this ${token.text} is not at the top level of the VCL`)
  }
}

function checkImport(source: VclSource, index: number, found: Declarations): void {
  const [vmod, as, alias, from] = source.tokens.slice(index + 1, index + 5)
  if (vmod === undefined) return
  if (!harmlessVmods.has(vmod.text)) {
    throw source.error(
      vmod,
      `the module "${vmod.text}" can not be simulated: it may open connections or make backends ` +
        'of its own while running; give the simulation a VCL with static backends',
    )
  }
  if (as?.text === 'from' || from?.text === 'from') {
    const words = `the module "${vmod.text}" from a file of your own can not be simulated`
    throw source.error(vmod, words)
  }
  if (vmod.text === 'std') found.std.add(as?.text === 'as' && alias ? alias.text : 'std')
}

/** Varnish looks host names of access lists up while it compiles. */
function rewriteAccessList(source: VclSource, name: VclToken, tokens: readonly VclToken[]): void {
  for (const token of tokens) {
    if (token.kind !== 'string') continue
    if (isNumericAddress(token.value) || isLoopbackHost(token.value)) continue
    source.edit(token.start, token.end, `"${nobodysAddress}"`)
    source.refuse({
      token,
      what: `acl ${name.text}`,
      from: token.value,
      to: nobodysAddress,
      because: 'names are not looked up',
    })
  }
}
