/**
 * The real thing: servers started from files that name production everywhere, watched by the
 * kernel. Nothing may leave loopback and nothing may be written outside the run's folder.
 */
import { execa } from 'execa'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Answers } from './hostile-world.ts'
import { plainCaddy, sayNotTested, serverBinary, varnishd } from './programs.ts'

const here = import.meta.dirname
const fixture = (name: string) => join(here, 'fixtures', name)
const watchScript = join(here, 'watch.sh')
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

interface Watched {
  readonly written: string[]
  /** Attempts to reach an address that is not on loopback. */
  readonly attempts: number
  readonly answers: Answers
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-world-'))
  folders.push(folder)
  return folder
}

async function watch(caddy: string, caddyfile: string, ...more: string[]): Promise<Watched> {
  const folder = newFolder()
  const program = [process.execPath, join(here, 'hostile-world.ts'), folder, caddy]
  const files = [fixture(caddyfile), varnishd ?? '-', join(here, '../edges/varnish/hostile.vcl')]
  const args = [watchScript, folder, ...program, ...files, ...more]
  // What Node keeps of the harness's own files is not written by the world.
  const env = { TMPDIR: folder, NODE_DISABLE_COMPILE_CACHE: '1' }
  const { stdout } = await execa('sh', args, { env, timeout: 50_000 })
  const answers = JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8')) as Answers
  return { ...readFindings(stdout), answers }
}

function readFindings(stdout: string): Omit<Watched, 'answers'> {
  const lines = stdout.split('\n')
  const counts = lines.flatMap((line) => /^no-route ip[46] (\d+)$/.exec(line)?.[1] ?? [])
  expect(counts, 'the watch reports both counters').toHaveLength(2)
  const written = lines.filter((line) => line.startsWith('wrote ')).map((line) => line.slice(6))
  return { written, attempts: counts.reduce((sum, count) => sum + Number(count), 0) }
}

/** Null when this machine lets us watch, else why not. */
async function whyNoWatch(): Promise<string | null> {
  const folder = newFolder()
  const result = await execa('sh', [watchScript, folder, 'true'], { reject: false })
  return result.exitCode === 0 ? null : (result.stderr.split('\n')[0] ?? 'the watch failed')
}

const blind = await whyNoWatch()
rmSync(folders.pop() ?? '', { recursive: true, force: true })
if (blind) sayNotTested('that a hostile Caddyfile and VCL reach nothing', blind)
if (!serverBinary) {
  sayNotTested('hostile files with the production server', 'DURABLE_STREAMS_SERVER_BIN is not set')
}
if (!plainCaddy) sayNotTested('hostile files with a plain Caddy', 'no caddy was found')
if (!varnishd) sayNotTested('a hostile VCL', 'no varnishd was found')

describe.skipIf(blind !== null)('a world from hostile files', () => {
  test.skipIf(!serverBinary)('with the production server keeps to itself and works', async () => {
    const { written, attempts, answers } = await watch(serverBinary ?? '', 'hostile.Caddyfile')
    expect(written).toEqual([])
    expect(attempts).toBe(0)
    expect(answers.stream).toBe('kept')
    expect(answers.statuses).toMatchObject({ create: 201, read: 200, redirect: 308, '/api/x': 503 })
    expect(answers.location).toBe('https://streams.corp.example/v1/stream/hostile')
  })

  test.skipIf(!plainCaddy)('with a plain Caddy keeps to itself and works', async () => {
    const { written, attempts, answers } = await watch(plainCaddy ?? '', 'hostile-plain.Caddyfile')
    expect(written).toEqual([])
    expect(attempts).toBe(0)
    expect(answers.stream).toBe('a stream')
    expect(answers.statuses).toMatchObject({ read: 200, redirect: 308, '/php/x.php': 503 })
  })

  test.skipIf(!plainCaddy)('would be seen reaching out: the watch is not blind', async () => {
    const { written, attempts } = await watch(
      plainCaddy ?? '',
      'hostile-plain.Caddyfile',
      'reach-out',
    )
    expect(written).toEqual(['/etc/written-outside'])
    expect(attempts).toBe(2)
  })
})
