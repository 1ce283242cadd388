/**
 * The report on a terminal: the verdict first, then what to do about it. Pure text out of a saved
 * result; whoever calls it knows the width, and whether colours are wanted.
 */
import { styleText } from 'node:util'
import { duration, instant, number, plural } from './figures.ts'
import { countFindings, findingLine } from './findings.ts'
import { butWaived, headline, idsByReason, kindWords, rowsBy, verdictTitle, waiverSentence, type ChecklistRow } from './groups.ts'
import { keyMeasures } from './key-measures.ts'
import { neutralise } from './neutralise.ts'
import { shortened } from './readable-evidence.ts'
import type { Result, ScenarioResult } from './result.ts'
import { cellsOf, wrap } from './wrap-text.ts'

export interface TerminalOptions {
  /** Cells in a line; less than 40 is taken as 40. */
  width: number
  /** Whether escape sequences for colours may be written; see `wantsColour`. */
  colour: boolean
  /** Where report.html was written, for the last line. */
  reportFile?: string
}

type Style = Parameters<typeof styleText>[0]

/** Colours belong on a terminal only, and not where NO_COLOR or TERM=dumb speak against them. */
export function wantsColour(tty: boolean, env: Record<string, string | undefined>): boolean {
  return tty && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
}

const widthMin = 40
const measuresMax = 12
const findingsMax = 20

const symbols = { fail: '✖', unknown: '?', pass: '✔', 'not-applicable': '–' } as const
const styles = { fail: 'red', unknown: 'yellow', pass: 'green', 'not-applicable': 'dim' } as const
const boxSymbols = { ticked: '✔', crossed: '✖', open: '○' } as const
const boxStyles = { ticked: 'green', crossed: 'red', open: 'yellow' } as const
const verdictStyles = { ready: 'green', 'not-ready': 'red', unknown: 'yellow' } as const

/** Renders a result as lines no wider than `width` (a command's single word may be), ending in a line break. */
export function renderTerminal(result: Result, options: TerminalOptions): string {
  const paper = new Paper(Math.max(widthMin, Math.floor(options.width)), options.colour)
  paper.text(headline(result), '', ['bold', verdictStyle(result)])
  paper.text(runLine(result), '', 'dim')
  banners(paper, result)
  list(paper, 'What this verdict speaks of', result.scope)
  boxes(paper, result)
  failedRows(paper, result)
  knownFailures(paper, result)
  unknownRows(paper, result)
  quietRows(paper, result)
  findings(paper, result)
  scenarios(paper, result)
  notRun(paper, result)
  ending(paper, result, options.reportFile)
  banners(paper, result)
  return `${paper.lines.join('\n')}\n`
}

/** Ready but for what is waived is not green. */
function verdictStyle(result: Result) {
  return butWaived(result) === '' ? verdictStyles[result.verdict] : 'yellow'
}

/** Collects wrapped, neutralised and perhaps coloured lines. */
class Paper {
  readonly lines: string[] = []
  readonly width: number
  readonly #colour: boolean

  constructor(width: number, colour: boolean) {
    this.width = width
    this.#colour = colour
  }

  paint(text: string, style: Style | undefined): string {
    if (!this.#colour || style === undefined || text === '') return text
    return styleText(style, text, { validateStream: false })
  }

  gap(): void {
    this.lines.push('')
  }

  heading(text: string): void {
    this.gap()
    this.text(text, '', 'bold')
  }

  /** Wrapped text, each line behind `indent`. */
  text(text: string, indent: string, style?: Style): void {
    for (const line of wrap(neutralise(text), this.width - indent.length)) {
      this.lines.push(indent + this.paint(line, style))
    }
  }

  /** A mark and text that hangs behind it. */
  item(mark: string, markStyle: Style | undefined, text: string, indent: string, style?: Style): void {
    const hang = indent + ' '.repeat(cellsOf(mark) + 1)
    wrap(neutralise(text), this.width - hang.length).forEach((line, index) => {
      const before = index === 0 ? `${indent}${this.paint(mark, markStyle)} ` : hang
      this.lines.push(before + this.paint(line, style))
    })
  }

  /** `Label  text`, with the text in a column of its own. */
  labelled(label: string, text: string, indent: string): void {
    this.item(label.padEnd(6), 'dim', text, indent)
  }

  /** A path stays whole, however long: it is there to be clicked or copied. */
  file(label: string, file: string): void {
    this.lines.push(`${this.paint(label.padEnd(6), 'dim')} ${neutralise(file)}`)
  }

  /** A command, broken only between words, so that it can be pasted as it stands. */
  command(label: string, command: string, indent: string): void {
    const hang = indent + ' '.repeat(7)
    const lines = commandLines(neutralise(command), this.width - hang.length)
    lines.forEach((line, index) => {
      const before = index === 0 ? `${indent}${this.paint(label.padEnd(6), 'dim')} ` : hang
      this.lines.push(before + this.paint(line, 'cyan'))
    })
  }
}

/** Lines of a shell command; all but the last end in a backslash. A long word stays whole. */
function commandLines(command: string, cells: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of command.split(' ').filter(Boolean)) {
    if (line !== '' && cellsOf(line) + cellsOf(word) + 3 > cells) {
      lines.push(`${line} \\`)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

function runLine(result: Result): string {
  return [
    `score ${number(Math.floor(result.score))} of 100`,
    `${result.profile} profile`,
    `seed ${result.seed}`,
    `took ${duration(result.durationMs)}`,
    `run ${result.runId}, ${instant(result.startedAt)}`,
  ].join(' · ')
}

function banners(paper: Paper, result: Result): void {
  for (const banner of result.banners) {
    paper.gap()
    paper.item('!!', ['bold', 'yellow'], banner, '', ['bold', 'yellow'])
  }
}

function list(paper: Paper, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return
  paper.heading(title)
  for (const line of lines) paper.item('·', 'dim', line, '  ')
}

function boxes(paper: Paper, result: Result): void {
  paper.heading('Before you deploy')
  for (const box of result.boxes) {
    paper.item(boxSymbols[box.state], boxStyles[box.state], box.title.replaceAll('`', ''), '  ')
    if (box.state !== 'ticked') paper.text(shortened(box.because), '    ', 'dim')
  }
}

function failedRows(paper: Paper, result: Result): void {
  const failed = rowsBy(result, 'fail')
  if (failed.length === 0) return
  const required = failed.filter((row) => row.required).length
  const waived = failed.filter((row) => row.waived).length
  paper.heading(`Failed: ${failed.length} of ${result.checklist.length} rows, ${required} of them required${waived === 0 ? '' : `, ${waived} waived`}`)
  for (const row of failed) {
    paper.gap()
    const weight = `${row.severity}${row.required ? '' : ', not required'}${row.waived ? ', waived' : ''}`
    paper.item(symbols.fail, styles.fail, `${row.id} (${weight}): ${row.title}`, '  ', 'bold')
    const waiver = waiverSentence(row, result)
    if (waiver !== null) paper.text(waiver, '    ', 'bold')
    paper.labelled('Seen', shortened(row.because), '    ')
    paper.labelled('Fix', row.fix, '    ')
    if (row.reproduce !== '') paper.command('Repeat', row.reproduce, '    ')
  }
}

/** Which of the failures one has seen before: the others are news. */
function knownFailures(paper: Paper, result: Result): void {
  const failed = new Set(result.scenarios.flatMap(({ id, checks }) => checks.flatMap((check) => (check.verdict === 'fail' ? `${check.fingerprint} of ${id}` : []))))
  const known = result.expectedFailures.filter(({ state }) => state === 'failed')
  if (failed.size === 0 || known.length === 0) return
  for (const { fingerprint, scenario } of known) failed.delete(`${fingerprint} of ${scenario}`)
  paper.heading(`Known of this server version: ${known.length} of these failures`)
  // One cause shows in many checks; result.json has each fingerprint.
  for (const [cause, those] of Map.groupBy(known, ({ why, issue }) => `${why}${issue === null ? '' : ` ${issue}`}`)) {
    const scenarios = [...new Set(those.map(({ scenario }) => scenario))]
    paper.item('·', 'dim', `${plural(those.length, 'failure')} of ${scenarios.join(', ')}: ${cause}`, '  ')
  }
  if (failed.size > 0) list(paper, 'New', [...failed])
}

function unknownRows(paper: Paper, result: Result): void {
  const [rows, waived] = [rowsBy(result, 'unknown').filter((row) => !row.waived), rowsBy(result, 'unknown').filter((row) => row.waived)]
  const required = rows.filter((row) => row.required)
  if (required.length > 0) {
    paper.heading(`Unknown, though required: ${required.length}`)
    for (const [because, ids] of idsByReason(required)) {
      paper.item(symbols.unknown, styles.unknown, `${ids.join(', ')}: ${because}`, '  ')
    }
  }
  if (waived.length > 0) paper.heading(`Unknown, and waived: ${waived.length}`)
  for (const row of waived) paper.item(symbols.unknown, styles.unknown, `${row.id}: ${row.because} ${waiverSentence(row, result)}`, '  ')
  const others = rows.filter((row) => !row.required)
  if (others.length > 0) quietRow(paper, 'Unknown, not required', others)
}

function quietRows(paper: Paper, result: Result): void {
  for (const kind of ['pass', 'not-applicable'] as const) {
    const rows = rowsBy(result, kind)
    if (rows.length > 0) quietRow(paper, kindWords[kind], rows)
  }
}

function quietRow(paper: Paper, title: string, rows: readonly ChecklistRow[]): void {
  paper.heading(`${title}: ${rows.length}`)
  paper.text(rows.map((row) => row.id).join(', '), '  ')
}

/** Errors first; each place in one line that a terminal makes a link of. */
function findings(paper: Paper, { findings: found = [] }: Result): void {
  if (found.length === 0) return
  paper.heading(`Findings in your files: ${countFindings(found)}`)
  const sorted = (['error', 'warning', 'note'] as const).flatMap((severity) => found.filter((one) => one.severity === severity))
  for (const one of sorted.slice(0, findingsMax)) paper.item('·', 'dim', findingLine(one), '  ')
  if (found.length > findingsMax) paper.text(`… and ${found.length - findingsMax} more in the report`, '    ', 'dim')
}

function scenarios(paper: Paper, result: Result): void {
  if (result.scenarios.length === 0) return
  paper.heading('Scenarios')
  for (const scenario of result.scenarios) oneScenario(paper, scenario)
}

function oneScenario(paper: Paper, scenario: ScenarioResult): void {
  const { verdict } = scenario
  const title = `${scenario.id}, ${duration(scenario.durationMs)}: ${scenario.because}`
  paper.item(symbols[verdict], styles[verdict], title, '  ')
  const measures = keyMeasures(scenario)
  for (const measure of measures.slice(0, measuresMax)) paper.item('·', 'dim', measure, '    ', 'dim')
  if (measures.length > measuresMax) {
    paper.text(`… and ${measures.length - measuresMax} more figures in the report`, '      ', 'dim')
  }
}

function notRun(paper: Paper, result: Result): void {
  list(paper, 'Did not run', [...idsByReason(result.notRun)].map(([because, ids]) => `${because.replace(/\.$/, '')}: ${ids.join(', ')}`))
}

/** Whoever comes back to the terminal sees its end first. */
function ending(paper: Paper, result: Result, reportFile: string | undefined): void {
  paper.gap()
  paper.text(`${verdictTitle(result)}, exit code ${result.exitCode}`, '', ['bold', verdictStyle(result)])
  if (reportFile) paper.file('Report', reportFile)
}
