/**
 * Where the source uses Durable Streams: creates, reads, producers, and requests made by hand; each
 * with its options on every way that leads there. Pure.
 */
import type { Place } from '../finding.ts'
import { Callers, type Way } from './callers.ts'
import { Evaluator } from './evaluate.ts'
import { neverInProduction } from './guards.ts'
import { clientPackage, isDurableStreams, isExport } from './known-packages.ts'
import type { Project, SourceFile } from './project.ts'
import { roleOf, type Role } from './production.ts'
import type { CallNode, Node } from './syntax.ts'
import { alternatives, either, merge, nothing, unknown, type MadeValue, type Value } from './values.ts'

export type Api =
  /** `DurableStream.create(options)`, `handle.create(options)`, and helpers that create. */
  | 'create'
  /** `stream(options)`, `handle.stream(options)`, and helpers that read. */
  | 'read'
  /** `new DurableStream(options)`, `DurableStream.connect(options)`. */
  | 'handle'
  /** `new IdempotentProducer(handle, id, options)`, `handle.writable(options)`. */
  | 'producer'
  /** `fetch(address, init)` and its like, on an address of a stream. */
  | 'request'

export interface Use {
  api: Api
  /** As the user would say it: `handle.create()`. */
  name: string
  at: SourceFile
  node: CallNode
  place: Place
  ways: UseWay[]
}

export interface UseWay {
  via: Place[]
  /** What the call itself was given; an object, or unknown. */
  options: Value
  /** Of the handle that it was called on, where there is one. */
  handle: Value | null
  args: Value[]
}

export interface Facts {
  project: Project
  evaluator: Evaluator
  roles: ReadonlyMap<string, Role>
  /** The files that are judged, run in production, and have to do with streams. */
  production: SourceFile[]
  uses: Use[]
}

/** Reads the whole project once; rules look at what it found. */
export function usesOf(project: Project): Facts {
  const evaluator = new Evaluator(project)
  const related = relatedFiles(project)
  const roles = new Map(related.map((file) => [file, roleOf(project, file)]))
  const files = related.flatMap((file) => project.file(file) ?? [])
  const production = files.filter(({ file, judged }) => judged && roles.get(file) === 'production')
  const callers = new Callers(evaluator, files.filter(({ file }) => roles.get(file) !== 'test'))
  const uses = production.flatMap((at) => at.syntax.nodes.flatMap((node) => usesAt(node, at, evaluator, callers).filter(() => !neverInProduction(node, at, evaluator))))
  return { project, evaluator, roles, production, uses }
}

/** Words without which a file has to do with streams only through what it imports. */
const signs = ['@durable-streams/', '/v1/stream', 'Stream-', 'stream-ttl', 'live=', 'offset=', 'searchParams']

/** The files that speak of streams, and all that import them; what those import is read when asked for. */
function relatedFiles(project: Project): string[] {
  const importers = new Map<string, string[]>()
  const related = new Set<string>()
  for (const [file, { text }] of project.texts) {
    if (signs.some((sign) => text.includes(sign))) related.add(file)
    for (const request of project.file(file)?.syntax.requests ?? []) {
      const target = project.resolve(request, file)
      if (target) importers.set(target, [...(importers.get(target) ?? []), file])
    }
  }
  const open = [...related]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    for (const importer of importers.get(file) ?? []) {
      if (related.has(importer)) continue
      related.add(importer)
      open.push(importer)
    }
  }
  return [...project.texts.keys()].filter((file) => related.has(file))
}

/** What a call means, before its arguments are looked at. */
interface Meaning {
  api: Api
  name: string
  /** The call's options, given its arguments. */
  options: (args: readonly Value[], evaluator: Evaluator) => Value
  handle?: (evaluator: Evaluator, frame: Way['frame']) => Value
}

function usesAt(node: Node, at: SourceFile, evaluator: Evaluator, callers: Callers): Use[] {
  if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return []
  const meanings = alternatives(evaluator.evaluate(node.callee, at)).flatMap((callee) => meaningOf(callee, node, at) ?? [])
  // A callee that may be one of several is judged as the first that is known.
  return meanings.slice(0, 1).map((meaning) => useOf(meaning, node, at, evaluator, callers))
}

function useOf(meaning: Meaning, node: CallNode, at: SourceFile, evaluator: Evaluator, callers: Callers): Use {
  const argumentsIn = (frame: Way['frame']) => evaluator.argumentsOf(node, at, frame)
  const handleIn = (frame: Way['frame']) => meaning.handle?.(evaluator, frame) ?? null
  const askedFor = (frame: Way['frame']) => [...argumentsIn(frame), ...optionsOfHandle(handleIn(frame), evaluator)]
  const ways = callers.waysTo(node, askedFor).map(({ frame, via }): UseWay => {
    const args = argumentsIn(frame)
    const [handle = null] = optionsOfHandle(handleIn(frame), evaluator)
    return { via, args, handle, options: meaning.options(args, evaluator) }
  })
  return { api: meaning.api, name: meaning.name, at, node, place: at.syntax.placeOf(node), ways }
}

function meaningOf(callee: Value, node: CallNode, at: SourceFile): Meaning | null {
  const isNew = node.type === 'NewExpression'
  const first = (args: readonly Value[]) => args[0] ?? nothing
  if (isNew && isExport(callee, clientPackage, 'DurableStream')) return { api: 'handle', name: 'new DurableStream()', options: first }
  if (isNew && isExport(callee, clientPackage, 'IdempotentProducer')) return { api: 'producer', name: 'new IdempotentProducer()', options: (args) => args[2] ?? nothing }
  if (isNew && isGlobal(callee, 'EventSource')) return { api: 'request', name: 'new EventSource()', options: (args) => args[1] ?? nothing }
  if (isNew) return ofHelper(callee)
  if (isExport(callee, clientPackage, 'stream')) return { api: 'read', name: 'stream()', options: first }
  if (isExport(callee, clientPackage, 'DurableStream', 'create')) return { api: 'create', name: 'DurableStream.create()', options: first }
  if (isExport(callee, clientPackage, 'DurableStream', 'connect')) return { api: 'handle', name: 'DurableStream.connect()', options: first }
  if (isGlobal(callee, 'fetch') || isFetchLike(callee)) return { api: 'request', name: 'fetch()', options: (args) => args[1] ?? nothing }
  return ofHelper(callee) ?? ofHandle(callee, node, at)
}

/** `handle.create()`, `handle.stream()`. */
function ofHandle(callee: Value, node: CallNode, at: SourceFile): Meaning | null {
  if (callee.kind !== 'member' || !isHandle(callee.of) || node.callee.type !== 'MemberExpression') return null
  const { object } = node.callee
  const handle: Meaning['handle'] = (evaluator, frame) => evaluator.evaluate(object, at, frame)
  const options = (args: readonly Value[]) => args[0] ?? nothing
  if (callee.name === 'create') return { api: 'create', name: 'handle.create()', options, handle }
  if (callee.name === 'writable') return { api: 'producer', name: 'handle.writable()', options, handle }
  if (callee.name === 'stream') return { api: 'read', name: 'handle.stream()', options, handle }
  return null
}

/** The packages around the client that read or create on behalf of who calls them. */
function ofHelper(callee: Value): Meaning | null {
  if (callee.kind !== 'external' || !isDurableStreams(callee.package)) return null
  const name = callee.path.at(-1)!
  if (name === 'createStreamDB') return { api: 'read', name: 'createStreamDB()', options: (args, evaluator) => streamDbOptions(args[0] ?? nothing, evaluator) }
  if (name === 'YjsProvider') return { api: 'handle', name: 'new YjsProvider()', options: (args, evaluator) => merge([args[0] ?? nothing, { kind: 'object', props: new Map([['url', evaluator.member(args[0] ?? nothing, 'baseUrl')]]), open: false }]) }
  if (creatingHelpers.has(name)) return { api: 'create', name: `${name}()`, options: (args, evaluator) => responseOptions(args, evaluator) }
  return null
}

/** `createStreamDB({ streamOptions, live })` reads with its streamOptions, live unless told. */
function streamDbOptions(given: Value, evaluator: Evaluator): Value {
  const own = evaluator.member(given, 'streamOptions')
  const stream = evaluator.member(given, 'stream')
  const handle = stream.kind === 'literal' ? own : either([...optionsOfHandle(stream, evaluator), ...(own.kind === 'literal' ? [] : [own])])
  const live = evaluator.member(given, 'live')
  return live.kind === 'literal' && live.value === undefined ? handle : merge([handle, { kind: 'object', props: new Map([['live', live]]), open: false }])
}

/** Of the transports for AI libraries: they create the stream unless told `createIfMissing: false`. */
const creatingHelpers = new Set(['toDurableStreamResponse', 'toDurableChatSessionResponse', 'ensureDurableChatSessionStream'])

/** `toDurableStreamResponse({ stream: { writeUrl, headers } })`; the options may come second, or be the target itself. */
function responseOptions(args: readonly Value[], evaluator: Evaluator): Value {
  const targets = args.flatMap((one) => [evaluator.member(one, 'stream'), one])
  const stream = targets.find((one) => one.kind === 'object' && one.props.has('writeUrl')) ?? unknown
  const url = evaluator.member(stream, 'writeUrl')
  return merge([stream, { kind: 'object', props: new Map([['url', url]]), open: false }])
}

export function isHandle(value: Value): boolean {
  if (value.kind === 'either') return value.values.some(isHandle)
  if (value.kind === 'unknown') return value.type !== undefined && isExport(value.type, clientPackage, 'DurableStream')
  return value.kind === 'made' && makesHandle(value)
}

function makesHandle({ by, of }: MadeValue): boolean {
  if (by === 'new') return isExport(of, clientPackage, 'DurableStream')
  if (of.kind === 'member') return of.name === 'create' && isHandle(of.of)
  return isExport(of, clientPackage, 'DurableStream', 'create') || isExport(of, clientPackage, 'DurableStream', 'connect')
}

/** What the handle was made with; one value, none without a handle. */
function optionsOfHandle(handle: Value | null, evaluator: Evaluator): Value[] {
  if (!handle) return []
  return [either(alternatives(handle).flatMap((one) => (one.kind === 'literal' ? [] : [madeWith(one, evaluator)])))]
}

function madeWith(handle: Value, evaluator: Evaluator): Value {
  if (handle.kind === 'unknown') return handle
  if (handle.kind !== 'made' || !handle.node) return unknown
  if (handle.of.kind === 'member') return madeWith(handle.of.of, evaluator)
  const at = evaluator.project.file(handle.file)
  return (at && evaluator.argumentsOf(handle.node, at, handle.frame)[0]) ?? unknown
}

function isGlobal(value: Value, name: string): boolean {
  return value.kind === 'external' && value.package === '' && ['', 'globalThis.', 'window.', 'self.'].some((before) => value.path.join('.') === before + name)
}

/** Libraries whose calls take an address first. */
const fetchPackages = new Set(['undici', 'node-fetch', 'cross-fetch', 'ofetch', 'ky', 'got', 'axios', 'isomorphic-fetch'])

function isFetchLike(callee: Value): boolean {
  const root = callee.kind === 'member' ? callee.of : callee
  return root.kind === 'external' && fetchPackages.has(root.package)
}
