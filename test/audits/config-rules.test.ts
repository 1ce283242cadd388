/** Each rule on a Caddyfile or VCL that breaks it, and on one that looks alike and does not; on the project's own files. */
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, describe, expect, it } from 'vitest'
import { auditCaddyfile, auditEdge } from '../../harness/audit-config.ts'
import type { Finding } from '../../harness/audits/finding.ts'
import { findingsOf } from '../../harness/audits/row-parts.ts'
import { adaptCaddyfile, type AdaptedCaddyfile } from '../../harness/confine/caddyfile.ts'
import { confineVcl } from '../../harness/edges/varnish/confine.ts'
import { adaptWithStandIn } from '../../harness/confine/stand-in.ts'
import { defaultEdge } from '../../harness/edges/edges.ts'
import { rowsReadIn } from '../../harness/load-audits.ts'
import { plainCaddy, sayNotTested, serverBinary, varnishd } from '../confine/programs.ts'
import { marks, marksOf } from './audit-command.ts'

const root = path.resolve(import.meta.dirname, '../..')
const caddyfiles = path.join(import.meta.dirname, 'caddyfiles')
const vcls = path.join(import.meta.dirname, 'vcls')

type Adapt = (file: string) => Promise<AdaptedCaddyfile>
const adapters: [string, Adapt][] = []
if (plainCaddy !== null) adapters.push(['a plain Caddy', (file) => adaptWithStandIn({ caddyPath: plainCaddy!, file })])
if (serverBinary !== null) adapters.push(['the production server', (file) => adaptCaddyfile({ caddyPath: serverBinary!, file })])
if (adapters.length === 0) sayNotTested('audits of Caddyfiles', 'neither a Caddy nor the production server is here')

async function caddyfileFindings(adapt: Adapt, file: string, tlsInFront = false): Promise<Finding[]> {
  const expected = { streams: 1_000, openFilesMax: 20_000, tlsInFront }
  return findingsOf(await auditCaddyfile(await adapt(file), file, expected, path.dirname(file)))
}

async function vclFindings(file: string): Promise<Finding[]> {
  const read = await auditEdge(defaultEdge, { file, source: readFileSync(file, 'utf8') }, path.dirname(file))
  return findingsOf(read!)
}

function marked(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').flatMap((line, index) => marksOf(line, '#').map((mark) => `${path.basename(file)}:${index + 1} ${mark}`)).toSorted()
}

const rowOf = (name: string) => name.replace(/(\.[\w-]+)?-?(bad|good)\.\w+$/, '').replace(/\..*$/, '')

function names(folder: string): string[] {
  return readdirSync(folder).filter((name) => /-(bad|good)\.\w+$/.test(name)).toSorted()
}

describe('the fixtures', () => {
  it.each([['caddyfile', caddyfiles], ['edge', vcls]] as const)('of %s are there for each rule: one that is red and one that is not', (kind, folder) => {
    const found = names(folder)
    for (const row of rowsReadIn(kind)) {
      expect(found).toContain(`${row}-good.${kind === 'edge' ? 'vcl' : 'Caddyfile'}`)
      expect(found.filter((name) => rowOf(name) === row && name.includes('-bad.'))).not.toEqual([])
    }
    expect([...new Set(found.map(rowOf))].toSorted()).toEqual(rowsReadIn(kind).toSorted())
  })
})

describe.each(adapters)('a Caddyfile read with %s', (_name, adapt) => {
  it.each(names(caddyfiles))('%s gets the findings that it is marked with, and no others', async (name) => {
    const findings = await caddyfileFindings(adapt, path.join(caddyfiles, name))
    expect(marks(findings)).toEqual(marked(path.join(caddyfiles, name)))
    expect(findings.every(({ rule }) => rule === rowOf(name))).toBe(true)
    expect(findings.some(({ severity }) => severity !== 'note')).toBe(name.includes('-bad.') && !name.includes('.long-'))
  })

  it.each(globSync('*Caddyfile', { cwd: path.join(root, 'caddy') }))('the project\'s own %s has no error and no warning', async (name) => {
    const findings = await caddyfileFindings(adapt, path.join(root, 'caddy', name))
    expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([])
  })

  it('leaves plain HTTP alone where TLS is known to end in front', async () => {
    expect(await caddyfileFindings(adapt, path.join(caddyfiles, 'https.beside-bad.Caddyfile'), true)).toEqual([])
  })
})

describe('a VCL', () => {
  it.each(names(vcls))('%s gets the findings that it is marked with, and no others', async (name) => {
    const findings = await vclFindings(path.join(vcls, name))
    expect(marks(findings)).toEqual(marked(path.join(vcls, name)))
    expect(findings.some(({ rule, severity }) => rule === rowOf(name) && severity !== 'note')).toBe(name.includes('-bad.') && !name.includes('.order-'))
  })

  const folder = mkdtempSync(path.join(tmpdir(), 'audited-vcl-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.skipIf(!varnishd).each(names(vcls))('%s is one that Varnish takes', async (name) => {
    const file = path.join(vcls, name)
    const { vcl } = confineVcl({ source: readFileSync(file, 'utf8'), file, backends: () => ({ host: '127.0.0.1', port: 1 }) })
    const confined = path.join(folder, name)
    writeFileSync(confined, vcl)
    const { exitCode, stderr } = await execa(varnishd!, ['-C', '-j', 'none', '-f', confined, '-n', path.join(folder, 'n')], { reject: false, timeout: 60_000 })
    expect(exitCode, stderr).toBe(0)
  }, 60_000)

  it('as recommended has no finding at all', async () => {
    expect(await vclFindings(path.join(root, 'varnish/recommended.vcl'))).toEqual([])
  })

  it('as Varnish has it built in keeps what changes, and shares no event stream', async () => {
    const findings = await vclFindings(path.join(root, 'varnish/stock.vcl'))
    expect(findings.map(({ rule, severity }) => `${severity} ${rule}`)).toEqual(['error cdn-collapse', 'warning cdn-freshness', 'note cdn-urls'])
    expect(findings.every(({ yieldsToMeasurement }) => yieldsToMeasurement)).toBe(true)
  })

  /** Each is recommended.vcl with one thing broken: what its text shows, and what only a run shows. */
  it.each([
    ['drops-etag', ['drops-etag.vcl:3 error cdn-headers']],
    ['drops-the-cursor', ['drops-the-cursor.vcl:3 error cdn-headers']],
    ['rewrites-cache-control', ['rewrites-cache-control.vcl:3 error cdn-headers']],
    ['keeps-what-is-missing', ['keeps-what-is-missing.vcl:5 warning cdn-freshness']],
    ['shares-nothing', ['shares-nothing.vcl:3 error cdn-collapse']],
    ['forgets-no-append', []],
    ['says-304-when-closed', []],
  ])('that is the twin %s is followed through all its restarts', async (twin, found) => {
    const findings = await vclFindings(path.join(root, `test/twins/vcl/${twin}.vcl`))
    expect(marks(findings).filter((mark) => mark.startsWith(twin))).toEqual(found)
  })
})
