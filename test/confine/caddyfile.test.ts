import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { adaptCaddyfile, readSources } from '../../harness/confine/caddyfile.ts'
import { confineCaddyConfig, countListeners } from '../../harness/confine/caddy-config.ts'
import { simulatedSecret, variablesFor } from '../../harness/confine/environment.ts'
import { objectAt } from '../../harness/confine/json.ts'
import { UsageError } from '../../harness/errors.ts'
import { plainCaddy, sayNotTested, serverBinary } from './programs.ts'

let folder = ''
const own = (name: string) => join(import.meta.dirname, '../../caddy', name)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caddyfile-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

const local = {
  listen: (n: number) => `127.0.0.1:${20_000 + n}`,
  dataDir: '/run/data',
  storageDir: '/run/storage',
  logDir: '/run/logs',
  adminSocket: null,
}

describe('readSources', () => {
  test('lists imports, also by pattern, and the variables of all of them', () => {
    write('sites/a.caddy', 'respond {$A}\n')
    write('sites/b.caddy', 'import ../snippets.caddy\nrespond {env.B}\n')
    write('snippets.caddy', '(s) {\n\trespond {$C:x} # {$NOT_READ}\n}\n')
    const file = write(
      'Caddyfile',
      'import sites/*.caddy\n:80 {\n\timport s\n\timport missing.caddy\n}\n',
    )
    const { files, variables } = readSources(file)
    expect(files).toEqual([
      file,
      ...['sites/a.caddy', 'sites/b.caddy', 'snippets.caddy'].map((name) => join(folder, name)),
    ])
    expect(variables.map(({ name, hasDefault, line }) => [name, hasDefault, line])).toEqual([
      ['A', false, 1],
      ['C', true, 2],
      ['B', false, 2],
    ])
  })

  test('names a file that can not be read', () => {
    expect(() => readSources(join(folder, 'none'))).toThrow(
      /^The Caddyfile .*none can not be read: ENOENT/,
    )
  })

  test('survives files that import each other', () => {
    const file = write('Caddyfile', 'import other\n')
    write('other', 'import Caddyfile\n')
    expect(readSources(file).files).toHaveLength(2)
  })
})

test('variablesFor gives what the caller has, but no secret', () => {
  const given = variablesFor(['DOMAIN', 'UNSET', 'CF_API_TOKEN'], {
    DOMAIN: 'x.example',
    CF_API_TOKEN: 'real',
    OTHER: 'y',
  })
  expect(given).toEqual({ DOMAIN: 'x.example', CF_API_TOKEN: simulatedSecret })
})

const programs = [
  ['a plain Caddy', plainCaddy],
  ['the production server', serverBinary],
] as const

for (const [name, program] of programs) {
  if (program === null) sayNotTested(`adapting with ${name}`, 'the program was not found')
}

describe.for(programs)('adaptCaddyfile with %s', ([, program]) => {
  const adapt = (file: string, environment = {}) =>
    adaptCaddyfile({ caddyPath: program ?? '', file, environment })

  test.skipIf(!program)('says what the adapter says, with file and line', async () => {
    const file = write('Caddyfile', ':80 {\n\tdurable_streamz\n}\n')
    await expect(adapt(file)).rejects.toThrow(
      new UsageError(
        `${file}:2: unrecognized directive: durable_streamz (said by Caddy's adapter).`,
      ),
    )
  })

  test.skipIf(!program)('names the imported file an error is in', async () => {
    const imported = write('part.caddy', 'respond 200\nnonsense\n')
    const file = write('Caddyfile', ':80 {\n\timport part.caddy\n}\n')
    await expect(adapt(file)).rejects.toThrow(`${imported}:2: `)
  })

  test.skipIf(!program)('names variables that are not set when it fails', async () => {
    const file = write('Caddyfile', '{$DOMAIN} {\n\tnonsense\n}\n')
    await expect(adapt(file)).rejects.toThrow(/variables that are not set: DOMAIN\.$/)
  })

  test.skipIf(!program)('gives only the variables it is told to', async () => {
    process.env.CADDYFILE_TEST_SECRET = 'hunter2'
    try {
      const file = write(
        'Caddyfile',
        ':80 {\n\trespond "{$CADDYFILE_TEST_SECRET}{$GIVEN}{$HOME}"\n}\n',
      )
      const { json } = await adapt(file, { GIVEN: 'given' })
      expect(JSON.stringify(json)).toContain('given')
      expect(JSON.stringify(json)).not.toContain('hunter2')
      expect(JSON.stringify(json)).not.toContain(
        process.env.HOME === '/' ? 'hunter2' : `${process.env.HOME}"`,
      )
    } finally {
      delete process.env.CADDYFILE_TEST_SECRET
    }
  })

  test.skipIf(!program)('an empty file is an error, and no temporary folder stays', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('caddy-adapt-'))
    await expect(adapt(write('Caddyfile', '# nothing\n'))).rejects.toBeInstanceOf(UsageError)
    const after = readdirSync(tmpdir()).filter((name) => name.startsWith('caddy-adapt-'))
    expect(after.filter((name) => !before.includes(name))).toEqual([])
  })

  test.skipIf(!program)(
    "adapts the project's TLS edge, which then ends TLS and redirects",
    async () => {
      const { json, warnings } = await adapt(own('tls-edge.Caddyfile'), {
        TLS_EDGE_UPSTREAM: '127.0.0.1:6081',
      })
      const { listeners, refused, config } = confineCaddyConfig(json, local)
      expect(warnings).toEqual([])
      expect(refused).toEqual([])
      expect(listeners.map(({ original, tls, hosts }) => ({ original, tls, hosts }))).toEqual([
        { original: ':443', tls: true, hosts: ['localhost'] },
        { original: ':80', tls: false, hosts: [] },
      ])
      expect(objectAt(config, 'apps', 'http', 'servers', 'srv0').protocols).toEqual(['h1', 'h2'])
      expect(countListeners(json)).toBe(4)
    },
  )
})

test('a program that is no Caddy is an error of use', async () => {
  const file = write('Caddyfile', ':80\n')
  await expect(adaptCaddyfile({ caddyPath: join(folder, 'nothing'), file })).rejects.toBeInstanceOf(
    UsageError,
  )
})

test.skipIf(!serverBinary)("the project's origin sets what a production file should", async () => {
  const { json } = await adaptCaddyfile({ caddyPath: serverBinary ?? '', file: own('Caddyfile') })
  const { capabilities, refused, changes } = confineCaddyConfig(json, local)
  expect(refused).toEqual([])
  expect(changes.map(({ to }) => to)).toContain('/run/data')
  expect(capabilities).toMatchObject({
    streamHandlers: 1,
    dataDirSet: true,
    maxFileHandles: 1_000,
    longPollTimeoutMs: 30_000,
    sseReconnectIntervalMs: 60_000,
    streamRoutes: ['/v1/stream/*'],
    streamListeners: ['127.0.0.1:20004'],
    endsTls: false,
    auth: [],
  })
})
