/** The functions of Varnish's module `std` that read files, write to the system's log or look names up. */
import { isLoopbackHost } from '../../confine/addresses.ts'
import { redactText } from '../../confine/redact.ts'
import type { VclSource, VclToken } from './vcl-tokens.ts'

interface Call {
  /** The function's name with its module, as written. */
  readonly token: VclToken
  readonly module: string
  readonly open: VclToken
  readonly close: VclToken
  /** The tokens of each argument. */
  readonly arguments: readonly (readonly VclToken[])[]
  readonly commas: readonly VclToken[]
}

/** Rewrites calls of a module that was imported under one of these names. */
export function rewriteFunctions(source: VclSource, std: ReadonlySet<string>): void {
  for (const [index, token] of source.tokens.entries()) {
    const [, module, name] = /^([\w-]+)\.([\w-]+)$/.exec(token.text) ?? []
    if (token.kind !== 'word' || module === undefined || !std.has(module)) continue
    const call = readCall(source.tokens, index, module)
    if (call === null) continue
    if (name === 'fileread' || name === 'file_exists') noteRead(source, call)
    if (name === 'syslog') logInstead(source, call)
    if (name === 'ip') resolveNothing(source, call)
  }
}

function readCall(tokens: readonly VclToken[], index: number, module: string): Call | null {
  const [token, open] = [tokens[index], tokens[index + 1]]
  if (token === undefined || open?.text !== '(') return null
  const given: VclToken[][] = [[]]
  const commas: VclToken[] = []
  let depth = 0
  for (const each of tokens.slice(index + 1)) {
    const mark = each.kind === 'mark' ? each.text : ''
    if (mark === ')') depth -= 1
    if (depth === 0 && mark === ')') {
      return { token, module, open, close: each, arguments: given, commas }
    }
    if (mark === ',' && depth === 1) {
      commas.push(each)
      given.push([])
    } else if (depth > 0) given.at(-1)?.push(each)
    if (mark === '(') depth += 1
  }
  return null
}

function noteRead(source: VclSource, call: Call): void {
  const file = call.arguments.flat().map(({ value }) => value)
  const { file: from, line } = source.placeOf(call.token)
  source.reads.push({ path: `${from}:${line}`, file: redactText(file.join(' ')) })
}

/** `std.syslog(priority, text)` becomes `std.log(text)`. */
function logInstead(source: VclSource, { token, module, open, commas }: Call): void {
  const [comma] = commas
  if (comma === undefined) return
  const to = `${module}.log`
  source.edit(token.start, token.end, to)
  source.edit(open.end, comma.end, '')
  const because = "nothing is written to the system's log"
  source.change({ token, what: token.text, from: token.text, to, because })
}

/** `std.ip(text, fallback)` looks names up unless its `resolve` is false. */
function resolveNothing(source: VclSource, call: Call): void {
  const named = call.arguments.flat().find(isHostName)
  if (named) {
    const words = `the name "${named.value}" would be looked up, which can not be simulated`
    throw source.error(named, words)
  }
  const given = call.arguments.find(
    ([name, equals]) => name?.text === 'resolve' && equals?.text === '=',
  )
  const positional = call.arguments[2]?.[1]?.text === '=' ? undefined : call.arguments[2]
  const answer = given?.at(2) ?? positional?.[0]
  if (answer?.text === 'false') return
  if (answer) source.edit(answer.start, (given ?? positional)?.at(-1)?.end ?? answer.end, 'false')
  else source.edit(call.close.start, call.close.start, ', resolve = false')
  source.change({
    token: call.token,
    what: call.token.text,
    from: 'resolve = true',
    to: 'resolve = false',
    because: 'names are not looked up',
  })
}

function isHostName({ kind, value }: VclToken): boolean {
  if (kind !== 'string' || isLoopbackHost(value) || isNumericAddress(value)) return false
  return /^[\w.-]*[A-Za-z][\w.-]*$/.test(value)
}

/** True for an IPv4 or IPv6 address, with or without a length of its network. */
export function isNumericAddress(text: string): boolean {
  if (/^\d{1,3}(\.\d{1,3}){0,3}(\/\d+)?$/.test(text)) return true
  return /^[\da-fA-F:]*:[\da-fA-F:.]*(\/\d+)?$/.test(text)
}
