/**
 * The arrows of docs/architecture.md, held: what judges and renders touches no process, socket or
 * clock; programs are run in few places; scenarios stay data; a file is named after what it holds.
 */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkById } from '../harness/checks.ts'
import {
  cyclesOf,
  holesOf,
  importsOf,
  linesWith,
  misnamed,
  moduleGraph,
  violationsOf,
  type Arrow,
  type Sources,
} from './architecture/module-graph.ts'

const root = path.resolve(import.meta.dirname, '..')
const sources: Sources = new Map(
  globSync(['{harness,scenarios,bench}/**/*.{ts,mts,mjs}', 'define-config.mjs'], { cwd: root })
    .toSorted()
    .map((file) => [file.replaceAll(path.sep, '/'), readFileSync(path.join(root, file), 'utf8')]),
)
const graph = moduleGraph(sources)

/** What judges, concludes and renders; a verdict depends on nothing but the history. */
const judging = /^harness\/(checks|audits|report)\/|^harness\/(audit|check|checks|checklist|conclude|judge|verdict)\.ts$/
const pure = /^harness\/(checks|audits)\/|^harness\/(audit|check|checks|checklist|conclude|judge|verdict)\.ts$/

const arrows: Arrow[] = [
  {
    name: 'what judges and renders reaches no edge, runtime, load, fault, step, process or socket',
    from: judging,
    not: /^harness\/(bootstrap|confine|edges|faults|load|provision|runtime|services|steps)\/|^node:(child_process|cluster|dgram|dns|http2?|https|net|tls|worker_threads)$|^(execa|testcontainers|undici)$/,
    reach: 'at all',
  },
  {
    name: 'what judges reaches no clock and no file',
    from: pure,
    not: /^harness\/clock\.ts$|^node:(fs|timers|perf_hooks)/,
    reach: 'at all',
  },
  {
    // The user's own files are adapted and compiled by the programs they are for: a part of gathering.
    name: 'only runtime, provision, gather, mutants and bench run programs',
    from: /^(?!bench\/|harness\/(bootstrap|provision|runtime)\/|harness\/gather[^/]*\.ts$|harness\/confine\/run-program\.ts$|harness\/mutants\/simulation\.ts$)/,
    not: /^(node:child_process|execa)$/,
    reach: 'directly',
  },
  {
    name: 'testcontainers only in the runtime',
    from: /^(?!harness\/runtime\/)/,
    not: /^testcontainers$/,
    reach: 'directly',
  },
  {
    name: 'scenarios import only what docs/adding-a-scenario.md names',
    from: /^scenarios\//,
    only: namedInTheGuide(readFileSync(path.join(root, 'docs/adding-a-scenario.md'), 'utf8')),
    reach: 'directly',
  },
  {
    name: 'only the list of edges knows a proxy by its folder',
    from: /^(?!harness\/edges\/)|^harness\/edges\/edge\.ts$/,
    not: /^harness\/edges\/[^/]+\//,
    reach: 'directly',
  },
  {
    name: 'a proxy knows what is read, confined, audited and provided, and neither steps, checks nor another proxy',
    from: /^harness\/edges\/[^/]+\//,
    only: /^[^.]*$|^harness\/(edges\/(edge\.ts$|[^/]+\/[^/]+$)|confine\/|provision\/|runtime\/runtime\.ts$|audits\/edge-facts\.ts$|(errors|mutation|sha256|until|world)\.ts$)/,
    reach: 'directly',
  },
  {
    name: 'the fleet is a program of its own',
    from: /^harness\/load\/fleet\/fleet\.ts$/,
    not: /^harness\/(?!load\/fleet\/|(clock|errors)\.ts$)/,
    reach: 'at all',
  },
]

/** "It imports `harness/scenario.ts`, constructors from `harness/steps/`, ... and nothing else." */
function namedInTheGuide(guide: string): RegExp {
  const sentence = /\bIt imports\s([^.]|\.ts)*?nothing else\./.exec(guide)?.[0] ?? ''
  const places = [...sentence.matchAll(/`(harness\/[\w/.-]+)`/g)].map((match) => match[1]!.replaceAll('.', '\\.'))
  return new RegExp(`^(${places.map((place) => (place.endsWith('/') ? place : `${place}$`)).join('|')})`)
}

describe('the imports', () => {
  it('are all found', () => {
    expect(graph.size).toBeGreaterThan(150)
    expect(holesOf(graph)).toEqual([])
  })

  it.each(arrows.map((arrow) => [arrow.name, arrow] as const))('%s', (_name, arrow) => {
    expect([...graph.keys()].some((file) => arrow.from.test(file))).toBe(true)
    expect(violationsOf(graph, arrow)).toEqual([])
  })

  it('go round in no cycle', () => {
    expect(cyclesOf(graph)).toEqual([])
  })
})

describe('what a file says', () => {
  it('to judge asks neither the process nor a clock', () => {
    expect(linesWith(sources, pure, /\bprocess\.|\bDate\.now\(|\bnew Date\(\)|\bperformance\.|\bset(Timeout|Interval|Immediate)\(/)).toEqual([])
  })

  it('of the time comes from one clock', () => {
    expect(linesWith(sources, /^(?!harness\/clock\.ts$)/, /\bhrtime\b/)).toEqual([])
  })

  it("to make a scenario is under the scenario's id", async () => {
    const files = [...sources.keys()].filter((file) => file.startsWith('scenarios/'))
    const held = await Promise.all(
      files.map(async (file) => {
        const { default: scenario } = (await import(path.join(root, file))) as { default?: { id: string } }
        return { file, ids: scenario ? [scenario.id] : [] }
      }),
    )
    expect(held.length).toBeGreaterThan(4)
    expect(misnamed(held)).toEqual([])
  })

  it("to make a check is under the check's id, and the check is known", async () => {
    const files = [...sources.keys()].filter((file) => file.startsWith('harness/checks/'))
    // A file without a check is a part that checks share.
    const shared = new Set(files.flatMap((file) => graph.get(file)!.map(({ to }) => to)))
    const all = await Promise.all(files.map(async (file) => ({ file, ids: checkIds(await import(path.join(root, file))) })))
    const held = all.filter(({ file, ids }) => ids.length > 0 || !shared.has(file))
    expect(held.length).toBeGreaterThan(10)
    expect(misnamed(held)).toEqual([])
    for (const { ids } of held) expect(checkById(ids[0]!).id).toBe(ids[0])
  })
})

function checkIds(module: Record<string, unknown>): string[] {
  return Object.entries(module)
    .filter(([name]) => name.endsWith('Check'))
    .map(([, check]) => (check as { id: string }).id)
}

describe('functions', () => {
  /** Those of more than 60 lines: 'file function'. This list may only shrink. */
  const known: string[] = []

  it('are short, but for those that are listed', async () => {
    expect(await longFunctions(root, ['harness', 'scenarios', 'bench'])).toEqual(known)
  })

  const folder = mkdtempSync(path.join(tmpdir(), 'long-functions-'))
  const body = (lines: number) => Array.from({ length: lines }, (_, n) => `  console.log(${n})`).join('\n')
  beforeAll(() => {
    writeFileSync(path.join(folder, 'long.ts'), `export function long() {\n${body(59)}\n}\n`)
    writeFileSync(path.join(folder, 'short.ts'), `export function short() {\n${body(58)}\n}\n`)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('of 61 lines are found, of 60 are not', async () => {
    expect(await longFunctions(folder, ['.'])).toEqual(['long.ts long'])
  })
})

/** Asks the linter for the functions beyond the limit of long-functions.json. */
async function longFunctions(cwd: string, places: string[]): Promise<string[]> {
  const config = path.join(import.meta.dirname, 'architecture/long-functions.json')
  const linter = path.join(root, 'node_modules/oxlint/bin/oxlint')
  const args = [linter, '--config', config, '--format', 'json', ...places]
  const { stdout } = await execa(process.execPath, args, { cwd, reject: false, timeout: 60_000 })
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { filename: string; message: string }[] }
  return diagnostics.map(({ filename, message }) => `${filename} ${/`(.*?)`/.exec(message)?.[1] ?? '(unnamed)'}`).toSorted()
}

/** Each rule meets a small set of files that breaks it, and one beside it that does not. */
describe('a planted violation is found', () => {
  const planted = (files: Record<string, string>) => moduleGraph(new Map(Object.entries(files)))
  const arrow = (name: string) => arrows.find((one) => one.name.startsWith(name))!

  it.each([
    ["import { a } from './b.ts'", [{ to: 'x/b.ts', typeOnly: false }]],
    ["import type { A } from '../b.ts'", [{ to: 'b.ts', typeOnly: true }]],
    ["import a, {\n  b,\n  type C,\n} from 'execa'", [{ to: 'execa', typeOnly: false }]],
    ["import * as fs from 'node:fs/promises'", [{ to: 'node:fs/promises', typeOnly: false }]],
    ['import "./b.ts"', [{ to: 'x/b.ts', typeOnly: false }]],
    ["export { a } from './b.ts'\nexport * from './c.ts'", [{ to: 'x/b.ts', typeOnly: false }, { to: 'x/c.ts', typeOnly: false }]],
    ["const a = await import('@scope/name/deep.js')", [{ to: '@scope/name', typeOnly: false }]],
    ["export const a = 'no import'\n// taken from 'b'\nconst text = `\n  import a from 'b'`", []],
  ])('%j is read right', (text, found) => {
    expect(importsOf('x/a.ts', text)).toEqual(found)
  })

  it('of the judging side, on whatever way, but not through a type', () => {
    const graph = planted({
      'harness/checks/a.ts': "import { b } from '../b.ts'\nimport type { R } from '../r.ts'",
      'harness/b.ts': "import { c } from './runtime/c.ts'",
      'harness/r.ts': "import net from 'node:net'",
      'harness/runtime/c.ts': '',
      'harness/report/d.ts': "import type { C } from '../runtime/c.ts'",
      'harness/audits/e.ts': "import { request } from 'undici'",
      'harness/steps/f.ts': "import net from 'node:net'",
    })
    expect(violationsOf(graph, arrow('what judges and renders'))).toEqual([
      'harness/checks/a.ts > harness/b.ts > harness/runtime/c.ts',
      'harness/report/d.ts > harness/runtime/c.ts',
      'harness/audits/e.ts > undici',
    ])
  })

  it('of the clock in a check', () => {
    const files = { 'harness/judge.ts': "import { h } from './history.ts'", 'harness/history.ts': "export { m } from './clock.ts'" }
    expect(violationsOf(planted(files), arrow('what judges reaches no clock'))).toEqual(['harness/judge.ts > harness/history.ts > harness/clock.ts'])
    const text = new Map([['harness/checks/a.ts', '// process.pid\nconst a = 1\nconst b = Date.now()\n']])
    expect(linesWith(text, pure, /process\.|Date\.now\(/)).toEqual(['harness/checks/a.ts:3'])
  })

  it('of running programs and containers', () => {
    const graph = planted({
      'harness/steps/a.ts': "import { spawn } from 'node:child_process'",
      'harness/provision/b.ts': "import { execa } from 'execa'",
      'harness/gather-more.ts': "import { execa } from 'execa'",
      'harness/edges/a/confine.ts': "import { execa } from 'execa'",
      'bench/c.ts': "import { spawn } from 'node:child_process'\nimport { GenericContainer } from 'testcontainers'",
      'harness/runtime/containers.ts': "import { GenericContainer } from 'testcontainers'",
    })
    expect(violationsOf(graph, arrow('only runtime'))).toEqual(['harness/steps/a.ts > node:child_process', 'harness/edges/a/confine.ts > execa'])
    expect(violationsOf(graph, arrow('testcontainers'))).toEqual(['bench/c.ts > testcontainers'])
  })

  it('of what a scenario may import', () => {
    const graph = planted({
      'scenarios/a.ts': "import { s } from '../harness/scenario.ts'\nimport { r } from '../harness/run.ts'\nimport fs from 'node:fs'",
      'scenarios/b.ts': "import { append } from '../harness/steps/append.ts'\nimport { c } from '../harness/checks.ts'",
    })
    expect(violationsOf(graph, arrow('scenarios'))).toEqual(['scenarios/a.ts > harness/run.ts', 'scenarios/a.ts > node:fs'])
  })

  it('of what lies in the folder of a proxy', () => {
    const graph = planted({
      'harness/run.ts': "import { edges } from './edges/edges.ts'\nimport { a } from './edges/a/a.ts'",
      'harness/edges/edges.ts': "import { a } from './a/a.ts'",
      'harness/edges/a/a.ts': "import type { Edge } from '../edge.ts'\nimport { b } from '../../steps/b.ts'\nimport fs from 'node:fs'",
    })
    expect(violationsOf(graph, arrow('only the list of edges'))).toEqual(['harness/run.ts > harness/edges/a/a.ts'])
    expect(violationsOf(graph, arrow('a proxy knows'))).toEqual(['harness/edges/a/a.ts > harness/steps/b.ts'])
  })

  it('of what the fleet may load', () => {
    const files = { 'harness/load/fleet/fleet.ts': "import { r } from './r.ts'", 'harness/load/fleet/r.ts': "import { h } from '../../history.ts'" }
    expect(violationsOf(planted(files), arrow('the fleet'))).toEqual(['harness/load/fleet/fleet.ts > harness/load/fleet/r.ts > harness/history.ts'])
  })

  it('of cycles, and of imports that lead nowhere', () => {
    const graph = planted({ 'a.ts': "import { b } from './b.ts'", 'b.ts': "import type { C } from './c.ts'", 'c.ts': "import { b } from './b.ts'\nimport { d } from './d.ts'" })
    expect(cyclesOf(graph)).toEqual(['b.ts > c.ts > b.ts'])
    expect(holesOf(graph)).toEqual(['c.ts > d.ts'])
  })

  it('of names', () => {
    expect(misnamed([{ file: 'scenarios/a.ts', ids: ['b'] }, { file: 'scenarios/c.ts', ids: ['c'] }, { file: 'scenarios/d.ts', ids: [] }])).toEqual([
      'scenarios/a.ts holds b',
      'scenarios/d.ts holds nothing',
    ])
  })
})
