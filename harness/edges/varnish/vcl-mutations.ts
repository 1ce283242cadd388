/** What can be changed in a VCL: statements, arms of conditions, conditions, durations. */
import { mutationsOf, otherDuration, type Candidate, type Mutation } from '../../mutation.ts'
import { readSubs, type Arm, type Condition, type Statement, type Sub } from './vcl-statements.ts'
import type { VclToken } from './vcl-tokens.ts'

/** Every mutation of a VCL's subs, in the order of the file. */
export function vclMutations(name: string, source: string): Mutation[] {
  const candidates = readSubs(source).flatMap((sub) => sub.statements.flatMap((statement) => ofStatement(source, sub, statement)))
  return mutationsOf(name, source, candidates)
}

type Found = Omit<Candidate, 'fromLine'>

function ofStatement(source: string, sub: Sub, statement: Statement): Candidate[] {
  const found = statement.kind === 'simple' ? [deletion(source, statement.tokens), ...durations(statement.tokens)] : []
  const own = found.map((candidate) => ({ ...candidate, fromLine: sub.reasonFromLine }))
  if (statement.kind === 'simple') return own
  return statement.arms.flatMap((arm, index) => [
    ...[withoutArm(source, statement.arms, index), ...(arm.condition ? ofCondition(source, arm.condition) : [])].map((candidate) => ({
      ...candidate,
      fromLine: sub.reasonFromLine,
    })),
    ...arm.statements.flatMap((inner) => ofStatement(source, sub, inner)),
  ])
}

function deletion(source: string, tokens: readonly VclToken[]): Found {
  const [first, last] = [tokens[0]!, tokens.at(-1)!]
  const text = source.slice(first.start, last.end)
  // A sub that nothing calls is refused: it is called where nobody comes by.
  const put = first.text === 'call' ? `if (false) { ${text} }` : ''
  return { kind: 'delete', what: `without "${text}"`, line: first.line, start: first.start, end: last.end, put }
}

function durations(tokens: readonly VclToken[]): Found[] {
  return tokens.flatMap((token) => {
    const put = token.kind === 'word' ? otherDuration(token.text) : null
    if (put === null) return []
    return [{ kind: `${token.text}-as-${put}`, what: `${put} instead of ${token.text}`, line: token.line, start: token.start, end: token.end, put }]
  })
}

/**
 * Without its first arm, the second one begins the chain; without its only arm there is none. An arm that
 * calls a sub stays where nobody comes by: a sub that nothing calls is refused.
 */
function withoutArm(source: string, arms: readonly Arm[], index: number): Found {
  const arm = arms[index]!
  const next = arms[index + 1]
  const words = source.slice(arm.keyword.start, arm.open.start).replaceAll(/\s#[^\n]*/g, '').trim()
  const what = `without the arm "${words}"`
  const found = { kind: 'without-arm', what, line: arm.keyword.line }
  if (source.slice(arm.open.end, arm.close.start).includes('call ')) return { ...found, start: arm.keyword.start, end: arm.open.start, put: index === 0 ? 'if (false) ' : 'elsif (false) ' }
  if (index > 0 || next === undefined) return { ...found, start: arm.keyword.start, end: arm.close.end, put: '' }
  // `else { … }` alone becomes `if (true) { … }`.
  const put = next.condition === null ? 'if (true) ' : 'if '
  const nextWords = next.condition === null ? next.open.start : next.condition.open.start
  return { ...found, start: arm.keyword.start, end: nextWords, put }
}

function ofCondition(source: string, condition: Condition): Found[] {
  const { open, close, parts } = condition
  const text = source.slice(open.end, close.start)
  const { line } = open
  const negated: Found = { kind: 'negate', what: `not (${text.trim()})`, line, start: open.end, end: close.start, put: `!(${text})` }
  const dropped = parts.length < 2 ? [] : parts.map((part, index): Found => {
    const [from, to] = [part[0]!, part.at(-1)!]
    const start = index === 0 ? from.start : parts[index - 1]!.at(-1)!.end
    const end = index === 0 ? parts[1]![0]!.start : to.end
    return { kind: `without-part-${index + 1}`, what: `condition without "${source.slice(from.start, to.end)}"`, line: from.line, start, end, put: '' }
  })
  return [negated, ...dropped, ...durations(parts.flat())]
}
