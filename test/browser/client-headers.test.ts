/** The headers are taken out of the client that is installed, by its syntax tree. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync, Visitor } from 'oxc-parser'
import { describe, expect, it } from 'vitest'
import { clientHeaders } from '../../harness/browser/client-headers.ts'
import { askedHeaders } from '../../harness/steps/page-preflights.ts'

interface Node {
  type: string
  [key: string]: unknown
}

const file = fileURLToPath(import.meta.resolve('@durable-streams/client'))

/** Of answers that the client makes up of events, for its own use. */
const madeUp = ['stream-cursor', 'stream-next-offset', 'stream-up-to-date']

describe('the headers of the client', () => {
  const found = headersIn(readFileSync(file, 'utf8'))

  it('are of the version that is installed', () => {
    const { version } = JSON.parse(readFileSync(path.join(path.dirname(file), '..', 'package.json'), 'utf8')) as { version: string }
    expect(version).toBe(clientHeaders.version)
  })

  it('that it reads are all known', () => {
    expect([...found.reads].toSorted()).toEqual(clientHeaders.reads)
  })

  it('that it sends are all known, and all asked for by a preflight', () => {
    expect([...found.sends].filter((name) => !madeUp.includes(name)).toSorted()).toEqual(clientHeaders.sends)
    expect([...askedHeaders()]).toEqual(expect.arrayContaining([...clientHeaders.sends]))
  })
})

describe('a header', () => {
  it('is found however it is named', () => {
    const source = "const A = `X-A`\nr.headers.get(A); r.headers.has('x-b'); e.headers[`x-c`]\nrequestHeaders[A] = '1'; const h = { [A]: 1, 'x-d': 2 }; map.get('x-e')"
    expect(headersIn(source)).toEqual({ reads: new Set(['x-a', 'x-b', 'x-c']), sends: new Set(['x-a']) })
  })
})

/** Read: `….headers.get(name)`, `.has(name)`, `….headers[name]`. Sent: `…headers[name] = `, and names of constants as keys. */
function headersIn(source: string): { reads: Set<string>; sends: Set<string> } {
  const reads = new Set<string>()
  const sends = new Set<string>()
  const constants = new Map<string, string>()
  const nodes: Node[] = []
  const keep = (node: unknown) => void nodes.push(node as Node)
  new Visitor({ VariableDeclarator: keep, CallExpression: keep, MemberExpression: keep, AssignmentExpression: keep, Property: keep }).visit(parseSync('client.js', source).program)
  for (const { type, id, init } of nodes) {
    const text = type === 'VariableDeclarator' ? textOf(init) : null
    if (text !== null) constants.set(String((id as Node)['name']), text)
  }
  const nameOf = (node: unknown) => (textOf(node) ?? constants.get(String((node as Node)['name'])))?.toLowerCase()
  const assigned = new Set(nodes.map(({ type, left }) => (type === 'AssignmentExpression' ? left : null)))
  for (const node of nodes) {
    const callee = node['callee'] as Node | undefined
    const called = callee?.type === 'MemberExpression' ? String((callee['property'] as Node)['name']) : ''
    if (node.type === 'CallExpression' && /^(get|has)$/.test(called) && isHeaders(callee!['object'])) add(reads, nameOf((node['arguments'] as unknown[])[0]))
    if (node.type === 'MemberExpression' && node['computed'] && isHeaders(node['object'])) add(assigned.has(node) ? sends : reads, nameOf(node['property']))
    if (node.type === 'Property' && node['computed']) add(sends, constants.get(String((node['key'] as Node)['name']))?.toLowerCase())
  }
  return { reads, sends }
}

function add(to: Set<string>, name: string | undefined): void {
  if (name !== undefined) to.add(name)
}

/** `headers`, `response.headers`, `requestHeaders`. */
function isHeaders(node: unknown): boolean {
  const { type, name, property } = node as Node
  return /headers$/i.test(String(type === 'MemberExpression' ? (property as Node)['name'] : name))
}

function textOf(node: unknown): string | null {
  const { type, value, quasis } = (node ?? {}) as Node
  if (type === 'Literal' && typeof value === 'string') return value
  const parts = type === 'TemplateLiteral' ? (quasis as { value: { cooked: string } }[]) : []
  return parts.length === 1 ? parts[0]!.value.cooked : null
}
