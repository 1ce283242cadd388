import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { vclMutations } from '../../../harness/edges/varnish/vcl-mutations.ts'

const small = `vcl 4.1;
backend origin { .host = "127.0.0.1"; }

# About all of it. [cdn-headers]
sub vcl_recv {
    unset req.http.A; # no row here: [nothing]
    # [cdn-urls, cdn-cursor]
    if (req.url ~ "a||b" && (req.http.B || req.http.C)) {
        return (pass);
    } elsif (req.http.D) {
        set req.http.E = "{;}";
    } else {
        call own;
    }
}

sub own { set req.grace = 10s; }
`

/** What is left of a mutation's line, or of all its lines. */
function changedLines(text: string): string[] {
  const before = small.split('\n')
  return text.split('\n').filter((line, index) => line !== before[index])
}

const mutations = vclMutations('small.vcl', small)
const byId = (id: string) => mutations.find((mutation) => mutation.id === `small.vcl:${id}`)!

describe('mutations of a VCL', () => {
  test('are statements, arms, conditions, their parts, and durations; each has its line', () => {
    expect(mutations.map((mutation) => mutation.id.replace('small.vcl:', ''))).toEqual([
      '6:delete',
      '8:without-arm',
      '8:negate',
      '8:without-part-1',
      '8:without-part-2',
      '9:delete',
      '10:without-arm',
      '10:negate',
      '11:delete',
      '12:without-arm',
      '13:delete',
      '17:delete',
      '17:10s-as-50ms',
    ])
  })

  test('name the rows of the nearest reason above, within their sub and the comments over it', () => {
    expect(byId('6:delete').rows).toEqual(['cdn-headers'])
    expect(byId('9:delete').rows).toEqual(['cdn-urls', 'cdn-cursor'])
    expect(byId('17:delete').rows).toEqual([])
  })

  test('take out what they say', () => {
    expect(changedLines(byId('6:delete').text)).toEqual(['     # no row here: [nothing]'])
    expect(changedLines(byId('11:delete').text)).toEqual(['        '])
    // What nothing calls is refused: it is called where nobody comes by.
    expect(changedLines(byId('13:delete').text)).toEqual(['        if (false) { call own; }'])
    expect(byId('11:delete').what).toBe('without "set req.http.E = "{;}";"')
    expect(changedLines(byId('17:10s-as-50ms').text)).toEqual(['sub own { set req.grace = 50ms; }'])
  })

  test('negate a condition, or drop a part of it', () => {
    expect(changedLines(byId('8:negate').text)).toEqual(['    if (!(req.url ~ "a||b" && (req.http.B || req.http.C))) {'])
    expect(changedLines(byId('8:without-part-1').text)).toEqual(['    if ((req.http.B || req.http.C)) {'])
    expect(changedLines(byId('8:without-part-2').text)).toEqual(['    if (req.url ~ "a||b") {'])
  })

  test('leave the rest of a chain whole', () => {
    expect(byId('8:without-arm').text).toContain('    if (req.http.D) {\n        set req.http.E')
    expect(byId('10:without-arm').text).toMatch(/return \(pass\);\n {4}\} {2}else \{\n {8}call own;/)
    expect(byId('12:without-arm').text).toMatch(/"\{;\}";\n {4}\} elsif \(false\) \{\n {8}call own;\n {4}\}\n\}/)
    const alone = vclMutations('x', 'sub a { if (b) { c; } else { d; } }')[0]!
    expect(alone.text).toBe('sub a { if (true) { d; } }')
  })
})

describe('mutations of the recommended VCL', () => {
  const source = readFileSync(path.resolve(import.meta.dirname, '../../../varnish/recommended.vcl'), 'utf8')
  const all = vclMutations('recommended.vcl', source)

  test('are many, each its own, each another text', () => {
    expect(all.length).toBeGreaterThan(200)
    expect(new Set(all.map((mutation) => mutation.id)).size).toBe(all.length)
    expect(new Set(all.map((mutation) => mutation.text)).size).toBe(all.length)
    expect(all.filter((mutation) => mutation.text === source)).toEqual([])
  })

  test('leave the places of what they do not touch', () => {
    for (const { id, line, text } of all) {
      expect(text.split('\n').slice(0, line - 2), id).toEqual(source.split('\n').slice(0, line - 2))
    }
  })

  test('have a row that should notice them, or a reason why none can', () => {
    expect(all.filter((mutation) => mutation.rows.length === 0 && mutation.excuse === undefined).map(({ id }) => id)).toEqual([])
  })
})
