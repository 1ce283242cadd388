/** What is wrong with flags, files and programs is told in one sentence, with 64, and nothing is left behind. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { plainCaddy, sayNotTested, serverBinary } from '../confine/programs.ts'
import { simulate, type SimulationOptions } from './simulation.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'bad-input-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const reference = ['tls-edge-passes-everything', '--origin', 'reference']
const withoutServer = { DURABLE_STREAMS_SERVER_BIN: undefined, DURABLE_STREAMS_SERVER_DOWNLOAD: 'off' }

function file(name: string, content: string | Uint8Array): string {
  const where = path.join(folder, name)
  writeFileSync(where, content)
  return where
}

async function expectRefused(args: string[], sentence: RegExp, options: SimulationOptions = {}): Promise<void> {
  const refused = await simulate(args, options)
  await using simulation = refused.simulation
  expect(refused.stderr).toMatch(sentence)
  expect(refused).toMatchObject({ code: 64, stdout: '' })
  expect(refused.stderr, 'one line, without anything that acts on a terminal').toMatch(/^[^\p{Cc}]+\n$/u)
  await simulation.leavesNothing({ processes: [], listeners: [] })
  expect(simulation.runFolders()).toEqual([])
  expect(existsSync(path.join(simulation.out, 'latest'))).toBe(false)
}

describe('flags', () => {
  test.each<[string, string[], RegExp]>([
    ['an unknown scenario', ['kill-under-lod'], /^There is no scenario "kill-under-lod"; did you mean "kill-under-load"\?/],
    ['an unknown flag', ['--reders', '5'], /unknown option '--reders' \(Did you mean --readers\?\)/],
    ['no readers', ['--readers', '0'], /^--readers takes a whole number from 1 to 1,000,000, not "0"\.\n/],
    ['ten million readers', ['--readers', '10000000'], /^--readers takes a whole number from 1 to 1,000,000, not "10000000"\.\n/],
    ['an empty number', ['--readers', ''], /^--readers takes a whole number .* not ""\.\n/],
    ['a flag without its value', ['--seed'], /'--seed <n>' argument missing/],
    ['a choice that there is not', ['--profile', 'slow'], /'slow' is invalid\. Allowed choices are quick, full, soak\./],
    ['no repetition', ['--repeat', '0'], /^--repeat takes a whole number from 1 to 10,000, not "0"\.\n/],
    ['the last failed without a run', ['--last-failed'], /latest is no run: its result\.json cannot be read \(ENOENT\); give a folder below reports\/\.\n/],
    ['the last failed and named ones', ['--last-failed', 'lifetimes-end'], /^--last-failed takes the scenarios from the latest run; leave out either it or lifetimes-end\.\n/],
    ['an empty path', [...reference, '--out', ''], /^--out was given nothing; was it a variable that is not set\?\n/],
  ])('%s', (_name, args, sentence) => expectRefused(args, sentence))
})

describe('places', () => {
  const dangling = path.join(folder, 'dangling')
  symlinkSync(path.join(folder, 'nowhere', 'at all'), dangling)
  test.each<[string, string, string]>([
    ['below a file', path.join(file('a-file', ''), 'runs'), 'ENOTDIR'],
    ['that is a file', file('another-file', ''), 'ENOTDIR'],
    ['of the kernel', '/proc/runs', 'ENOENT'],
    ['below a link to nowhere', dangling, 'ENOENT'],
    ['with a name that is too long', path.join(folder, 'x'.repeat(300), 'runs'), 'ENAMETOOLONG'],
  ])('an output folder %s', async (_name, out, code) => {
    const sentence = new RegExp(`^Nothing can be written to the output folder .* \\(${code}\\); give another one with --out\\.\n$`)
    await expectRefused([...reference, '--out', out], sentence)
  })

  test('an output folder that is made for a run goes with its refusal', async () => {
    const above = path.join(folder, 'new')
    await expectRefused([...reference, '--out', path.join(above, 'deeper'), '--vcl', '/nowhere'], /^The VCL \/nowhere cannot be read \(ENOENT\)/)
    expect(existsSync(above)).toBe(false)
  })

  test('an output folder that was there stays, with what is in it', async () => {
    const there = path.join(folder, 'there')
    mkdirSync(there)
    const kept = file('there/kept', '')
    await expectRefused([...reference, '--out', there, '--vcl', '/nowhere'], /^The VCL/)
    expect(existsSync(kept)).toBe(true)
  })

  test('a folder for temporary data that is not there', async () => {
    const missing = path.join(folder, 'missing')
    const sentence = /^Nothing can be written to the folder for temporary data .*missing \(ENOENT\); set TMPDIR to another one\.\n$/
    await expectRefused(reference, sentence, { env: { TMPDIR: missing } })
    expect(existsSync(missing)).toBe(false)
  })
})

describe('the configuration of the cache', () => {
  test.each<[string, string[], RegExp]>([
    ['has one name', ['--vcl', 'a.vcl', '--edge-config', 'a.vcl'], /^--vcl and --edge-config both name the configuration of the cache; give one of them\.\n$/],
    ['is for a cache that there is', ['--edge', 'squid'], /--edge.*squid.*varnish/],
    ['is not empty', ['--edge-config', ''], /^--edge-config was given nothing/],
  ])('%s', (_name, args, sentence) => expectRefused([...reference, ...args], sentence))
})

describe('a VCL', () => {
  test.each<[string, string, RegExp]>([
    ['that is not there', '/nowhere.vcl', /^The VCL \/nowhere\.vcl cannot be read \(ENOENT\)/],
    ['that is a folder', folder, /^The VCL .* cannot be read \(EISDIR\)/],
    [
      'that does not compile',
      file('wrong.vcl', 'vcl 4.1;\nbackend default { .host = "origin.example"; }\nsub vcl_recv {\n  set req.htp.x = "1";\n}\n'),
      /^\S+wrong\.vcl:4: Symbol not found: 'req\.htp\.x' at "set req\.htp\.x = "1";" \(said by Varnish's compiler\)\.\n/,
    ],
    ['that is empty', file('empty.vcl', ''), /^\S+bad-input-\w+\/empty\.vcl: No backends or directors found .*\(said by Varnish's compiler\)\.\n/],
    ['that is no text', file('bytes.vcl', Uint8Array.from({ length: 2_000 }, (_, n) => n * 151)), /^\S+bytes\.vcl/],
  ])('%s', (_name, vcl, sentence) => expectRefused([...reference, '--vcl', vcl], sentence))
})

if (!serverBinary) sayNotTested('Caddyfiles that are refused', 'DURABLE_STREAMS_SERVER_BIN is not set')

describe.skipIf(!serverBinary)('a Caddyfile', () => {
  test.each<[string, string, RegExp]>([
    ['that is not there', '/nowhere', /^The Caddyfile \/nowhere can not be read: ENOENT/],
    ['that is a folder', folder, /^The Caddyfile .* can not be read: EISDIR/],
    ['with a wrong directive', file('wrong.caddy', ':80 {\n  root /x\n  durable_strems {\n  }\n}\n'), /^\S+wrong\.caddy:3: unrecognized directive: durable_strems \(said by Caddy's adapter\)\.\n/],
    ['that ends too soon', file('open.caddy', ':80 {\n  durable_streams {\n'), /^\S+open\.caddy:2: .*EOF \(said by Caddy's adapter\)\.\n/],
    ['that serves no streams', file('none.caddy', ':80 {\n  respond ok\n}\n'), /^\S+none\.caddy has no durable_streams directive/],
    ['that is no text', file('bytes.caddy', Uint8Array.from({ length: 2_000 }, (_, n) => n * 151)), /^\S+bytes\.caddy:\d+: .*\(said by Caddy's adapter\)\.\n/],
  ])('%s', (_name, caddyfile, sentence) => expectRefused(['restart-keeps-data', '--caddyfile', caddyfile], sentence))
})

test('a Caddyfile for the reference server, which has none', () =>
  expectRefused([...reference, '--caddyfile', '/nowhere'], /^--caddyfile \/nowhere needs the production server/))

describe('a server', () => {
  const plain = file('not-executable', '#!/bin/sh\n')
  chmodSync(plain, 0o644)
  const name = '--server-bin'
  test.each<[string, string[], RegExp]>([
    ['that is missing', [name, '/nowhere'], /^--server-bin: \/nowhere does not exist;/],
    ['that is not executable', [name, plain], /^--server-bin: \S+not-executable is not executable;/],
    ['that is another program', [name, '/bin/ls'], /^--server-bin: \/bin\/ls is another program: asked "list-modules"/],
    ['and the reference server', [name, '/bin/ls', '--origin', 'reference'], /drop one of the two\.\n/],
    ['of an impossible version', ['--server-version', 'newest'], /^--server-version newest is not a version/],
    ['that cannot be had, where no other will do', ['--origin', 'caddy'], /^There is no production server for --origin caddy: .*--server-bin/],
  ])('%s', (_name, args, sentence) => expectRefused(['restart-keeps-data', ...args], sentence, { env: withoutServer, freshCache: true }))

  test('that the environment names wrongly', () =>
    expectRefused(['restart-keeps-data'], /^DURABLE_STREAMS_SERVER_BIN: \/nowhere does not exist;/, { env: { DURABLE_STREAMS_SERVER_BIN: '/nowhere' } }))

  test.skipIf(!plainCaddy)('that is a plain Caddy', () =>
    expectRefused(['restart-keeps-data', name, plainCaddy!], /is Caddy \S+ without the module http\.handlers\.durable_streams;/))

  test.skipIf(!serverBinary)('that is damaged', async () => {
    const damaged = path.join(folder, 'damaged')
    copyFileSync(serverBinary!, damaged)
    truncateSync(damaged, 10_000_000)
    await expectRefused(['restart-keeps-data', name, damaged], /is damaged: it has 10000000 bytes of at least \d+;/)
  })
})
