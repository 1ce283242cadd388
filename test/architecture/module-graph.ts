/**
 * Who imports whom, as far as the source says it: pure functions over file names and their text, so
 * that each rule can be shown to fail on a planted set of files.
 */
import path from 'node:path'

/** File contents by path from the root of the repository, with forward slashes. */
export type Sources = ReadonlyMap<string, string>

export interface Import {
  /** A file of the repository, or the name of a package: 'node:fs', 'execa'. */
  to: string
  /** Erased before the program runs. */
  typeOnly: boolean
}

export type ModuleGraph = ReadonlyMap<string, readonly Import[]>

export interface Arrow {
  name: string
  /** The files that it binds. */
  from: RegExp
  /** What they must not import, or the only things that they may. */
  not?: RegExp
  only?: RegExp
  /** 'at all' follows the imports that are left when the program runs; a type binds only directly. */
  reach: 'directly' | 'at all'
}

const clause = String.raw`[\w$*\s{},]*\sfrom\s*`
const statement = new RegExp(String.raw`^(?:import|export)\s+(type\s)?(?:${clause})?(['"])([^'"]+)\2`, 'gm')
const dynamicImport = /\bimport\(\s*(['"])([^'"]+)\1/g

/** The imports of one file. A dynamic import counts where it names its module. */
export function importsOf(file: string, text: string): Import[] {
  const statements = [...text.matchAll(statement)].map((match) => ({ name: match[3]!, typeOnly: match[1] !== undefined }))
  const dynamic = [...text.matchAll(dynamicImport)].map((match) => ({ name: match[2]!, typeOnly: false }))
  return [...statements, ...dynamic].map(({ name, typeOnly }) => ({ to: resolve(file, name), typeOnly }))
}

function resolve(file: string, name: string): string {
  if (name.startsWith('.')) return path.posix.join(path.posix.dirname(file), name)
  if (name.startsWith('node:')) return name
  return name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/')
}

export function moduleGraph(sources: Sources): ModuleGraph {
  return new Map([...sources].map(([file, text]) => [file, importsOf(file, text)]))
}

/** Each violation of an arrow as the way it takes: 'a.ts > b.ts > execa'. */
export function violationsOf(graph: ModuleGraph, arrow: Arrow): string[] {
  const bound = [...graph.keys()].filter((file) => arrow.from.test(file))
  return bound.flatMap((file) => {
    const ways = new Map((graph.get(file) ?? []).map(({ to }) => [to, [file, to]]))
    if (arrow.reach === 'at all') for (const [to, way] of waysFrom(graph, file)) ways.set(to, way)
    return [...ways].filter(([to]) => isForbidden(arrow, to)).map(([, way]) => way.join(' > '))
  })
}

function isForbidden({ not, only }: Arrow, to: string): boolean {
  return not?.test(to) === true || only?.test(to) === false
}

/** Everything that is loaded with a file, each with the shortest way to it. */
function waysFrom(graph: ModuleGraph, start: string): Map<string, string[]> {
  const ways = new Map<string, string[]>()
  const waiting = [[start]]
  for (let way = waiting.shift(); way; way = waiting.shift()) {
    for (const { to, typeOnly } of graph.get(way.at(-1)!) ?? []) {
      if (typeOnly || to === start || ways.has(to)) continue
      ways.set(to, [...way, to])
      waiting.push([...way, to])
    }
  }
  return ways
}

/** Import cycles, types included: each as the way round, 'a.ts > b.ts > a.ts'. */
export function cyclesOf(graph: ModuleGraph): string[] {
  const cycles: string[] = []
  const done = new Set<string>()
  const visit = (file: string, way: string[]): void => {
    const begin = way.indexOf(file)
    if (begin >= 0) cycles.push([...way.slice(begin), file].join(' > '))
    if (begin >= 0 || done.has(file)) return
    for (const { to } of graph.get(file) ?? []) if (graph.has(to)) visit(to, [...way, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return cycles
}

/** Relative imports of files that are not there: a graph with holes proves nothing. */
export function holesOf(graph: ModuleGraph): string[] {
  return [...graph].flatMap(([file, imports]) =>
    imports.filter(({ to }) => /\.[cm]?[jt]s$/.test(to) && !graph.has(to)).map(({ to }) => `${file} > ${to}`),
  )
}

/** Lines that match, as 'file:line', in the files that are bound; comments do not count. */
export function linesWith(sources: Sources, from: RegExp, what: RegExp): string[] {
  return [...sources]
    .filter(([file]) => from.test(file))
    .flatMap(([file, text]) =>
      withoutComments(text)
        .split('\n')
        .flatMap((line, index) => (what.test(line) ? [`${file}:${index + 1}`] : [])),
    )
}

/** Keeps the number of lines. A comment's marks inside a string are taken for a comment. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, '')).replaceAll(/(^|\s)\/\/.*/g, '')
}

/** Files whose name is not the id of what they hold. */
export function misnamed(held: readonly { file: string; ids: readonly string[] }[]): string[] {
  return held
    .filter(({ file, ids }) => ids.length !== 1 || ids[0] !== path.posix.basename(file, '.ts'))
    .map(({ file, ids }) => `${file} holds ${ids.join(', ') || 'nothing'}`)
}
