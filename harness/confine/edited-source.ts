/** A configuration being rewritten: its tokens, the edits so far, and what is to be said about them. */
import { UsageError } from '../errors.ts'
import type { Change, FileRead, Refusal } from './caddy-rules.ts'
import { redactText } from './redact.ts'
import { countLines, type SourceLine } from './includes.ts'

/** A piece of a source with its place. */
export interface SourceToken {
  /** As written. */
  readonly text: string
  /** Offsets in the source, the end exclusive. */
  readonly start: number
  readonly end: number
  /** From 1. */
  readonly line: number
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

export interface Edited {
  readonly token: SourceToken
  /** What is changed, in a few words. */
  readonly what: string
  readonly from: string
  readonly to: string | null
  readonly because: string
}

export class EditedSource<Token extends SourceToken> {
  readonly changes: Change[] = []
  readonly refused: Refusal[] = []
  readonly reads: FileRead[] = []
  readonly tokens: readonly Token[]
  readonly #edits: Edit[] = []
  readonly #text: string
  readonly #lines: readonly SourceLine[]

  /** `lines` says for each line of `text` where it came from. */
  constructor(text: string, lines: readonly SourceLine[], tokens: readonly Token[]) {
    this.#text = text
    this.#lines = lines
    this.tokens = tokens
  }

  /** The text with all edits; a part that lost lines gets them back empty. */
  result(): string {
    const edits = this.#edits.toSorted((a, b) => b.start - a.start)
    return edits.reduce((text, { start, end, text: put }) => {
      const missing = countLines(text.slice(start, end)) - countLines(put)
      return text.slice(0, start) + put + '\n'.repeat(Math.max(0, missing)) + text.slice(end)
    }, this.#text)
  }

  edit(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text })
  }

  slice(first: SourceToken, last: SourceToken): string {
    return this.#text.slice(first.start, last.end)
  }

  placeOf(token: SourceToken): SourceLine {
    return this.#lines[token.line - 1] ?? { file: '-', line: token.line }
  }

  error(token: SourceToken, words: string): UsageError {
    const { file, line } = this.placeOf(token)
    return new UsageError(`${file}:${line}: ${redactText(words)}.`)
  }

  change({ token, what, from, to, because }: Edited): void {
    const { file, line } = this.placeOf(token)
    const after = to === null ? null : redactText(to)
    this.changes.push({
      path: `${file}:${line} ${what}`,
      from: redactText(from),
      to: after,
      because,
    })
  }

  /** A change that takes out an address. */
  refuse(edited: Edited): void {
    this.change(edited)
    const { file, line } = this.placeOf(edited.token)
    this.refused.push({
      path: `${file}:${line} ${edited.what}`,
      address: redactText(edited.from),
      because: edited.because,
    })
  }

  /** Takes everything from one token to another out. */
  drop(first: SourceToken, last: SourceToken, what: string, because: string): void {
    this.edit(first.start, last.end, '')
    this.change({ token: first, what, from: this.slice(first, last), to: null, because })
  }
}
