/** The text of a Caddyfile with its places, held to what Caddy's own lexer makes of it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allDirectives, readDirectives, type Directive } from '../../harness/confine/caddyfile-directives.ts'
import { tokenizeCaddyfile } from '../../harness/confine/caddyfile-tokens.ts'
import { withStandIns } from '../../harness/confine/stand-in.ts'

const values = (source: string) => tokenizeCaddyfile(source).map(({ value }) => value)
const read = (files: Record<string, string>, environment: Record<string, string> = {}) => readDirectives('/Caddyfile', { read: (file) => files[file] ?? null, environment })
const shown = ({ words, block }: Directive): string => `${words.map(({ value }) => value).join(' ')}${block ? ` {${block.map(shown).join('; ')}}` : ''}`

describe('tokens', () => {
  it.each([
    ['a "b c" d', ['a', 'b c', 'd']],
    ['"say \\"so\\" \\n" x', ['say "so" \\n', 'x']],
    ['`a "b" \\` c', ['a "b" \\', 'c']],
    ['a#b c # no', ['a#b', 'c']],
    ['respond <<END\n  two\n  lines\n  END 200', ['respond', '  two\n  lines\n', '200']],
    ['a {$B:c d} "', ['a', '{$B:c', 'd}', '']],
    ['', []],
  ])('of %j', (source, found) => {
    expect(values(source)).toEqual(found)
  })

  it('have the line and column they begin at, behind what runs over lines, too', () => {
    const tokens = tokenizeCaddyfile('a "b\nc" d\n\te \\\n  f\ng')
    expect(tokens.map(({ value, line, column }) => [value, line, column])).toEqual([['a', 1, 1], ['b\nc', 1, 3], ['d', 2, 4], ['e', 3, 2], ['f', 4, 3], ['g', 5, 1]])
  })

  it('cover any text from its beginning to its end, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('{', '}', '"', '`', '#', '\\', '\n', ' ', '\t', 'word', '<<E\n', 'E', 'import ', 'durable_streams', '(s)')).map((parts) => parts.join('')), (source) => {
        const tokens = tokenizeCaddyfile(source)
        expect(tokens.every(({ start, end }, index) => end > start && end <= source.length && start >= (tokens[index - 1]?.end ?? 0))).toBe(true)
        read({ '/Caddyfile': source })
        // The stand-in changes words, never lines.
        expect(withStandIns(source).split('\n')).toHaveLength(source.split('\n').length)
      }),
    )
  })
})

describe('directives', () => {
  it('are those of snippets and imported files, with their arguments and own places', () => {
    const { options, sites } = read({
      '/Caddyfile': '{\n\tadmin off\n}\nimport parts/one.caddy\na.example,\nb.example {\n\timport streams /var/x 7\n}\n',
      '/parts/one.caddy': '(streams) {\n\tdurable_streams {\n\t\tdata_dir {args[0]}\n\t\tmax_file_handles {args.1}\n\t}\n}\nc.example {\n\trespond hi\n}\n',
    })
    expect(options.map(shown)).toEqual(['admin off'])
    expect(sites.map(({ addresses }) => addresses.map(({ value }) => value))).toEqual([['c.example'], ['a.example', 'b.example']])
    expect(sites[1]!.block.map(shown)).toEqual(['durable_streams {data_dir /var/x; max_file_handles 7}'])
    const dataDir = allDirectives(sites[1]!.block).find(({ words }) => words[0]!.value === 'data_dir')!
    expect(dataDir.words[1]!.place).toEqual({ file: '/parts/one.caddy', line: 3, column: 12 })
  })

  it('have the variables of the environment, or their defaults', () => {
    const { sites } = read({ '/Caddyfile': ':80\nroot {$ROOT:/srv}/{$NAME:x} {$NONE}\n' }, { NAME: 'own' })
    expect(sites.map(({ block }) => block.map(shown))).toEqual([['root /srv/own ']])
  })

  it('end where files or snippets import themselves', () => {
    const { sites } = read({ '/Caddyfile': 'import Caddyfile\n(s) {\n\timport s\n}\n:80 {\n\timport s\n\timport Caddyfile\n}\n' })
    expect(sites.length).toBeGreaterThan(0)
  })
})

describe('the stand-in', () => {
  it.each([
    ['durable_streams', 'vars durable_streams_stand_in yes'],
    ['durable_streams {\n\tdata_dir /x\n}', 'vars durable_streams_stand_in yes {\n\tdata_dir /x\n}'],
    ['durable_streams /v1/* {', 'vars /v1/* durable_streams_stand_in yes {'],
    ['order durable_streams before respond', 'order vars before respond'],
    ['respond "durable_streams"', 'respond "durable_streams"'],
    ['# durable_streams', '# durable_streams'],
  ])('for %j', (source, made) => {
    expect(withStandIns(source)).toBe(made)
  })
})
