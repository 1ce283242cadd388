/**
 * Turns an nginx configuration from production into one that listens and asks on loopback only and
 * writes into one folder, and says what it changed. It reads included files; it runs nothing.
 */
import { globSync } from 'node:fs'
import path from 'node:path'
import type { Change } from '../../confine/caddy-rules.ts'
import { EditedSource } from '../../confine/edited-source.ts'
import { expandIncludes, type IncludeRules, type SourceLine } from '../../confine/includes.ts'
import { UsageError } from '../../errors.ts'
import { readDirectives, tokenizeNginx, type Directive, type NginxSource, type NginxToken } from './directives.ts'
import { blocksOfValues, droppedBecause, keptDirectives, refusedBecause } from './known-directives.ts'

export interface ConfineNginxOptions {
  readonly source: string
  /** Where it came from: for messages, and for includes relative to it. */
  readonly file: string
  readonly port: number
  readonly upstreamPort: number
  /** Caches and temporary files go below it. */
  readonly folder: string
  /** Workers keep this user, so that they may write there; null where they are started as one. */
  readonly user: string | null
}

export interface ConfinedNginx {
  readonly text: string
  /** For each line of `text` the user's file and line. */
  readonly lines: SourceLine[]
  /** The file and all that it includes. */
  readonly files: string[]
  readonly changes: Change[]
}

/** @throws UsageError with `file:line` for what can not be simulated */
export function confineNginx(options: ConfineNginxOptions): ConfinedNginx {
  const { text, lines, files } = expandIncludes(options.source, options.file, nginxIncludes(options.file))
  const source = new EditedSource(text, lines, tokenizeNginx(text))
  // Before its blocks are read: what stands in them is another language.
  const lua = source.tokens.find((token) => token.value.includes('_by_lua'))
  if (lua !== undefined) throw refused(source, lua)
  new Confinement(source, options).all(readDirectives(source))
  return { text: source.result(), lines, files, changes: source.changes }
}

/** Relative to the folder of the first file, wherever the include stands: nginx's `conf prefix`. */
export function nginxIncludes(file: string): IncludeRules {
  return {
    find(source) {
      const tokens = tokenizeNginx(source)
      return tokens.flatMap((token, index) => {
        const [name, stop] = [tokens[index + 1], tokens[index + 2]]
        const begins = index === 0 || tokens[index - 1]?.kind === 'mark'
        if (!begins || token.text !== 'include' || name?.kind !== 'word' || stop?.text !== ';') return []
        return [{ start: token.start, end: stop.end, line: token.line, name: name.value, isGlob: /[*?[]/.test(name.value) }]
      })
    },
    resolve({ name, isGlob }) {
      const absolute = path.resolve(path.dirname(file), name)
      return isGlob ? globSync(absolute).toSorted() : [absolute]
    },
  }
}

class Confinement {
  #source: NginxSource
  #options: ConfineNginxOptions
  /** Names of upstream blocks. */
  #upstreams = new Set<string>()
  #caches = 0

  constructor(source: NginxSource, options: ConfineNginxOptions) {
    this.#source = source
    this.#options = options
  }

  all(directives: readonly Directive[]): void {
    const http = directives.filter((directive) => directive.name.value === 'http')
    const [only, second] = http
    if (only?.block == null) throw new UsageError(`${this.#options.file}: there is no http block: give the whole configuration, as nginx -c takes it.`)
    if (second) throw this.#source.error(second.name, 'this is a second http block')
    for (const upstream of only.block) if (upstream.name.value === 'upstream') this.#upstreams.add(upstream.args[0]?.value ?? '')
    this.#each(directives, 'main')
    const serving = only.block.filter((directive) => directive.name.value === 'server' && passes(directive))
    if (serving.length === 0) throw this.#source.error(only.name, 'no server of this http block has a proxy_pass: none serves streams')
    for (const server of only.block) if (server.name.value === 'server') this.#server(server, serving.includes(server))
    this.#ownFolders(only)
  }

  #each(directives: readonly Directive[], inside: string): void {
    for (const directive of directives) this.#one(directive, inside)
  }

  #one(directive: Directive, inside: string): void {
    const { name, block } = directive
    const because = droppedBecause(name.value)
    if (because !== undefined) return this.#drop(directive, because)
    if (name.value === 'proxy_pass') return this.#pass(directive)
    if (name.value === 'server' && inside === 'upstream') return this.#member(directive)
    if (name.value === 'proxy_cache_path') return this.#cachePath(directive)
    // Servers are rewritten as a whole.
    if (name.value === 'listen' && inside === 'server') return
    if (!keptDirectives.has(name.value)) {
      throw refused(this.#source, name)
    }
    if (block !== null && !blocksOfValues.has(name.value)) this.#each(block, name.value)
  }

  #drop({ name, last }: Directive, because: string): void {
    this.#source.drop(name, last, name.value, because)
  }

  /** Puts words behind a directive's name. */
  #rewrite({ name, args, last }: Directive, words: string[], because: string, outside: boolean): void {
    const to = `${[name.value, ...words].join(' ')};`
    const from = this.#source.slice(name, last)
    if (from === to) return
    this.#source.edit(name.start, last.end, to)
    const edited = { token: name, what: name.value, from: outside ? (args[0]?.value ?? '') : from, to, because }
    if (outside) this.#source.refuse(edited)
    else this.#source.change(edited)
  }

  /** `proxy_pass` keeps the name of an upstream block, and its path. */
  #pass(directive: Directive): void {
    const url = directive.args[0]
    const [, scheme, host = '', rest = ''] = /^(https?):\/\/([^/]*)(.*)$/.exec(url?.value ?? '') ?? []
    if (url === undefined || scheme === undefined) throw this.#source.error(directive.name, 'this proxy_pass has no URL of the form http://host/path')
    if (host.includes('$') || host.startsWith('unix:')) {
      throw this.#source.error(url, `the host "${host}" of this proxy_pass can not be moved to loopback: give it by name, address or upstream block`)
    }
    const known = this.#upstreams.has(host)
    const to = `http://${known ? host : this.#origin}${rest}`
    this.#rewrite(directive, [to], known ? 'the local origin speaks plain HTTP' : 'nothing outside loopback is reached', !known)
  }

  get #origin(): string {
    return `127.0.0.1:${this.#options.upstreamPort}`
  }

  #member(directive: Directive): void {
    const kept = directive.args.slice(1).filter(({ value }) => /^(weight|max_conns|max_fails|fail_timeout)=/.test(value))
    this.#rewrite(directive, [this.#origin, ...kept.map(({ text }) => text)], 'nothing outside loopback is reached', true)
  }

  #cachePath(directive: Directive): void {
    this.#caches += 1
    const own = path.join(this.#options.folder, `cache-${this.#caches}`)
    const rest = directive.args.slice(1).map(({ text }) => text)
    this.#rewrite(directive, [own, ...rest], "it is the run's own folder", false)
  }

  /** One that serves streams listens where the run wants it; the others are left out. */
  #server(server: Directive, serves: boolean): void {
    if (!serves) return this.#drop(server, 'it has no proxy_pass, so it serves no stream')
    const [first, ...more] = server.block!.filter(({ name }) => name.value === 'listen')
    for (const other of more) this.#drop(other, 'one address is enough')
    const listen = `listen 127.0.0.1:${this.#options.port}`
    if (first === undefined) return this.#source.edit(server.last.start, server.last.start, `${listen}; `)
    const kept = first.args.slice(1).filter(({ value }) => /^(default_server$|backlog=|rcvbuf=|sndbuf=|so_keepalive)/.test(value))
    this.#rewrite(first, [listen.slice('listen '.length), ...kept.map(({ text }) => text)], "the run's own address", false)
  }

  /** Places that nginx was built with, where only root may write; in the line of the `{`. */
  #ownFolders(http: Directive): void {
    const { folder, user } = this.#options
    const places = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map((name) => `${name}_temp_path ${path.join(folder, name)};`)
    const open = http.args.at(-1) ?? http.name
    const brace = this.#source.tokens.find((token) => token.start >= open.end && token.text === '{')!
    this.#source.edit(brace.end, brace.end, ` access_log off; ${places.join(' ')}`)
    const identity = user === null ? '' : `user ${user}; `
    this.#source.edit(http.name.start, http.name.start, `${identity}pid ${path.join(folder, 'nginx.pid')}; `)
  }
}

function refused(source: NginxSource, name: NginxToken): UsageError {
  return source.error(name, `the directive "${name.value}" can not be simulated: ${refusedBecause(name.value)}`)
}

/** Whether there is a `proxy_pass` somewhere below. */
function passes(directive: Directive): boolean {
  return directive.name.value === 'proxy_pass' || (directive.block ?? []).some(passes)
}
