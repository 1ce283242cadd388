import fc from 'fast-check'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { confineVcl, type ConfineVclOptions } from '../../../harness/edges/varnish/confine.ts'
import { compileVcl } from '../../../harness/edges/varnish/compile.ts'
import { tokenizeVcl } from '../../../harness/edges/varnish/vcl-tokens.ts'
import { parseVarnishdParameters } from '../../../harness/edges/varnish/varnishd-parameters.ts'
import { UsageError } from '../../../harness/errors.ts'
import { sayNotTested, varnishd } from '../../confine/programs.ts'

let folder = ''
const hostile = join(import.meta.dirname, 'hostile.vcl')

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vcl-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const toLocal: ConfineVclOptions['backends'] = () => ({ host: '127.0.0.1', port: 4437 })

function confine(source: string, file = '/user/default.vcl') {
  return confineVcl({ source, file, backends: toLocal })
}

function confineFile(file: string) {
  return confine(readFileSync(file, 'utf8'), file)
}

/** Host names and addresses of backends and access lists, as Varnish would read them. */
function addressesLeft(vcl: string): string[] {
  const tokens = tokenizeVcl(vcl)
  return tokens.flatMap((token, index) => {
    const before = tokens
      .slice(Math.max(0, index - 3), index)
      .map(({ text }) => text)
      .join('')
    const isAddress = /^\.(host|port|path)=$/.test(before)
    return token.kind === 'string' && isAddress ? [token.value] : []
  })
}

describe('tokenizeVcl', () => {
  test('knows comments and every kind of string', () => {
    const source = 'a # "x\n// b "\n/* c { */ "d # e" {"f " } g"} """h "i" j""" .k-l = 1.5s;'
    expect(tokenizeVcl(source).map(({ kind, value }) => `${kind} ${value}`)).toEqual([
      'word a',
      'string d # e',
      'string f " } g',
      'string h "i" j',
      'mark .',
      'word k-l',
      'mark =',
      'word 1.5s',
      'mark ;',
    ])
  })

  test('loses nothing but blanks and comments', () => {
    const piece = fc.constantFrom(
      'a',
      'b1',
      '"x"',
      '{"y',
      '"}',
      '"""',
      '{',
      '}',
      ';',
      '.',
      '#c\n',
      '/*d*/',
      ' ',
      '\n',
      'C{',
      '}C',
      '"',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const source = pieces.join('')
        for (const { text, start, end, line } of tokenizeVcl(source)) {
          expect(source.slice(start, end)).toBe(text)
          expect(line).toBe(source.slice(0, start).split('\n').length)
        }
      }),
    )
  })
})

describe('confineVcl', () => {
  test('moves every backend of a hostile file to loopback and lists what it was', () => {
    const { vcl, backends, refused, reads } = confineFile(hostile)
    expect(addressesLeft(vcl)).toEqual([
      '127.0.0.1',
      '4437',
      '127.0.0.1',
      '4437',
      '127.0.0.1',
      '4437',
    ])
    expect(backends.map(({ name, original, line }) => [name, original, line])).toEqual([
      ['primary', 'origin-1.corp.example:4437', 15],
      ['second', '10.9.8.7:https', 22],
      ['socket', '/run/corp/origin.sock', 25],
    ])
    expect(refused.map(({ address }) => address)).toEqual([
      'origin-1.corp.example',
      '10.9.8.7',
      '/run/corp/origin.sock',
      'admin.corp.example',
    ])
    expect(reads.map(({ file }) => file)).toEqual(['/etc/os-release'])
    for (const gone of [
      'probe',
      'corp_health',
      'proxy_header',
      'admin.corp.example',
      'std.syslog',
      'include',
    ]) {
      expect(tokenizeVcl(vcl).map(({ value }) => value)).not.toContain(gone)
    }
    expect(vcl).toContain('.host_header = "streams.corp.example"')
  })

  test('shows no secret of a probe', () => {
    const shown = JSON.stringify(confineFile(hostile).changes)
    expect(shown).not.toContain('4c1f0b7d9e2a')
    expect(shown).not.toContain('probe-secret-7c')
  })

  test('keeps every line where it was, so that messages name the right one', () => {
    const { vcl, lines } = confineFile(hostile)
    const texts = vcl.split('\n')
    const where = (text: string) => lines[texts.findIndex((line) => line.includes(text))]
    expect(where('sub vcl_init')).toEqual({ file: hostile, line: 35 })
    expect(where('return (purge)')?.line).toBe(7)
    expect(where('return (purge)')?.file).toMatch(/hostile-part\.vcl$/)
    expect(where('sub vcl_deliver')).toEqual({ file: hostile, line: 44 })
  })

  test('any backend in any form ends on loopback, the second time without a change', () => {
    const value = fc.constantFrom(
      'evil.example.net',
      '10.1.2.3',
      '::1',
      '[2001:db8::1]:80',
      '127.0.0.1.evil.example',
      '/run/x.sock',
    )
    const quote = fc.constantFrom<(text: string) => string>(
      (text) => `"${text}"`,
      (text) => `{"${text}"}`,
      (text) => `"""${text}"""`,
    )
    const gap = fc.constantFrom(' ', '\n', ' # } "\n', '/* { */', ' // ;\n')
    const setting = fc
      .tuple(
        fc.constantFrom('host', 'path', 'port', 'host_header', 'probe', 'via'),
        value,
        quote,
        gap,
      )
      .map(
        ([name, text, quoted, space]) =>
          `${space}.${space}${name}${space}=${space}${name === 'probe' ? `{ .url = ${quoted(text)}; }` : quoted(text)}${name === 'probe' ? '' : space + ';'}`,
      )
    const backend = fc
      .tuple(gap, fc.array(setting, { minLength: 1, maxLength: 4 }))
      .map(([space, all]) => `backend${space}b${space}{${all.join(space)}}\n`)
    fc.assert(
      fc.property(fc.array(backend, { minLength: 1, maxLength: 3 }), (backends) => {
        const source = `vcl 4.1;\n${backends.join('')}`
        const once = confine(source)
        expect(
          addressesLeft(once.vcl).filter((text) => !['127.0.0.1', '4437'].includes(text)),
        ).toEqual([])
        expect(once.vcl.split('\n')).toHaveLength(source.split('\n').length)
        const twice = confine(once.vcl)
        expect(twice.vcl).toBe(once.vcl)
        expect(twice.changes).toEqual([])
      }),
    )
  })

  test('leaves alone what only looks like a backend', () => {
    const source =
      'vcl 4.1;\n# backend a { .host = "x"; }\nbackend none_ none;\nsub vcl_recv {\n  set req.http.a = {"backend b { .host = "y"; }"};\n}\n'
    expect(confine(source).vcl).toBe(source)
  })

  test.each([
    ['s.ip(req.http.a, client.ip)', 's.ip(req.http.a, client.ip, resolve = false)'],
    ['s.ip(req.http.a, client.ip, true)', 's.ip(req.http.a, client.ip, false)'],
    [
      's.ip(req.http.a, "10.0.0.1", resolve = true)',
      's.ip(req.http.a, "10.0.0.1", resolve = false)',
    ],
    ['s.ip(s.tolower("a, b"), client.ip, false)', 's.ip(s.tolower("a, b"), client.ip, false)'],
    ['s.syslog(s.integer("1", 2), "x, y" + now)', 's.log( "x, y" + now)'],
    ['other.syslog(1, "x")', 'other.syslog(1, "x")'],
  ])('%s becomes %s', (from, to) => {
    const wrap = (call: string) => `vcl 4.1;\nimport std as s;\nsub x { ${call}; }\n`
    const once = confine(wrap(from))
    expect(once.vcl).toBe(wrap(to))
    expect(once.changes).toHaveLength(from === to ? 0 : 1)
    expect(confine(once.vcl).changes).toEqual([])
  })

  test('a backend nothing stands in for answers 503 by being none', () => {
    const source = 'vcl 4.1;\nbackend a {\n  .host = "x.example";\n}\nbackend b { .host = "y"; }\n'
    const { vcl, refused } = confineVcl({
      source,
      file: 'f',
      backends: (name) => (name === 'b' ? { host: '127.0.0.1', port: 1 } : null),
    })
    expect(vcl).toBe(
      'vcl 4.1;\nbackend a none;\n\n\nbackend b { .host = "127.0.0.1"; .port = "1"; }\n',
    )
    expect(refused[0]?.address).toBe('x.example:80')
  })

  test.each([
    ['inline C', 'sub vcl_recv {\n  C{ system("x"); }C\n}', 3],
    ['a dynamic director', 'import dynamic;', 2],
    ['a module that opens connections', 'import std;\nimport curl;', 3],
    ["a module from a file of one's own", 'import std from "/home/x/std.so";', 2],
    ['a string without an end', 'backend a { .host = "x; }\n', 2],
    ['a comment without an end', '/* backend a', 2],
    ['a setting nobody knows', 'backend a {\n  .host = "x";\n  .ssl = 1;\n}', 4],
    ['a backend below the top level', 'sub x {\n  backend a { .host = "x"; }\n}', 3],
    [
      'a name that would be looked up',
      'import std;\nsub x { set req.http.a = std.ip("a.example", client.ip); }',
      3,
    ],
    ['a missing include', '\ninclude "./nothing-here.vcl";', 3],
  ])('%s is an error of use that names the line', (_name, source, line) => {
    expect(() => confine(`vcl 4.1;\n${source}\n`)).toThrow(UsageError)
    expect(() => confine(`vcl 4.1;\n${source}\n`)).toThrow(`/user/default.vcl:${line}: `)
  })

  test('includes that never end are an error of use', () => {
    const file = join(folder, 'a.vcl')
    writeFileSync(file, 'vcl 4.1;\ninclude "./a.vcl";\n')
    expect(() => confineFile(file)).toThrow(/a\.vcl:\d: includes go more than 20 files deep/)
  })

  test('includes are found by pattern and in the folders of Varnish', () => {
    mkdirSync(join(folder, 'parts'))
    writeFileSync(join(folder, 'parts/1.vcl'), 'backend a { .host = "a.example"; }')
    writeFileSync(join(folder, 'parts/2.vcl'), 'vcl 4.0;\nbackend b { .host = "b.example"; }')
    const source = 'vcl 4.1;\ninclude +glob "./parts/*.vcl";\ninclude "1.vcl";\n'
    const options = {
      source,
      file: join(folder, 'main.vcl'),
      backends: toLocal,
      vclPath: [join(folder, 'parts')],
    }
    const { backends, files } = confineVcl(options)
    expect(backends.map(({ name }) => name)).toEqual(['a', 'b', 'a'])
    expect(files).toHaveLength(3)
  })
})

describe('parseVarnishdParameters', () => {
  test('reads the comments before the first line of code, and no others', () => {
    const source =
      '# A cache.\n\n// varnishd -p thread_pools=2\n# varnishd -p workspace_client=256k\nvcl 4.1;\n// varnishd -p late=1\n'
    expect(parseVarnishdParameters(source)).toEqual([
      { name: 'thread_pools', value: '2' },
      { name: 'workspace_client', value: '256k' },
    ])
  })

  test.each([
    'varnishd -p cc_command=evil',
    'varnishd -p vcc_allow_inline_c=on',
    'varnishd -a :80',
    'varnishd -p x=1 -p y=2',
    'varnishd -p x=$(id)',
  ])('refuses "%s"', (asked) =>
    expect(() => parseVarnishdParameters(`// ${asked}`, 'f.vcl')).toThrow(/^f\.vcl:1: /),
  )
})

if (!varnishd) sayNotTested('what the VCL compiler says', 'no varnishd was found')

describe.skipIf(!varnishd)('compileVcl', () => {
  const compile = async (file: string, more: object = {}) => {
    const confined = confineFile(file)
    const copy = join(folder, 'confined.vcl')
    writeFileSync(copy, confined.vcl)
    await compileVcl({
      varnishdPath: varnishd ?? '',
      file: copy,
      workDir: join(folder, 'work'),
      lines: confined.lines,
      ...more,
    })
    return confined
  }
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const backend =
    'backend default {\n  .host = "origin.example";\n  .probe = { .url = "/";\n  }\n}\n'

  test('accepts the hostile file once it is confined', async () => {
    expect((await compile(hostile)).backends).toHaveLength(3)
  })

  test("gives the compiler's words with the user's line", async () => {
    const file = write('a.vcl', `vcl 4.1;\n${backend}sub vcl_recv {\n  oops;\n}\n`)
    await expect(compile(file)).rejects.toThrow(
      new UsageError(
        `${file}:8: Symbol not found: 'oops' at "oops;" (said by Varnish's compiler).`,
      ),
    )
  })

  test('names the included file an error is in', async () => {
    const part = write('part.vcl', '# first\nsub vcl_recv {\n  set req.url = ;\n}')
    const file = write('b.vcl', `vcl 4.1;\n${backend}include "./part.vcl";\n`)
    await expect(compile(file)).rejects.toThrow(`${part}:3: `)
  })

  test('says that a module is not installed', async () => {
    const file = write('c.vcl', `vcl 4.1;\n\nimport xkey;\n${backend}`)
    await expect(compile(file)).rejects.toThrow(`${file}:3: Could not find VMOD xkey`)
  })

  test('says that there is no C compiler', async () => {
    const file = write('d.vcl', `vcl 4.1;\n${backend}`)
    await expect(compile(file, { ccCommand: 'no-such-compiler %s' })).rejects.toThrow(
      /^Varnish needs a C compiler/,
    )
  })
})
