/**
 * Live progress while scenarios run, several at once. On a terminal: a small area at the bottom
 * that is redrawn at most ten times a second, with finished scenarios above it. Elsewhere: plain
 * lines with the time in front.
 */
import { styleText } from 'node:util'
import type { VerdictKind } from '../verdict.ts'
import { duration } from './figures.ts'
import { neutralise } from './neutralise.ts'
import { truncate } from './wrap-text.ts'

export interface Progress {
  /** How many scenarios there will be: from then on it is told how many are done. */
  planned(scenarios: number): void
  scenarioStarted(id: string, title: string): void
  /** What a running scenario is doing now; replaces what it was doing before. */
  step(id: string, text: string): void
  scenarioEnded(id: string, verdict: VerdictKind, because: string, ms: number): void
  /** A line that stays: set-up, warnings. */
  note(text: string): void
  /** Clears the live area and gives the cursor back; more calls do nothing. */
  end(): void
}

export interface ProgressOptions {
  tty: boolean
  /** Cells in a line; the stream's own `columns`, which follows the window, goes first. */
  columns: number
  colour: boolean
}

/** What progress is written to: process.stderr, or anything that takes text. */
export interface TextSink {
  write(text: string): unknown
  readonly columns?: number | undefined
}

export function openProgress(stream: TextSink, options: ProgressOptions): Progress {
  return options.tty ? new LiveProgress(stream, options) : new PlainProgress(stream)
}

const symbols = { fail: '✖', unknown: '?', pass: '✔', 'not-applicable': '–' } as const
const words = { fail: 'FAIL', unknown: 'UNKNOWN', pass: 'PASS', 'not-applicable': 'NOT APPLICABLE' } as const
const styles = { fail: 'red', unknown: 'yellow', pass: 'green', 'not-applicable': 'dim' } as const

/** What a scenario is doing is told this often in a log; a kill a second would fill it. */
const stepLineEveryMs = 2_000

/** How many scenarios have ended, of how many. */
class Count {
  #planned = 0
  #ended = 0

  plan(scenarios: number): void {
    this.#planned = scenarios
  }

  end(): void {
    this.#ended += 1
  }

  /** `3 of 13`, or nothing where it is not known how many there will be. */
  get words(): string {
    return this.#planned === 0 ? '' : `${this.#ended} of ${this.#planned}`
  }
}

interface Told {
  text: string
  atMs: number
  /** Waits to tell the newest text, when there is one that came too soon. */
  timer: NodeJS.Timeout | null
  next: string
}

class PlainProgress implements Progress {
  readonly #stream: TextSink
  readonly #told = new Map<string, Told>()
  readonly #count = new Count()
  #ended = false

  constructor(stream: TextSink) {
    this.#stream = stream
  }

  scenarioStarted(id: string, title: string): void {
    this.#line(`${id}: ${title}`)
  }

  planned(scenarios: number): void {
    this.#count.plan(scenarios)
  }

  step(id: string, text: string): void {
    const told = this.#told.get(id) ?? { text: '', atMs: -Infinity, timer: null, next: '' }
    this.#told.set(id, told)
    told.next = text
    if (told.timer !== null) return
    const waitMs = told.atMs + stepLineEveryMs - performance.now()
    if (waitMs <= 0) this.#tell(id, told)
    else told.timer = setTimeout(() => this.#tell(id, told), waitMs).unref()
  }

  #tell(id: string, told: Told): void {
    told.timer = null
    if (told.next === told.text) return
    told.text = told.next
    told.atMs = performance.now()
    this.#line(`${id}: ${told.text}`)
  }

  scenarioEnded(id: string, verdict: VerdictKind, because: string, ms: number): void {
    this.#forget(id)
    this.#count.end()
    const done = this.#count.words === '' ? '' : ` (${this.#count.words} done)`
    this.#line(`${id}: ${words[verdict]} after ${duration(ms)}${done}: ${because}`)
  }

  #forget(id: string): void {
    clearTimeout(this.#told.get(id)?.timer ?? undefined)
    this.#told.delete(id)
  }

  note(text: string): void {
    this.#line(text)
  }

  end(): void {
    for (const id of this.#told.keys()) this.#forget(id)
    this.#ended = true
  }

  #line(text: string): void {
    if (this.#ended) return
    this.#stream.write(`${new Date().toISOString().slice(11, 19)}Z ${neutralise(text)}\n`)
  }
}

const redrawMs = 100
/** Lines of running scenarios that are shown; the rest is counted. */
const runningMax = 8
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

const hideCursor = '\u001b[?25l'
const showCursor = '\u001b[?25h'
/** Terminals that know it show everything in between at once; others ignore it. */
const beginAtOnce = '\u001b[?2026h'
const endAtOnce = '\u001b[?2026l'
const clearToEnd = '\u001b[0J'
const clearLineToEnd = '\u001b[K'

class LiveProgress implements Progress {
  readonly #stream: TextSink
  readonly #options: ProgressOptions
  readonly #running = new Map<string, { startedAtMs: number; text: string }>()
  readonly #timer: NodeJS.Timeout
  readonly #onExit = () => this.end()
  readonly #count = new Count()
  /** Lines to be printed above the live area at the next redraw. */
  #pending: string[] = []
  #linesDrawn = 0
  #frame = 0
  #ended = false

  constructor(stream: TextSink, options: ProgressOptions) {
    this.#stream = stream
    this.#options = options
    this.#timer = setInterval(() => this.#redraw(), redrawMs)
    this.#timer.unref()
    process.once('exit', this.#onExit)
    stream.write(hideCursor)
  }

  planned(scenarios: number): void {
    this.#count.plan(scenarios)
  }

  scenarioStarted(id: string, title: string): void {
    this.#running.set(id, { startedAtMs: performance.now(), text: title })
  }

  step(id: string, text: string): void {
    const running = this.#running.get(id)
    if (running) running.text = text
  }

  scenarioEnded(id: string, verdict: VerdictKind, because: string, ms: number): void {
    this.#running.delete(id)
    this.#count.end()
    const line = neutralise(`${id}, ${duration(ms)}: ${because}`)
    this.#pending.push(`${this.#paint(symbols[verdict], styles[verdict])} ${line}`)
  }

  note(text: string): void {
    this.#pending.push(`${this.#paint('·', 'dim')} ${neutralise(text)}`)
  }

  end(): void {
    if (this.#ended) return
    clearInterval(this.#timer)
    process.off('exit', this.#onExit)
    this.#running.clear()
    this.#redraw()
    this.#ended = true
    this.#stream.write(showCursor)
  }

  /** One write: up to the area's first line, what stays, the area anew, and the rest cleared. */
  #redraw(): void {
    if (this.#ended) return
    this.#frame += 1
    const area = this.#area()
    if (area.length + this.#pending.length + this.#linesDrawn === 0) return
    const up = this.#linesDrawn > 0 ? `\u001b[${this.#linesDrawn}A\r` : '\r'
    const lines = [...this.#pending, ...area].map((line) => `${line}${clearLineToEnd}\n`)
    this.#stream.write(beginAtOnce + up + lines.join('') + clearToEnd + endAtOnce)
    this.#pending = []
    this.#linesDrawn = area.length
  }

  /** A line never wraps, or the area's height would not be known. */
  #area(): string[] {
    const cells = Math.max(20, this.#stream.columns || this.#options.columns) - 1
    const running = [...this.#running]
    const lines = running.slice(0, runningMax).map(([id, { startedAtMs, text }]) => {
      const elapsed = `${Math.floor((performance.now() - startedAtMs) / 1_000)} s`.padStart(5)
      const said = truncate(neutralise(`${elapsed}  ${id}  ${text}`), cells - 2)
      return `${this.#paint(frames[this.#frame % frames.length]!, 'cyan')} ${said}`
    })
    if (running.length > runningMax) lines.push(`  … and ${running.length - runningMax} more running`)
    if (running.length > 0 && this.#count.words !== '') lines.push(this.#paint(truncate(`  ${this.#count.words} done`, cells), 'dim'))
    return lines
  }

  #paint(text: string, style: 'red' | 'yellow' | 'green' | 'cyan' | 'dim' | undefined): string {
    if (!this.#options.colour || !style) return text
    return styleText(style, text, { validateStream: false })
  }
}
