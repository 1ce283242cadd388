/** No production code imports the development server. Pure. */
import type { Finding, RuleOutcome } from '../finding.ts'
import type { AppFacts, AppRule } from '../rule.ts'
import type { PackageFile } from '../source/packages.ts'
import { packageOf } from '../source/packages.ts'
import { neverInProduction } from '../source/guards.ts'
import { serverPackage } from '../source/known-packages.ts'
import type { Facts } from '../source/client-uses.ts'
import type { SourceFile } from '../source/project.ts'
import type { Node } from '../source/syntax.ts'
import { wholeText } from '../source/values.ts'

const testServer = 'DurableStreamTestServer'
const fix = 'Run the released Caddy server with a Caddyfile, and keep this import to tests.'

export default { row: 'server-production', things: ['source file', 'source files'], judge: serverProduction } satisfies AppRule

function serverProduction({ packages, ...facts }: AppFacts): RuleOutcome {
  const judged = [...facts.roles].filter(([file, role]) => role !== 'test' && facts.project.texts.get(file)?.judged)
  const findings = judged.flatMap(([file]) => {
    const at = facts.project.file(file)
    return at ? at.syntax.nodes.flatMap((node) => importAt(node, at, facts, packages)) : []
  })
  const examined = [...facts.project.texts.values()].filter(({ judged: own }) => own).length
  return { examined, findings: [...findings, ...packages.flatMap(listedAsDependency)] }
}

function importAt(node: Node, at: SourceFile, facts: Facts, packages: readonly PackageFile[]): Finding[] {
  const names = importedNames(node, at, facts)
  if (names === null || neverInProduction(node, at, facts.evaluator)) return []
  const place = at.syntax.placeOf(node)
  const isServer = names.length === 0 || names.includes(testServer)
  if (!isServer) return [{ rule: 'server-production', severity: 'note', ...place, message: `This takes ${names.join(', ')} out of the development server's package.`, fix: 'Nothing has to be done as long as no server is started from it.' }]
  const message = `This imports ${testServer} of ${serverPackage}: it keeps streams in one process, and is not made for production.`
  const because = excuse(at.file, facts, packages)
  if (because) return [{ rule: 'server-production', severity: 'note', ...place, message: `${message} ${because}`, fix }]
  return [{ rule: 'server-production', severity: 'error', ...place, message, fix }]
}

/** Why it is likely that this never runs in production. */
function excuse(file: string, { roles }: Facts, packages: readonly PackageFile[]): string | null {
  if (roles.get(file) === 'development') return 'By its name this file is for development only.'
  const own = packageOf(file, packages)
  const developmentOnly = own?.devDependencies.includes(serverPackage) && !own.dependencies.includes(serverPackage)
  return developmentOnly ? `It is among the devDependencies of ${own!.file} only, so production should not have it.` : null
}

/** The names taken out of the package; an empty list is all of it, null is another node. */
function importedNames(node: Node, at: SourceFile, { evaluator }: Facts): string[] | null {
  switch (node.type) {
    case 'ImportDeclaration': {
      if (node.source.value !== serverPackage || node.importKind === 'type') return null
      const used = node.specifiers.filter((one) => one.type !== 'ImportSpecifier' || one.importKind !== 'type')
      if (node.specifiers.length > 0 && used.length === 0) return null
      return used.some((one) => one.type !== 'ImportSpecifier') ? [] : used.flatMap((one) => (one.type === 'ImportSpecifier' ? nameOf(one.imported) : []))
    }
    case 'ExportNamedDeclaration': {
      if (node.source?.value !== serverPackage || node.exportKind === 'type') return null
      const used = node.specifiers.filter((one) => one.exportKind !== 'type').map((one) => nameOf(one.local))
      return used.length === 0 ? null : used
    }
    case 'ExportAllDeclaration':
      return node.source.value === serverPackage && node.exportKind !== 'type' ? [] : null
    case 'ImportExpression':
      return wholeText(evaluator.evaluate(node.source, at)) === serverPackage ? takenFrom(node, at) : null
    case 'CallExpression': {
      const isRequire = node.callee.type === 'Identifier' && node.callee.name === 'require' && node.arguments.length === 1
      return isRequire && wholeText(evaluator.evaluate(node.arguments[0]!, at)) === serverPackage ? takenFrom(node, at) : null
    }
    default:
      return null
  }
}

/** `const { name } = await import(…)`, `(await import(…)).name`; all of it elsewhere. */
function takenFrom(node: Node, at: SourceFile): string[] {
  let taken: Node | undefined = at.syntax.parentOf(node)
  while (taken?.type === 'AwaitExpression' || taken?.type === 'ParenthesizedExpression') taken = at.syntax.parentOf(taken)
  if (taken?.type === 'MemberExpression' && !taken.computed && taken.property.type === 'Identifier') return [taken.property.name]
  if (taken?.type !== 'VariableDeclarator' || taken.id.type !== 'ObjectPattern') return []
  return taken.id.properties.flatMap((one) => (one.type === 'Property' && one.key.type === 'Identifier' ? [one.key.name] : []))
}

function nameOf(node: Node): string {
  return node.type === 'Identifier' ? node.name : node.type === 'Literal' ? String(node.value) : ''
}

function listedAsDependency({ file, dependencies, placeOf }: PackageFile): Finding[] {
  if (!dependencies.includes(serverPackage)) return []
  const message = `${serverPackage}, the development server, is among the dependencies that production installs.`
  return [{ rule: 'server-production', severity: 'note', file, ...placeOf(serverPackage), message, fix: 'Move it to devDependencies.' }]
}
