/** What a VCL's text tells, and what it does not. */
import { describe, expect, it } from 'vitest'
import { evaluateVcl, isOpaque, nameOf, opaque, type VclValue } from '../../../harness/edges/varnish/vcl-expressions.ts'
import { vclFacts } from '../../../harness/edges/varnish/vcl-facts.ts'
import { tokenizeVcl } from '../../../harness/edges/varnish/vcl-tokens.ts'

const known: Record<string, VclValue> = { 'req.url': '/a?offset=2&live=sse', 'req.http.host': opaque('host'), 'beresp.ttl': 60, 'beresp.status': 404 }
const value = (source: string) => {
  const found = evaluateVcl(tokenizeVcl(source), (name) => (name in known ? known[name] : name.includes('.http.') ? undefined : opaque(name)))
  return isOpaque(found) ? nameOf(found) : found
}

describe('an expression', () => {
  it.each([
    ['req.url ~ "[?&]live=sse(?:&|$)"', true],
    ['req.url !~ "(?i)OFFSET=" || beresp.status == 404', true],
    ['!(req.url ~ "live" && beresp.ttl > 30s)', false],
    ['beresp.ttl - 1m == 0s', true],
    ['!req.http.Cookie', true],
    ['req.http.Cookie ~ "x"', false],
    ['req.http.Cookie == "x" || req.http.Cookie != "x"', true],
    ['regsub(req.url, "\\?(.*)$", ";\\1")', '/a;offset=2&live=sse'],
    ['regsuball(req.url, "[a-z]+=", "")', '/a?2&sse'],
    ['std.querysort(req.url) + "!" + {"long "string"}', '/a?live=sse&offset=2!long "string'],
    ['"a" "b" req.http.None', 'ab'],
    ['"$1 costs" + regsub("x", "(x)", "$1")', '$1 costs$1'],
  ])('%s is told', (source, found) => {
    expect(value(source)).toBe(found)
  })

  it.each(['req.http.host == "a"', 'obj.hits > 0', 'req.url ~ "(?>atomic)"', 'geoip.code(req.url)', 'req.url ~', '(', 'true && obj.hits > 0', 'now - beresp.ttl'])('%s is not', (source) => {
    expect(value(source)).toMatch(/^</)
  })

  it('is decided by what is known of it, where that is enough', () => {
    expect(value('obj.hits > 0 && beresp.status == 200')).toBe(false)
    expect(value('obj.hits > 0 || beresp.status == 404')).toBe(true)
  })
})

const head = 'vcl 4.1;\nbackend b { .host = "127.0.0.1"; }\n'
const acts = (text: string) => vclFacts({ file: '/x.vcl', source: head + text }, (place) => place).acts

describe('a text', () => {
  it('that changes a header under a condition it does not decide says "perhaps"', () => {
    const found = acts('sub vcl_deliver { if (req.http.User-Agent ~ "curl") { unset resp.http.ETag; } }')
    expect(found.find(({ kind }) => kind === 'header')).toMatchObject({ header: 'etag', how: 'dropped', certainty: 'perhaps', place: { line: 3, column: 55 } })
  })

  it('that brings a header back has not dropped it', () => {
    const found = acts('sub vcl_backend_response { set beresp.http.X = beresp.http.ETag; unset beresp.http.ETag; }\nsub vcl_deliver { set resp.http.ETag = resp.http.X; unset resp.http.X; }')
    expect(found.filter(({ kind }) => kind === 'header')).toEqual([])
  })

  it('whose code is never reached says nothing', () => {
    expect(acts('sub vcl_deliver { return (deliver); unset resp.http.ETag; }\nsub unused { unset resp.http.ETag; }').filter(({ kind }) => kind === 'header')).toEqual([])
  })

  it('that asks readers who differ into one hash shares over that, and over nothing else', () => {
    const shares = (text: string) => acts(text).flatMap((act) => (act.kind === 'shares-over' ? [act.difference] : []))
    expect(shares('sub vcl_hash { hash_data(req.url); return (lookup); }')).toEqual([])
    expect(shares('sub vcl_hash { hash_data(regsub(req.url, "^[^?]*", "")); return (lookup); }')).toEqual(['path'])
    expect(shares('sub vcl_recv { return (hash); }')).toEqual(['authorization', 'cookie'])
    expect(shares('sub vcl_recv { return (hash); }\nsub vcl_hash { hash_data(req.http.Authorization); hash_data(req.http.Cookie); }')).toEqual([])
    expect(shares('sub vcl_recv { return (hash); }\nsub vcl_backend_response { if (bereq.http.Authorization || bereq.http.Cookie) { set beresp.uncacheable = true; } }')).toEqual([])
    expect(shares('sub vcl_recv { return (hash); }\nsub vcl_backend_response { set beresp.http.Vary = "Authorization, Cookie"; }')).toEqual([])
  })

  it('that makes names of what only it knows is not taken to make the same ones', () => {
    const text = 'import std;\nsub vcl_hash { hash_data(std.random(0, 9)); return (lookup); }'
    expect(acts(text).filter(({ kind }) => kind === 'shares-over')).toEqual([])
  })

  it('of more ways than can be followed says nothing', () => {
    const doubts = Array.from({ length: 12 }, (_, n) => `if (req.http.Host == "h${n}") { set req.http.X-${n} = "x"; }`).join('\n')
    const facts = vclFacts({ file: '/x.vcl', source: `${head}sub vcl_recv {\n${doubts}\n}\nsub vcl_deliver { unset resp.http.ETag; }` }, (place) => place)
    expect(facts).toMatchObject({ followed: 0, acts: [] })
  })
})
