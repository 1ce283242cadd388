/** The public command over a Caddyfile and a VCL: what it prints, writes and ends with. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inRepository } from '../../harness/tell-findings.ts'
import { plainCaddy, sayNotTested, serverBinary } from '../confine/programs.ts'
import { audit } from './audit-command.ts'

const canAdapt = plainCaddy !== null || serverBinary !== null
if (!canAdapt) sayNotTested('npm run audit -- --caddyfile', 'neither a Caddy nor the production server is here')

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'audit-command-'))
  mkdirSync(path.join(folder, '.git'))
  mkdirSync(path.join(folder, 'deploy/parts'), { recursive: true })
  writeFileSync(path.join(folder, 'deploy/Caddyfile'), 'import parts/*.caddy\n\nhttp://:4437 {\n\troute /v1/stream/* {\n\t\timport streams /tmp/streams\n\t}\n}\n')
  writeFileSync(path.join(folder, 'deploy/parts/streams.caddy'), '(streams) {\n\tdurable_streams {\n\t\tdata_dir {args[0]}\n\t}\n}\n')
  writeFileSync(path.join(folder, 'edge.vcl'), 'vcl 4.1;\nbackend b { .host = "127.0.0.1"; }\nsub vcl_deliver { unset resp.http.ETag; }\n')
  writeFileSync(path.join(folder, 'broken.vcl'), 'vcl 4.1;\nbackend b { .host = "127.0.0.1; }\n')
  writeFileSync(path.join(folder, 'Broken'), 'http://:4437 {\n\troute /v1/stream/* {\n\t\tdurable_streams {\n\t\t}\n\t\tno_such_directive\n\t}\n}\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const clean = { GITHUB_ACTIONS: '', GITHUB_WORKSPACE: '' }

describe.skipIf(!canAdapt)('over a Caddyfile', () => {
  it('prints file:line:col, also of an imported file, and writes SARIF beside it', async () => {
    const { stdout, exitCode } = await audit(['--caddyfile', 'deploy/Caddyfile', '--vcl', 'edge.vcl', '--sarif', 'out/audit.sarif'], folder, clean)
    expect(stdout).toMatch(/^deploy\/parts\/streams\.caddy:3:12: error: data_dir \/tmp\/streams is below \/tmp.* \[persistence-data-dir\]$/m)
    expect(stdout).toMatch(/^edge\.vcl:3:19: error: ETag is taken away.* \[cdn-headers\]$/m)
    expect(stdout).not.toContain('::error')
    expect(exitCode).toBe(1)
    const { runs } = JSON.parse(readFileSync(path.join(folder, 'out/audit.sarif'), 'utf8')) as { runs: { results: { locations: { physicalLocation: { artifactLocation: { uri: string } } }[] }[] }[] }
    const uris = runs[0]!.results.map((one) => one.locations[0]!.physicalLocation.artifactLocation.uri)
    expect([...new Set(uris)]).toEqual(['deploy/Caddyfile', 'deploy/parts/streams.caddy', 'edge.vcl'])
  })

  it('has the same findings as JSON, and fewer where fewer streams are expected', async () => {
    const read = async (...more: string[]) => {
      const { stdout } = await audit(['--caddyfile', 'deploy/Caddyfile', '--json', ...more], folder, { ...clean, GITHUB_ACTIONS: 'true' })
      return (JSON.parse(stdout) as { findings: Record<string, unknown>[] }).findings
    }
    const findings = await read()
    for (const one of findings) expect(Object.keys(one)).toEqual(expect.arrayContaining(['rule', 'severity', 'file', 'line', 'column', 'message', 'fix']))
    expect(findings.map(({ rule }) => rule)).toContain('file-handles')
    expect((await read('--streams', '100')).map(({ rule }) => rule)).not.toContain('file-handles')
  })

  it('refuses one that Caddy refuses, with its place', async () => {
    const { exitCode, stderr } = await audit(['--caddyfile', 'Broken'], folder, clean)
    expect(stderr).toMatch(/\/Broken:\d: .*no_such_directive/)
    expect(exitCode).toBe(64)
  })
})

describe('over a VCL', () => {
  it('annotates in GitHub Actions, with paths from the root of the checkout', async () => {
    const { stdout } = await audit(['--vcl', 'edge.vcl'], folder, { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: path.dirname(folder) })
    expect(stdout).toContain(`\n::error title=cdn-headers,file=${path.basename(folder)}/edge.vcl,line=3,col=19::ETag is taken away`)
  })

  it.each([
    [['--vcl', 'none.vcl'], 'cannot be read (ENOENT)'],
    [['--vcl', 'broken.vcl'], 'broken.vcl:2: a comment or a text has no end'],
    [['--vcl', 'deploy/Caddyfile'], 'is no VCL'],
    [['--caddyfile', 'none'], 'can not be read'],
    [['--vcl', 'edge.vcl', '--sarif', 'edge.vcl/x'], '--sarif edge.vcl/x cannot be written'],
    [['--streams', 'many'], '--streams takes a whole number'],
  ])('refuses %j in one sentence', async (args, words) => {
    const { exitCode, stderr } = await audit(args, folder, clean)
    expect(stderr).toContain(words)
    expect(exitCode).toBe(64)
  })
})

it('a file is named from the root of its repository', () => {
  expect(inRepository(path.join(folder, 'deploy/Caddyfile'), {})).toBe('deploy/Caddyfile')
  expect(inRepository(path.join(folder, 'deploy/Caddyfile'), { GITHUB_WORKSPACE: path.join(folder, 'deploy') })).toBe('Caddyfile')
  expect(inRepository('/etc/caddy/Caddyfile', {})).toBe('/etc/caddy/Caddyfile')
})
