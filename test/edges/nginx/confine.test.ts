import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { nginxError, testNginx } from '../../../harness/edges/nginx/compile.ts'
import { confineNginx } from '../../../harness/edges/nginx/confine.ts'
import { tokenizeNginx } from '../../../harness/edges/nginx/directives.ts'
import { findProgram } from '../../../harness/provision/find-program.ts'
import { sayNotTested } from '../../confine/programs.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const hostile = path.join(import.meta.dirname, 'hostile.conf')
const folder = mkdtempSync(path.join(tmpdir(), 'nginx-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const place = { port: 1234, upstreamPort: 5678, folder: '/run-folder', user: null }

function confine(source: string, file = '/etc/nginx/nginx.conf') {
  return confineNginx({ source, file, ...place })
}

function confineFile(file: string) {
  return confine(readFileSync(file, 'utf8'), file)
}

/** A whole configuration around what is to be tried. */
function around(inHttp: string, inLocation = ''): string {
  return `events { }\nhttp { ${inHttp}\nserver { listen 80; location / { proxy_pass http://a.example; ${inLocation} } } }\n`
}

describe('tokens', () => {
  test('are words, quoted or not, and marks', () => {
    const text = `map $a $b { "~^x{2};" 'it''s'; ~\\;z ${'${b}'}c; } # no word`
    expect(tokenizeNginx(text).map((token) => token.value)).toEqual(['map', '$a', '$b', '{', '~^x{2};', 'it', 's', ';', '~\\;z', '${b}c', ';', '}'])
  })

  test('have their lines', () => {
    expect(tokenizeNginx('a\n"b\nc" # d\ne;').map(({ text, line }) => [text, line])).toEqual([['a', 1], ['"b\nc"', 2], ['e', 4], [';', 4]])
  })

  test('cover every text, and lie where they say', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '$', '{', '}', ';', '"', "'", '#', '\\', ' ', '\n') }), (text) => {
        for (const token of tokenizeNginx(text)) expect(text.slice(token.start, token.end)).toBe(token.text)
      }),
    )
  })
})

describe('a configuration from production', () => {
  const { text, changes, lines } = confineFile(hostile)

  test('names nothing but loopback, and no place but the run folder', () => {
    const left = tokenizeNginx(text).map((token) => token.value)
    expect(left.filter((word) => /example|10\.\d|syslog|\.sock|ssl|\/(var|run|etc)\//.test(word))).toEqual(['streams.corp.example'])
    expect(left.filter((word) => word.startsWith('/')).filter((word) => !word.startsWith('/run-folder/'))).toEqual(['/v1/', '/other/'])
  })

  test('asks the origin of the run, and keeps paths, upstreams and their settings', () => {
    const passes = [...text.matchAll(/proxy_pass ([^;]*);/g)].map((match) => match[1])
    expect(passes).toEqual(['http://streams', 'http://127.0.0.1:5678/x${uri}', 'http://127.0.0.1:5678'])
    const members = [...text.matchAll(/^\s*server ([^;{]*);/gm)].map((match) => match[1])
    expect(members).toEqual(['127.0.0.1:5678 weight=2 max_fails=3', '127.0.0.1:5678', '127.0.0.1:5678'])
  })

  test('listens once, where the run wants it', () => {
    expect([...text.matchAll(/listen ([^;]*);/g)].map((match) => match[1])).toEqual(['127.0.0.1:1234 backlog=1024'])
    expect(text).not.toContain('return 301')
  })

  test('leaves the values of a map alone', () => {
    expect(text).toContain(`load_module "a value of the user's own";`)
  })

  test('keeps its lines', () => {
    const own = readFileSync(hostile, 'utf8').split('\n')
    const at = text.split('\n').findIndex((line) => line.includes('keepalive 8;'))
    expect(lines[at]).toEqual({ file: hostile, line: own.findIndex((line) => line.includes('keepalive 8;')) + 1 })
    const part = text.split('\n').findIndex((line) => line.includes('worker_connections'))
    expect(lines[part]).toEqual({ file: path.join(import.meta.dirname, 'hostile-part.conf'), line: 2 })
  })

  test('shows each change with its place', () => {
    const shown = changes.map((change) => `${change.path.replace(`${import.meta.dirname}/`, '')}: ${change.because}`)
    expect(shown).toEqual(
      expect.arrayContaining([
        "hostile.conf:2 user: it runs as the simulation's own user",
        'hostile.conf:20 server: nothing outside loopback is reached',
        'hostile.conf:26 server: it has no proxy_pass, so it serves no stream',
        'hostile.conf:40 proxy_ssl_verify: the local origin speaks plain HTTP',
      ]),
    )
  })
})

describe('the recommended and the stock configuration', () => {
  test.each(['nginx/recommended.conf', 'nginx/stock.conf'])('%s needs no change but its places', (file) => {
    const { changes } = confineFile(path.join(root, file))
    const changed = changes.map((change) => change.path.split(' ').at(-1))
    expect(new Set(changed)).toEqual(new Set(['proxy_cache_path', 'listen', file.includes('stock') ? 'proxy_pass' : 'server']))
  })
})

describe('what can not be simulated is refused with its place', () => {
  test.each<[string, string, RegExp]>([
    ['a module', `load_module modules/ngx_http_lua_module.so;\n${around('')}`, /^\/etc\/nginx\/nginx\.conf:1: the directive "load_module" can not be simulated: a module can do anything\.$/],
    ['code', around('lua_package_path x;'), /nginx\.conf:2: the directive "lua_package_path" can not be simulated: it runs code of its own\.$/],
    ['code in a location', around('', 'content_by_lua_block { os.exit() }'), /content_by_lua_block.*code of its own/],
    ['another protocol', around('', 'fastcgi_pass b.example;'), /"fastcgi_pass" can not be simulated: it speaks to something else/],
    ['TCP', `${around('')}stream { server { listen 1; } }`, /:4: the directive "stream" can not be simulated: only http/],
    ['a directive nobody knows', around('own_module on;'), /"own_module" can not be simulated: it is not among/],
    ['a host from a variable', around('', 'proxy_pass http://$backend;'), /nginx\.conf:3: the host "\$backend" of this proxy_pass can not be moved/],
    ['a socket', around('', 'proxy_pass http://unix:/run/a.sock:/;'), /the host "unix:.*" of this proxy_pass/],
    ['a quote that does not end', around('', 'set $a "b;'), /nginx\.conf:3: this quote is never closed/],
    ['a block that does not end', 'events { }\nhttp {\n server {', /nginx\.conf:3: the block of "server" is never closed/],
    ['a block too many', `${around('')}}`, /nginx\.conf:4: this "}" closes nothing/],
    ['a directive that does not end', 'events { worker_connections 3 }', /nginx\.conf:1: the directive "worker_connections" has no end/],
    ['a part of a configuration', 'server { listen 80; }', /nginx\.conf: there is no http block/],
    ['no stream at all', 'http { server { listen 80; root /srv; } }', /nginx\.conf:1: no server of this http block has a proxy_pass/],
    ['an include that is not there', 'include nowhere.conf;', /nginx\.conf:1: the included file can not be read: ENOENT/],
  ])('%s', (_name, source, sentence) => {
    expect(() => confine(source)).toThrow(sentence)
  })
})

const program = findProgram('nginx', process.env)
if (!program) sayNotTested('what nginx says of a configuration', 'nginx was not found')

describe.skipIf(!program)('nginx itself', () => {
  async function ask(source: string, file: string): Promise<void> {
    const workDir = path.join(folder, 'work')
    mkdirSync(workDir, { recursive: true })
    const { text, lines } = confineNginx({ source, file, ...place, folder: workDir, user: process.getuid?.() === 0 ? 'root' : null })
    const confined = path.join(folder, 'confined.conf')
    writeFileSync(confined, text)
    await testNginx({ program: program!, file: confined, workDir, lines })
  }

  test.each([hostile, path.join(root, 'nginx/recommended.conf'), path.join(root, 'nginx/stock.conf')])('takes %s once it is confined', async (file) => {
    await expect(ask(readFileSync(file, 'utf8'), file)).resolves.toBeUndefined()
  })

  test("says what is wrong, in the user's own line", async () => {
    const source = `events { }\n\n${around('proxy_cache_valid 200 soon;').replace('events { }\n', '')}`
    await expect(ask(source, '/etc/nginx/nginx.conf')).rejects.toThrow(/^\/etc\/nginx\/nginx\.conf:3: invalid time value "soon" in directive|^\/etc\/nginx\/nginx\.conf:3: invalid time value "soon" \(said by nginx\)\.$/)
  })

  test('what names no line is told all the same', () => {
    expect(nginxError('nginx: [emerg] no "events" section in configuration', 'x', [{ file: 'mine.conf', line: 1 }])).toBe('mine.conf: no "events" section in configuration (said by nginx).')
  })
})
