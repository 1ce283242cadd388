/**
 * What an expression is, as far as the source tells without running it. Whatever is not certain is
 * `unknown`, and where several things are possible all of them are kept. Pure.
 */
import type { CallNode, ClassNode, FunctionNode, Node } from './syntax.ts'

export type Value =
  /** `at`: where its beginning is written. */
  | { kind: 'text'; parts: TextPart[]; at?: SourceNode | undefined }
  | { kind: 'literal'; value: number | boolean | null | undefined }
  | ObjectValue
  | { kind: 'array'; items: Value[]; open: boolean }
  | FunctionValue
  | ClassValue
  | { kind: 'module'; file: string }
  /** Something of a package, or of the runtime (`package` is then empty): `['process', 'env', 'X']`. */
  | ExternalValue
  /** A member of what an unknown program made: `handle.stream`. */
  | { kind: 'member'; of: Value; name: string }
  /** What calling or constructing something outside the source gives. */
  | MadeValue
  | { kind: 'either'; values: Value[] }
  | UnknownValue

/** Known text, or a hole of which only this is known. */
export type TextPart = string | { hole: Value }

export interface ObjectValue {
  kind: 'object'
  props: Map<string, Value>
  /** It may hold more than `props`. */
  open: boolean
  /** Where it stands; missing for one that several were merged into. */
  at?: SourceNode | undefined
}

export interface SourceNode {
  file: string
  node: Node
}

export interface FunctionValue {
  kind: 'function'
  file: string
  fn: FunctionNode
  frame: Frame
  self?: Value | undefined
}

export interface ClassValue {
  kind: 'class'
  file: string
  node: ClassNode
  frame: Frame
}

export interface ExternalValue {
  kind: 'external'
  package: string
  path: string[]
}

export interface MadeValue {
  kind: 'made'
  by: 'call' | 'new'
  /** A class of the user's own, or something external. */
  of: Value
  file: string
  /** Null for the `this` of a class, however it was made. */
  node: CallNode | null
  frame: Frame
}

export interface UnknownValue {
  kind: 'unknown'
  /** The function whose callers decide it, where it comes out of a parameter. */
  from?: FunctionNode | undefined
  /** What its declared type refers to: `DurableStream` of the client, say. */
  type?: Value | undefined
}

/** What the parameters of functions were called with; functions that are not in it were not called. */
export interface Frame {
  above: Frame | null
  fn: FunctionNode | null
  args: Value[]
  /** The call spread something: later arguments are not known by their place. */
  spread: boolean
  self?: Value | undefined
}

export const noFrame: Frame = { above: null, fn: null, args: [], spread: false }
export const unknown: UnknownValue = { kind: 'unknown' }
export const nothing: Value = { kind: 'literal', value: undefined }

const alternativesMax = 12

export function text(value: string, at?: SourceNode): Value {
  return { kind: 'text', parts: [value], at }
}

export function either(values: readonly Value[]): Value {
  const flat = values.flatMap((value) => (value.kind === 'either' ? value.values : [value]))
  if (flat.length === 1) return flat[0]!
  if (flat.length === 0) return unknown
  const seen: Value[] = []
  for (const value of flat) {
    if (!seen.some((one) => one === value || same(one, value))) seen.push(value)
  }
  if (seen.length === 1) return seen[0]!
  return { kind: 'either', values: seen.length > alternativesMax ? [...seen.slice(0, alternativesMax - 1), unknown] : seen }
}

function same(a: Value, b: Value): boolean {
  if (a.kind === 'literal' && b.kind === 'literal') return Object.is(a.value, b.value)
  const [left, right] = [wholeText(a), wholeText(b)]
  if (left !== null && right !== null) return left === right
  return a.kind === 'unknown' && b.kind === 'unknown' && a.from === b.from && a.type === b.type
}

/** All that the value may be; one for what is certain. */
export function alternatives(value: Value): Value[] {
  return value.kind === 'either' ? value.values : [value]
}

/** The text where all of it is known, else null. */
export function wholeText(value: Value): string | null {
  if (value.kind !== 'text') return null
  return value.parts.every((part) => typeof part === 'string') ? value.parts.join('') : null
}

/** The value's text with `mark` for what is not known of it; null for what is no text. */
export function markedText(value: Value, mark = '\u{FFFC}'): string | null {
  if (value.kind !== 'text') return null
  return value.parts.map((part) => (typeof part === 'string' ? part : mark)).join('')
}

export function isUndefined(value: Value): boolean {
  return value.kind === 'literal' && value.value === undefined
}

/** Values joined as `+` and template literals do; each alternative of each gives one. */
export function concat(values: readonly Value[]): Value {
  let made: { parts: TextPart[]; at: SourceNode | undefined }[] = [{ parts: [], at: undefined }]
  for (const value of values) {
    const options = alternatives(value)
    const next = made.flatMap((before) => options.map((one) => ({ parts: joined(before.parts, textParts(one)), at: before.parts.length === 0 && one.kind === 'text' ? one.at : before.at })))
    made = next.length > alternativesMax ? made.map((before) => ({ ...before, parts: [...before.parts, { hole: value }] })) : next
  }
  return either(made.map(({ parts, at }) => ({ kind: 'text', parts, at })))
}

function textParts(value: Value): TextPart[] {
  if (value.kind === 'text') return value.parts
  if (value.kind === 'literal') return [String(value.value)]
  return [{ hole: value }]
}

function joined(before: TextPart[], parts: TextPart[]): TextPart[] {
  const last = before.at(-1)
  const first = parts[0]
  if (typeof last === 'string' && typeof first === 'string') return [...before.slice(0, -1), last + first, ...parts.slice(1)]
  return [...before, ...parts]
}

/** Properties merged as by a spread, the later ones over the earlier; each alternative gives one. */
export function merge(parts: readonly Value[], at?: SourceNode): Value {
  let made: ObjectValue[] = [{ kind: 'object', props: new Map(), open: false, at }]
  for (const part of parts) {
    const next = made.flatMap((before) => alternatives(part).map((option) => over(before, option)))
    made = next.length > alternativesMax ? made.map((before) => over(before, unknown)) : next
  }
  return either(made)
}

function over(before: ObjectValue, part: Value): ObjectValue {
  if (part.kind === 'literal') return before
  if (part.kind !== 'object') return { ...before, open: true, props: loosened(before, part) }
  return { ...before, open: before.open || part.open, props: new Map([...before.props, ...part.props]) }
}

/** What is spread over it is not known; that it takes something away is not assumed. */
function loosened(before: ObjectValue, part: Value): Map<string, Value> {
  const from = part.kind === 'unknown' ? part.from : undefined
  const props = new Map(before.props)
  // Remembered under a name no property has, so that callers of `from` can still decide it.
  if (from) props.set(`...${props.size}`, part)
  return props
}

/** The functions whose callers would tell more of the value. */
export function deciders(value: Value, found = new Set<FunctionNode>(), depth = 0): Set<FunctionNode> {
  if (depth > 6) return found
  const inner: Value[] =
    value.kind === 'text' ? value.parts.flatMap((part) => (typeof part === 'string' ? [] : [part.hole]))
    : value.kind === 'object' ? [...value.props.values()]
    : value.kind === 'array' ? value.items
    : value.kind === 'either' ? value.values
    : value.kind === 'member' ? [value.of]
    : []
  if (value.kind === 'unknown' && value.from) found.add(value.from)
  for (const one of inner) deciders(one, found, depth + 1)
  return found
}
