/**
 * One small change to a configuration, made to see whether anything notices. Pure; the languages find
 * what can be changed, here stands what all of them have in common.
 */
import { isRowId, type RowId } from './checklist.ts'

export interface Mutation {
  /** 'recommended.vcl:157:delete'; with '#2' behind it where a line has more than one of a kind. */
  id: string
  /** From 1. */
  line: number
  /** What was done, in a few words: 'without "set beresp.grace = 0s;"'. */
  what: string
  /** Rows that the reason above the line names: those that should turn red. */
  rows: RowId[]
  /** Why no row can: said at the line itself. */
  excuse?: Excuse
  /** The whole text, mutated. */
  text: string
}

/**
 * 'equivalent': nobody can tell the mutant from the line. 'unseen': somebody could, but not in these runs;
 * the reason says what it would take.
 */
export interface Excuse {
  kind: 'equivalent' | 'unseen'
  because: string
}

export interface Edit {
  /** Offsets in the source, the end exclusive. */
  start: number
  end: number
  put: string
}

/** A change that a language found. */
export interface Candidate extends Edit {
  /** 'delete', 'negate', '5s': the last part of the id. */
  kind: string
  what: string
  /** Line of its reason's last possible place, from 1. */
  line: number
  /** Reasons above this line belong to something else. */
  fromLine: number
}

const whatMax = 110

/** Candidates as mutations, in their order. `name` is the file's, without folders. */
export function mutationsOf(name: string, source: string, candidates: readonly Candidate[]): Mutation[] {
  const reasons = reasonsOf(source)
  const excuses = excusesOf(source)
  const seen = new Map<string, number>()
  return candidates.map(({ kind, what, line, fromLine, ...edit }) => {
    const id = `${name}:${line}:${kind}`
    const before = seen.get(id) ?? 0
    seen.set(id, before + 1)
    const excuse = isRemoval(kind) ? excuses.get(line) : undefined
    return {
      id: before === 0 ? id : `${id}#${before + 1}`,
      line,
      what: shorten(what),
      rows: nearest(reasons, fromLine, line),
      ...(excuse === undefined ? {} : { excuse }),
      text: source.slice(0, edit.start) + edit.put + source.slice(edit.end),
    }
  })
}

/** What is said of a line is about its being there at all. */
function isRemoval(kind: string): boolean {
  return kind === 'delete' || /^without-(arm|part)/.test(kind)
}

/** As much of a text as one line of a table holds. */
function shorten(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ')
  return flat.length <= whatMax ? flat : `${flat.slice(0, whatMax - 1)}…`
}

/** Rows in square brackets within comments that begin with `#` or `//`, by line. */
export function reasonsOf(source: string): Map<number, RowId[]> {
  const reasons = new Map<number, RowId[]>()
  for (const [index, text] of source.split('\n').entries()) {
    const comment = /(?:^|\s)(?:#|\/\/)(.*)$/.exec(text)?.[1] ?? ''
    const named = [...comment.matchAll(/\[([a-z0-9, -]+)\]/g)].flatMap((match) => match[1]!.split(/,\s*/)).filter(isRowId)
    if (named.length > 0) reasons.set(index + 1, named)
  }
  return reasons
}

/**
 * By line of code, what comments say of it in brackets: `(equivalent: …)` or `(unseen: …)`, behind it or in the
 * comment right above it. It holds for that line alone, of a condition for the condition itself; 'as above' is
 * for the reason before.
 */
export function excusesOf(source: string): Map<number, Excuse> {
  const excuses = new Map<number, Excuse>()
  let above: string[] = []
  let before: string | undefined
  for (const [index, text] of source.split('\n').entries()) {
    const [, code = '', comment = ''] = /^(.*?)(?:(?:^|\s)(?:#|\/\/)(.*))?$/.exec(text)!
    if (comment !== '') above.push(comment.trim())
    if (code.trim() === '' && comment !== '') continue
    const [, kind, said] = /\((equivalent|unseen): ([^()]+)\)/.exec(above.join(' ')) ?? []
    const because = said === 'as above' ? before : said
    above = []
    if (code.trim() === '' || because === undefined) continue
    excuses.set(index + 1, { kind: kind as Excuse['kind'], because })
    before = because
  }
  return excuses
}

function nearest(reasons: Map<number, RowId[]>, fromLine: number, line: number): RowId[] {
  for (let at = line; at >= fromLine; at -= 1) {
    const rows = reasons.get(at)
    if (rows !== undefined) return rows
  }
  return []
}

/** Another duration than this one, beyond every bound that matters: '0.998s' becomes '5s', '30s' '50ms'. */
export function otherDuration(text: string): string | null {
  const [, value, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  if (value === undefined) return null
  const seconds = Number(value) * { ms: 0.001, s: 1, m: 60, h: 3_600 }[unit as 'ms' | 's' | 'm' | 'h']
  return seconds <= 1 ? '5s' : '50ms'
}
