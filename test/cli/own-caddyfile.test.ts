/** A user's Caddyfile that ends TLS itself, for names of its own, as most of them do in production. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { simulate } from './simulation.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'own-caddyfile-'))
afterAll(() => rmSync(folder, { recursive: true }))

const serverBin = process.env.DURABLE_STREAMS_SERVER_BIN
if (!serverBin) process.stderr.write('NOT TESTED: a Caddyfile that ends TLS (DURABLE_STREAMS_SERVER_BIN is not set)\n')

function caddyfile(site: string): string {
  const file = path.join(folder, 'Caddyfile')
  writeFileSync(file, `${site} {\n\troute /v1/stream/* {\n\t\tdurable_streams {\n\t\t\tdata_dir /var/lib/streams\n\t\t}\n\t}\n}\n`)
  return file
}

describe.skipIf(!serverBin)('a Caddyfile that ends TLS', () => {
  test.each([
    ['streams.example.com', 'DNS:streams.example.com'],
    ['*.example.com', 'DNS:simulation.example.com'],
  ])('for %s is judged by its own names, itself and behind the edge', { timeout: 120_000 }, async (site, name) => {
    const args = ['tls-edge-passes-everything', '--caddyfile', caddyfile(site)]
    const { code, stderr, simulation } = await simulate(args)
    await using running = simulation
    expect(code, stderr).toBe(2)
    const { checks } = running.result().scenarios[0]!
    expect(checks.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['chain-is-verified', 'pass'],
      ['plain-http-serves-nothing', 'pass'],
      ['events-pass-unbuffered', 'pass'],
    ])
    const evidence = checks[0]!.evidence.join('\n')
    expect(evidence).toMatch(new RegExp(`^tls offers-h2: verified.*${name}`, 'm'))
    expect(evidence).toMatch(/^origin-tls offers-h2: verified/m)
  })
})
