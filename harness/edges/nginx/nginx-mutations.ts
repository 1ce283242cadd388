/** What can be changed in an nginx configuration: directives with their blocks, and durations. */
import { EditedSource } from '../../confine/edited-source.ts'
import { mutationsOf, otherDuration, type Candidate, type Mutation } from '../../mutation.ts'
import { readDirectives, tokenizeNginx, type Directive } from './directives.ts'

/** Blocks without which there is nothing left to judge. */
const kept = new Set(['http', 'server', 'events', 'location'])

export function nginxMutations(name: string, source: string): Mutation[] {
  const lines = source.split('\n').map((_text, index) => ({ file: name, line: index + 1 }))
  const directives = readDirectives(new EditedSource(source, lines, tokenizeNginx(source)))
  return mutationsOf(name, source, directives.flatMap((directive) => ofDirective(source, directive)))
}

function ofDirective(source: string, { name, args, block, last }: Directive): Candidate[] {
  const common = { line: name.line, fromLine: 1 }
  const deletion = { ...common, kind: 'delete', what: `without "${source.slice(name.start, last.end)}"`, start: name.start, end: last.end, put: '' }
  const durations = args.flatMap((arg) => {
    const put = otherDuration(arg.text)
    if (put === null) return []
    return [{ ...common, kind: `${arg.text}-as-${put}`, what: `${put} instead of ${arg.text}`, start: arg.start, end: arg.end, put }]
  })
  const inner = (block ?? []).flatMap((directive) => ofDirective(source, directive))
  return [...(kept.has(name.value) ? [] : [deletion]), ...durations, ...inner]
}
