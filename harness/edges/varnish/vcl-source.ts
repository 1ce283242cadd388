/** A VCL being rewritten: its tokens, the edits so far, and what is to be said about them. */
import { UsageError } from '../../errors.ts'
import type { Change, FileRead, Refusal } from '../../confine/caddy-rules.ts'
import { redactText } from '../../confine/redact.ts'
import type { SourceLine } from './vcl-includes.ts'
import { countLines, tokenizeVcl, type VclToken } from './vcl-tokens.ts'

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

export interface Edited {
  readonly token: VclToken
  /** What is changed, in a few words. */
  readonly what: string
  readonly from: string
  readonly to: string | null
  readonly because: string
}

export class VclSource {
  readonly changes: Change[] = []
  readonly refused: Refusal[] = []
  readonly reads: FileRead[] = []
  readonly tokens: readonly VclToken[]
  readonly #edits: Edit[] = []
  readonly #text: string
  readonly #lines: readonly SourceLine[]

  /** `lines` says for each line of `text` where it came from. */
  constructor(text: string, lines: readonly SourceLine[]) {
    this.#text = text
    this.#lines = lines
    this.tokens = tokenizeVcl(text)
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

  slice(first: VclToken, last: VclToken): string {
    return this.#text.slice(first.start, last.end)
  }

  placeOf(token: VclToken): SourceLine {
    return this.#lines[token.line - 1] ?? { file: '-', line: token.line }
  }

  error(token: VclToken, words: string): UsageError {
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
  drop(first: VclToken, last: VclToken, what: string, because: string): void {
    this.edit(first.start, last.end, '')
    this.change({ token: first, what, from: this.slice(first, last), to: null, because })
  }
}
