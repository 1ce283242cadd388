/** `compilerOptions.paths` of a tsconfig.json, which is JSON with comments. Pure. */
import path from 'node:path'
import { Evaluator } from './evaluate.ts'
import { Project, type PathAlias } from './project.ts'
import { markedText, type Value } from './values.ts'

/** `folder` is where the file stands, with a slash behind. What it extends is not followed. */
export function aliasesOf(text: string, folder: string): PathAlias[] {
  const project = new Project([{ file: 'tsconfig.js', text: `export default ${text}`, inPackage: 'tsconfig.js', judged: false }])
  const evaluator = new Evaluator(project)
  const options = evaluator.member(evaluator.member({ kind: 'module', file: 'tsconfig.js' }, 'default'), 'compilerOptions')
  const base = markedText(evaluator.member(options, 'baseUrl')) ?? '.'
  const paths = evaluator.member(options, 'paths')
  if (paths.kind !== 'object') return []
  return [...paths.props].map(([pattern, targets]) => ({ pattern, targets: textsOf(targets).map((target) => path.posix.join(folder, base, target)) }))
}

function textsOf(value: Value): string[] {
  return value.kind === 'array' ? value.items.flatMap((item) => markedText(item) ?? []) : []
}
