/** The configuration file: what it sets, what overrules it, and one sentence for each thing that can be wrong with it. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest'
import type { z } from 'zod'
import type { RowId as PublicRowId, SimulateConfig } from '../define-config.mjs'
import type { RowId } from '../harness/checklist.ts'
import { readConfig, type Config } from '../harness/config.ts'
import type { configSchema } from '../harness/config/schema.ts'
import { UsageError } from '../harness/errors.ts'
import { flagsOf, flagsToRepeat, parseOptions, readOptions } from '../harness/options.ts'

const root = path.join(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(tmpdir(), 'config-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const today = '2026-11-25'
const loadMsMax = 10_000
// What the tests of this project run under says nothing of a user's.
beforeEach(() => {
  for (const name of ['DURABLE_STREAMS_CONFIG', 'DURABLE_STREAMS_RUNTIME']) vi.stubEnv(name, undefined)
})

let projects = 0

/** A project's folder with this configuration in it, and whatever else it names. */
function project(text: string, { name = 'simulate.config.ts', others = {} }: { name?: string; others?: Record<string, string> } = {}): string {
  projects += 1
  const own = path.join(folder, `project-${projects}`)
  for (const [file, content] of Object.entries({ [name]: text, ...others })) {
    mkdirSync(path.dirname(path.join(own, file)), { recursive: true })
    writeFileSync(path.join(own, file), content)
  }
  return own
}

const importing = `import { defineConfig } from '${path.join(root, 'define-config.mjs')}'\n`
const configured = (settings: string) => `${importing}export default defineConfig(${settings})\n`

/** What is said of it, without the folder's own name. */
async function refused(cwd: string, given?: string): Promise<string> {
  const error: unknown = await readConfig(given, { cwd, today, loadMsMax }).then(() => null, (thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(UsageError)
  const { message } = error as UsageError
  expect(message, 'one line').not.toContain('\n')
  return message.replaceAll(cwd, '…')
}

const everything = `{
  origin: 'caddy',
  server: { bin: 'bin/server' },
  caddyfile: './caddy/Caddyfile',
  tlsCaddyfile: '/etc/tls.Caddyfile',
  edge: { kind: 'nginx', config: '../shared/nginx.conf' },
  app: ['src/**/*.{ts,tsx}', '/elsewhere/*.ts'],
  streams: 5_000,
  readers: 500,
  bounds: { staleMs: 250 },
  profile: 'soak',
  for: '1h30m',
  runtime: 'processes',
  seed: 7,
  browser: 'none',
  out: 'runs',
  waivers: [{ row: 'cors', reason: 'No browsers.', until: '2027-03-01' }, { row: 'https', reason: ' Behind\\n a VPN. ', until: '2026-11-24' }],
}`

describe('a configuration', () => {
  test('sets what flags set, with its paths relative to itself', async () => {
    const own = project(configured(everything))
    const { file, settings, waivers } = (await readConfig(path.join('deploy', 'simulate.config.ts'), { cwd: symlinked(own), today, loadMsMax }))!
    expect(file).toBe('deploy/simulate.config.ts')
    expect(settings).toEqual({
      origin: 'caddy',
      serverBin: 'deploy/bin/server',
      serverVersion: undefined,
      caddyfile: 'deploy/caddy/Caddyfile',
      tlsCaddyfile: path.relative(symlinks.at(-1)!, '/etc/tls.Caddyfile'),
      edge: 'nginx',
      edgeConfig: 'shared/nginx.conf',
      app: ['deploy/src/**/*.{ts,tsx}', '/elsewhere/*.ts'],
      streams: 5_000,
      readers: 500,
      staleMs: 250,
      profile: 'soak',
      forMs: 5_400_000,
      runtime: 'processes',
      seed: 7,
      browser: 'none',
      out: 'deploy/runs',
    })
    expect(waivers).toEqual([
      { row: 'cors', reason: 'No browsers.', until: '2027-03-01', expired: false },
      { row: 'https', reason: 'Behind a VPN.', until: '2026-11-24', expired: true },
    ])
  })

  test('has the types that editors complete, and no others', () => {
    type Checked = z.input<ReturnType<typeof configSchema>>
    expectTypeOf<Omit<Checked, 'edge'>>().toEqualTypeOf<Omit<SimulateConfig, 'edge'>>()
    // Its type names the caches that there are, and takes those that come.
    expectTypeOf<NonNullable<Checked['edge']>>().toEqualTypeOf<{ kind: string; config?: string | undefined }>()
    expectTypeOf<keyof NonNullable<SimulateConfig['edge']>>().toEqualTypeOf<'kind' | 'config'>()
    expectTypeOf<PublicRowId>().toEqualTypeOf<RowId>()
  })

  test('may set nothing, or one glob, or leave a setting undefined', async () => {
    const read = async (settings: string) => (await readConfig(undefined, { cwd: project(configured(settings)), today, loadMsMax }))!.settings
    expect(Object.values(await read('{}')).filter((value) => value !== undefined)).toEqual([])
    expect(await read("{ app: 'src', vcl: 'a.vcl', caddyfile: undefined }")).toMatchObject({ app: ['src'], edge: 'varnish', edgeConfig: 'a.vcl', caddyfile: undefined })
  })

  test('is none where there is none, or none is asked for', async () => {
    expect(await readConfig(undefined, { cwd: folder, today, loadMsMax })).toBeNull()
    expect(await readConfig('none', { cwd: project('throw new Error()'), today, loadMsMax })).toBeNull()
  })

  test('a waiver counts on its last day, and may last a year', async () => {
    const own = project(configured(`{ waivers: [{ row: 'cors', reason: 'x', until: '${today}' }, { row: 'soak', reason: 'x', until: '2027-11-26' }] }`))
    expect((await readConfig(undefined, { cwd: own, today, loadMsMax }))!.waivers.map(({ expired }) => expired)).toEqual([false, false])
  })
})

const symlinks: string[] = []

/** A folder in which this one is called `deploy`. */
function symlinked(own: string): string {
  const other = mkdtempSync(path.join(folder, 'cwd-'))
  symlinkSync(own, path.join(other, 'deploy'))
  symlinks.push(other)
  return other
}

/** Node itself runs the files, as vitest would not: all of them in one process. What each came to. */
async function runByNode(folders: readonly string[]): Promise<{ config?: Config; refused?: string }[]> {
  const program = `
    import { readConfig } from ${JSON.stringify(path.join(root, 'harness/config.ts'))}
    import { UsageError } from ${JSON.stringify(path.join(root, 'harness/errors.ts'))}
    const read = (cwd) => readConfig(undefined, { cwd, today: ${JSON.stringify(today)}, loadMsMax: 500 }).then((config) => ({ config }), (error) => ({ refused: error instanceof UsageError ? error.message.replaceAll(cwd, '…') : String(error.stack) }))
    const found = []
    for (const cwd of ${JSON.stringify(folders)}) found.push(await read(cwd))
    process.stdout.write(JSON.stringify(found))
  `
  const file = path.join(mkdtempSync(path.join(folder, 'read-')), 'read.mjs')
  writeFileSync(file, program)
  const { stdout, stderr } = await execa(process.execPath, [file], { stdin: 'ignore', timeout: 50_000 })
  expect(stderr).toBe('')
  return JSON.parse(stdout) as { config?: Config; refused?: string }[]
}

test('a configuration is read whatever its package.json says of such files, without a warning', async () => {
  const kinds = [['commonjs', 'simulate.config.ts'], ['module', 'simulate.config.ts'], [undefined, 'simulate.config.ts'], [undefined, 'simulate.config.mts'], ['commonjs', 'simulate.config.js'], ['commonjs', 'simulate.config.mjs']] as const
  const folders = kinds.map(([type, name]) => project(configured('{ seed: 3 }'), { name, others: { 'package.json': JSON.stringify({ type }) } }))
  const found = await runByNode(folders)
  expect(found.map(({ config, refused: sentence }) => config?.file ?? sentence)).toEqual(kinds.map(([, name]) => name))
  expect(found.map(({ config }) => config?.settings.seed)).toEqual(kinds.map(() => 3))
})

describe('a file that cannot be run', () => {
  const broken: [name: string, text: string, sentence: RegExp, others?: Record<string, string>][] = [
    ['a syntax error', 'export default {\n  seed: 1\n  readers: 2,\n}\n', /^simulate\.config\.ts:3: Expected ',', got 'ident'\.$/],
    ['what Node does not strip', 'enum A { B }\nexport default {}\n', /^simulate\.config\.ts:1: TypeScript enum is not supported in strip-only mode; write it without\.$/],
    ['an error that it throws', 'const a: number = 1\n\n  throw new Error(`no way: ${a}\nnever`)\nexport default {}\n', /^simulate\.config\.ts:3:9 threw an error: no way: 1\.$/],
    ['an error without words', 'function f(): never {\n  throw new TypeError()\n}\nexport default f()\n', /^simulate\.config\.ts:2:9 threw an error: TypeError\.$/],
    ['something else that it throws', "throw 'a fit'\n", /^simulate\.config\.ts threw "a fit"\.$/],
    ['what CommonJS is written with', 'module.exports = {}\n', /^simulate\.config\.ts:1:1 threw an error: module is not defined in ES module scope\.$/],
    ['no default export', 'export const config = { seed: 1 }\n', /^simulate\.config\.ts has no default export; write: export default defineConfig\(\{ … \}\)\.$/],
    ['an import that leads nowhere', "import { defineConfig } from '../nowhere/define-config.mjs'\nexport default defineConfig({})\n", /^simulate\.config\.ts imports \S+\/nowhere\/define-config\.mjs, which is not there; here it is (\.\.\/)+.*define-config\.mjs\.$/],
    ['a package that is not there', "import 'no-such-package'\nexport default {}\n", /^simulate\.config\.ts imports no-such-package, which is not there\.$/],
    ['a name that is not exported', "import { defineConfg } from 'node:path'\nexport default defineConfg({})\n", /^simulate\.config\.ts:1: The requested module 'node:path' does not provide an export named 'defineConfg'\.$/],
    ['an error in what it imports', "import './part.ts'\nexport default {}\n", /^…\/part\.ts:1: \S.*[^.]\.$/, { 'part.ts': 'let a = }\n' }],
    ['awaiting what never comes', 'await new Promise(() => {})\nexport default {}\n', /^simulate\.config\.ts had not ended after 500 ms; what it awaits does not come\.$/],
  ]
  let found: Awaited<ReturnType<typeof runByNode>> = []
  beforeAll(async () => {
    found = await runByNode(broken.map(([, text, , others = {}]) => project(text, { others })))
  })

  test.each(broken.map(([name, , sentence], index) => [name, sentence, index] as const))('%s', (_name, sentence, index) => {
    expect(found[index]!.refused).toMatch(sentence)
  })

  test.each([
    ['nowhere.ts', 'The configuration file nowhere.ts cannot be read (ENOENT); give its path with --config.'],
    ['.', 'The configuration file . is none that can be run; it ends in .ts, .mts, .js or .mjs.'],
    ['settings.json', 'The configuration file settings.json is none that can be run; it ends in .ts, .mts, .js or .mjs.'],
    ['folder.ts', 'The configuration file folder.ts is no file; give its path with --config.'],
  ])('%s', async (given, sentence) => {
    const own = project('', { name: 'settings.json', others: { 'folder.ts/x': '' } })
    expect(await refused(own, given)).toBe(sentence)
  })

  test('a link to nowhere is not taken for no configuration', async () => {
    const own = project('', { name: 'other' })
    symlinkSync('/nowhere/at/all.ts', path.join(own, 'simulate.config.ts'))
    expect(await refused(own)).toMatch(/^The configuration file simulate\.config\.ts cannot be read \(ENOENT\)/)
  })

  test('two to choose from', async () => {
    const own = project('export default {}', { others: { 'simulate.config.mjs': 'export default {}' } })
    expect(await refused(own)).toBe('There are two configuration files in …, simulate.config.ts and simulate.config.mjs; remove one, or choose with --config.')
    expect(await readConfig('simulate.config.mjs', { cwd: own, today, loadMsMax })).toMatchObject({ file: 'simulate.config.mjs' })
  })
})

describe('a setting that is wrong', () => {
  const waived = (waiver: string) => `{\n  waivers: [\n    ${waiver},\n  ],\n}`
  const good = "reason: 'x', until: '2027-01-01'"
  test.each<[string, string, string]>([
    ['unknown', '{\n  cadyfile: "x",\n}', '3:3: there is no setting "cadyfile"; did you mean "caddyfile"?'],
    ['unknown, within another', '{ server: { binn: "x" } }', '2:41: there is no setting "binn" in server; did you mean "bin"?'],
    ['unknown, in a waiver', waived(`{ row: 'cors', ${good}, because: 1 }`), '4:54: there is no setting "because" in waivers[0]; did you mean "reason"?'],
    ['one of several', '{ streams: 0, readers: 0, seed: -1 }', '2:31: streams takes a whole number from 1 to 1,000,000, not 0 (and 2 more after it).'],
    ['of another type', '{ readers: "10000" }', '2:31: readers takes a whole number from 1 to 1,000,000, not "10000".'],
    ['no whole number', '{ bounds: { staleMs: 0.5 } }', '2:41: bounds.staleMs takes a whole number from 0 to 3,600,000, not 0.5.'],
    ['a choice that there is not', '{ profile: "slow" }', '2:31: profile takes "quick", "full" or "soak", not "slow".'],
    ['a cache that there is not', '{ edge: { kind: "squid" } }', '2:39: edge.kind takes "varnish" or "nginx", not "squid".'],
    ['a time that is none', '{ for: "soon" }', '2:31: for takes a time from 20s to 14 days, as 90s, 10m, 8h or 1h30m, not "soon".'],
    ['an empty path', '{ caddyfile: "" }', '2:31: caddyfile takes a path, relative to this file, not "".'],
    ['no list', '{ waivers: { row: "cors" } }', '2:31: waivers takes a list: [{ row, reason, until }], not {"row":"cors"}.'],
    ['a glob that is none', '{ app: ["src", 7] }', '2:44: app[1] takes a glob, not 7.'],
    ['globs that are none', '{ app: 7 }', "2:31: app takes a glob or a list of globs, relative to this file, as 'src/**/*.{ts,tsx}', not 7."],
    ['a word where settings belong', '{ server: "bin/server" }', '2:31: server takes settings in braces: bin or version, not "bin/server".'],
    ['the wrong thing altogether', '(() => ({})) as never', '2:1: its default export takes settings in braces: export default defineConfig({ … }), not a function.'],
    ['two servers', '{ server: { bin: "a", version: "0.3.1" } }', '2:51: server.bin and server.version both name the server; give one of them.'],
    ['two caches', '{ vcl: "a", edge: { kind: "nginx" } }', '2:31: vcl and edge both name the cache; give one of them.'],
    ['a Caddyfile for the reference server', '{ origin: "reference", caddyfile: "a" }', '2:31: origin "reference" takes no caddyfile of yours; leave out one of the two.'],
    ['a waiver for a row that there is not', waived(`{ row: 'htps' as never, ${good} }`), '4:7: waivers[0].row takes the id of a row of the checklist, not "htps"; did you mean "https"?'],
    ['a waiver without a row', waived(`{ ${good} } as never`), '4:5: waivers[0].row is missing; it takes the id of a row of the checklist.'],
    ['a waiver without a reason', waived("{ row: 'cors', until: '2027-01-01' } as never"), '4:5: waivers[0].reason is missing; it takes a sentence of at most 300 characters that says why the row may stay as it is.'],
    ['a waiver with an empty reason', waived("{ row: 'cors', reason: ' ', until: '2027-01-01' }"), '4:20: waivers[0].reason takes a sentence of at most 300 characters that says why the row may stay as it is, not " ".'],
    ['a waiver without an end', waived("{ row: 'cors', reason: 'x' } as never"), '4:5: waivers[0].until is missing; it takes the last day of the waiver, as YYYY-MM-DD.'],
    ['a waiver with an empty end', waived("{ row: 'cors', reason: 'x', until: '' }"), '4:33: waivers[0].until takes the last day of the waiver, as YYYY-MM-DD, not "".'],
    ['a waiver until a day that there is not', waived("{ row: 'cors', reason: 'x', until: '2027-02-30' }"), '4:33: waivers[0].until takes the last day of the waiver, as YYYY-MM-DD, not "2027-02-30".'],
    ['a waiver until no day', waived("{ row: 'cors', reason: 'x', until: 'next week' }"), '4:33: waivers[0].until takes the last day of the waiver, as YYYY-MM-DD, not "next week".'],
    ['a waiver for ever', waived("{ row: 'cors', reason: 'x', until: '2099-01-01' }"), '4:33: waivers[0].until takes a day at most a year from now, 2027-11-26 at the latest, not "2099-01-01".'],
    ['a row that is waived twice', waived(`{ row: 'cors', ${good} },\n    { row: 'cors', ${good} }`), '5:7: waivers[1] waives cors a second time; keep one of the two.'],
  ])('%s', async (_name, settings, sentence) => {
    expect(await refused(project(configured(settings)))).toBe(`simulate.config.ts:${sentence}`)
  })

  test('is found through a constant, and without defineConfig', async () => {
    const text = "const waivers = [{ row: 'cors' }]\nconst config = { waivers } satisfies object\nexport default config\n"
    expect(await refused(project(text))).toMatch(/^simulate\.config\.ts:1:18: waivers\[0\]\.reason is missing/)
    expect(await refused(project("export default { ...{ seed: 'x' } }\n"))).toMatch(/^simulate\.config\.ts:1:1: seed takes/)
  })
})

describe('flags', () => {
  const files = { 'a.vcl': '', 'b.vcl': '', 'n.conf': '', server: '', Caddyfile: '' }
  const merged = (settings: string, ...args: string[]) => readOptions(args, { cwd: project(configured(settings), { others: files }), today, loadMsMax })

  test('overrule the file, and the file overrules what goes without saying', async () => {
    expect(await merged('{ readers: 500, streams: 50 }', '--readers', '10000')).toMatchObject({ readers: 10_000, streams: 50, staleMs: 1_000, settings: { file: 'simulate.config.ts', taken: ['streams'], overruled: ['readers'] } })
    expect(await merged("{ app: ['a', 'b'] }", '--app', 'c')).toMatchObject({ app: ['c'] })
    expect(await merged("{ runtime: 'containers' }")).toMatchObject({ runtime: 'containers' })
  })

  test.each<[string, string, string[], object]>([
    ["another cache leaves the file's configuration, which is for its own", "{ vcl: 'a.vcl' }", ['--edge', 'nginx'], { edge: 'nginx', edgeConfig: undefined }],
    ['the same cache keeps it', "{ vcl: 'a.vcl' }", ['--edge', 'varnish'], { edge: 'varnish', edgeConfig: 'a.vcl' }],
    ['--vcl names the cache by itself', "{ edge: { kind: 'nginx', config: 'n.conf' } }", ['--vcl', 'b.vcl'], { edge: 'varnish', edgeConfig: 'b.vcl' }],
    ["--edge-config is for the file's cache", "{ edge: { kind: 'nginx', config: 'n.conf' } }", ['--edge-config', 'x.conf'], { edge: 'nginx', edgeConfig: 'x.conf' }],
    ['another server', "{ server: { bin: 'server' } }", ['--server-version', '0.3.1'], { serverBin: undefined, serverVersion: '0.3.1' }],
    ['the reference server', "{ origin: 'caddy', server: { bin: 'server' }, caddyfile: 'Caddyfile' }", ['--origin', 'reference'], { origin: 'reference', serverBin: undefined, caddyfile: undefined }],
    ['a capsule brings its own', "{ caddyfile: 'Caddyfile', readers: 5, server: { bin: 'server' }, waivers: [{ row: 'cors', reason: 'x', until: '2027-01-01' }] }", ['--replay', 'c.json.gz'], { caddyfile: undefined, readers: 10_000, serverBin: 'server', waivers: undefined }],
  ])('%s', async (_name, settings, args, expected) => {
    const options = await merged(settings, ...args)
    for (const [name, value] of Object.entries(expected)) expect(options[name as keyof typeof options], name).toEqual(value)
  })

  test('a run is repeated by the file and what overruled it', async () => {
    const repeat = async (settings: string, ...args: string[]) => {
      const cwd = project(configured(settings), { others: files })
      const options = await readOptions(args, { cwd, today, loadMsMax })
      const flags = flagsToRepeat(options, 7).flat()
      // The settings that are told of the file are those that were taken: what is repeated has the same.
      const again = await readOptions(flags, { cwd, today, loadMsMax })
      const effect = (one: typeof options) => ({ ...one, settings: null, config: null, seed: null })
      expect(effect(again)).toEqual(effect(options))
      return flags.join(' ')
    }
    expect(await repeat('{ readers: 500, profile: "full", vcl: "a.vcl", app: ["src"] }')).toBe('--config simulate.config.ts --seed 7')
    expect(await repeat('{ readers: 500, profile: "full" }', '--readers', '10000', '--stale-ms', '5')).toBe('--config simulate.config.ts --seed 7 --readers 10000 --stale-ms 5')
    expect(await repeat('{ edge: { kind: "nginx", config: "n.conf" } }', '--edge', 'varnish')).toBe('--config simulate.config.ts --seed 7 --edge varnish')
    expect(await repeat('{ seed: 3 }')).toBe('--config simulate.config.ts --seed 7')
    expect(await repeat('{ readers: 500 }', '--config', 'none')).toBe('--seed 7 --config none')
  })

  test('say all of a replay, of which the file knows but a part', async () => {
    const options = await merged('{ readers: 500, server: { bin: "server" } }', '--replay', 'c.json.gz')
    expect(flagsToRepeat({ ...options, readers: 10_000, caddyfile: '/tmp/unpacked' }, 7).flat().join(' ')).toBe('--seed 7 --server-bin server --caddyfile /tmp/unpacked --config none')
  })

  test('without the file say all that it said', async () => {
    const options = await merged('{ readers: 500, vcl: "a.vcl", for: "90s", profile: "soak" }')
    expect(parseOptions(flagsOf(options, 7).flat())).toMatchObject({ readers: 500, edgeConfig: 'a.vcl', forMs: 90_000, profile: 'soak', seed: 7 })
  })

  test.each<[string, string, string[], RegExp]>([
    ['name a file twice', '{}', ['--config', 'a.ts', '--config', 'b.ts'], /^--config was given twice, a\.ts and b\.ts; give one of them\.$/],
    ['name none', '{}', ['--config', ''], /^--config was given nothing; was it a variable that is not set\?$/],
    ['leave a file that is not there', "{ caddyfile: 'Cadyfile' }", [], /^simulate\.config\.ts: caddyfile names Cadyfile, which cannot be read \(ENOENT\); paths are relative to the file\.$/],
  ])('that %s', async (_name, settings, args, sentence) => {
    await expect(merged(settings, ...args)).rejects.toThrow(sentence)
  })

  test('look for no file that they overrule', async () => {
    expect(await merged("{ caddyfile: 'gone', server: { bin: 'gone' } }", '--origin', 'reference')).toMatchObject({ origin: 'reference' })
    expect(await merged("{ vcl: 'gone.vcl' }", '--vcl', 'b.vcl')).toMatchObject({ edgeConfig: 'b.vcl' })
  })
})
