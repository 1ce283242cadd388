/** Where in a configuration file a setting stands, for the sentence that says what is wrong with it. */
import { readFile } from 'node:fs/promises'
import type { Node, Syntax } from '../audits/source/syntax.ts'

/** As zod names places: names of properties, and places in lists. */
export type SettingPath = readonly PropertyKey[]

/**
 * ':12:5', or what is known of it: of a setting that was computed the one around it, and '' for a file in which
 * nothing can be found.
 */
export async function placeOfSetting(file: string, setting: SettingPath): Promise<string> {
  try {
    // The parser is a native program of some megabytes: only who has something to tell waits for it.
    const { Syntax: Parsed } = await import('../audits/source/syntax.ts')
    const syntax = new Parsed(file, await readFile(file, 'utf8'))
    const node = nodeOf(syntax, setting)
    if (node === null) return ''
    const { line, column } = syntax.placeOf(node)
    return `:${line}:${column}`
  } catch {
    return ''
  }
}

function nodeOf(syntax: Syntax, setting: SettingPath): Node | null {
  const exported = syntax.program.body.find((one) => one.type === 'ExportDefaultDeclaration')
  let found: Node | null = null
  let value = exported && valueOf(exported.declaration, syntax)
  for (const step of setting) {
    const next: Node | null = value ? memberOf(value, step) : null
    if (next === null) break
    found = next
    value = valueOf(next.type === 'Property' ? next.value : next, syntax)
  }
  return found ?? exported ?? null
}

function memberOf(value: Node, step: PropertyKey): Node | null {
  if (value.type === 'ArrayExpression') return typeof step === 'number' ? (value.elements[step] ?? null) : null
  if (value.type !== 'ObjectExpression') return null
  return value.properties.find((one) => one.type === 'Property' && !one.computed && nameOf(one.key) === step) ?? null
}

function nameOf(key: Node): unknown {
  if (key.type === 'Identifier') return key.name
  return key.type === 'Literal' ? key.value : undefined
}

/** Through `defineConfig(…)`, `satisfies`, parentheses and a constant of the file. */
function valueOf(node: Node, { program }: Syntax): Node {
  for (let [at, steps] = [node, 0]; steps < 10; steps += 1) {
    const inner = innerOf(at, program.body)
    if (inner === null) return at
    at = inner
  }
  return node
}

function innerOf(node: Node, body: readonly Node[]): Node | null {
  if (node.type === 'CallExpression') return node.arguments[0] ?? null
  if (node.type === 'TSSatisfiesExpression' || node.type === 'TSAsExpression' || node.type === 'ParenthesizedExpression') return node.expression
  if (node.type !== 'Identifier') return null
  const constants = body.flatMap((one) => (one.type === 'VariableDeclaration' ? one.declarations : []))
  return constants.find(({ id }) => id.type === 'Identifier' && id.name === node.name)?.init ?? null
}
