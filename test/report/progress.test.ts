import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openProgress } from '../../harness/report/progress.ts'

class Recorder {
  writes: string[] = []
  columns: number | undefined
  write(text: string): void {
    this.writes.push(text)
  }
  get text(): string {
    return this.writes.join('')
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 24, 4, 15, 2) })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('where there is no terminal', () => {
  function plain() {
    const stream = new Recorder()
    return { stream, progress: openProgress(stream, { tty: false, columns: 80, colour: false }) }
  }

  test('plain lines with the time', () => {
    const { stream, progress } = plain()
    progress.note('Varnish 7.1.1 was found')
    progress.scenarioStarted('restarts', 'Everything acknowledged survives')
    progress.step('restarts', 'kill 3 of 30')
    progress.scenarioEnded('restarts', 'fail', '2 appends are lost.', 42_100)
    progress.end()
    expect(stream.text.trimEnd().split('\n')).toEqual([
      '04:15:02Z Varnish 7.1.1 was found',
      '04:15:02Z restarts: Everything acknowledged survives',
      '04:15:02Z restarts: kill 3 of 30',
      '04:15:02Z restarts: FAIL after 42.1 s: 2 appends are lost.',
    ])
  })

  test('a step that is told again and again is one line, and each line is harmless', () => {
    const { stream, progress } = plain()
    for (let i = 0; i < 5; i += 1) progress.step('a', 'waiting\u001b[2J\nfor b')
    expect(stream.text).toBe('04:15:02Z a: waiting␛[2J for b\n')
  })

  test('many steps in a row are a line every other second, the newest of them', () => {
    const { stream, progress } = plain()
    for (let round = 1; round <= 30; round += 1) {
      progress.step('kills', `round ${round} of 30`)
      vi.advanceTimersByTime(100)
    }
    progress.step('kills', 'reading back')
    vi.advanceTimersByTime(5_000)
    expect(stream.text.trimEnd().split('\n').map((line) => line.slice(10))).toEqual(['kills: round 1 of 30', 'kills: round 20 of 30', 'kills: reading back'])
  })

  test('says how many are done, once it is known how many there will be', () => {
    const { stream, progress } = plain()
    progress.planned(13)
    progress.scenarioEnded('tls', 'pass', 'All 3 checks passed.', 2_000)
    expect(stream.text).toBe('04:15:02Z tls: PASS after 2 s (1 of 13 done): All 3 checks passed.\n')
  })

  test('nothing is written after the end, not even a step that waited', () => {
    const { stream, progress } = plain()
    progress.step('a', 'one')
    progress.step('a', 'two')
    progress.end()
    progress.note('late')
    vi.advanceTimersByTime(5_000)
    expect(stream.text).toBe('04:15:02Z a: one\n')
  })
})

/** The lines a terminal would show: knows the few sequences that are allowed here, and no others. */
function screenOf(text: string): string[] {
  const lines: string[] = ['']
  let row = 0
  let column = 0
  // oxlint-disable-next-line no-control-regex -- these are the sequences of a terminal
  const parts = text.matchAll(/\u001b\[(\??)(\d*)([A-Za-z])|[\r\n]|[^\u001b\r\n]+/g)
  for (const [part, priv, amount, command] of parts) {
    if (part === '\r') column = 0
    else if (part === '\n') [row, column] = [row + 1, 0]
    else if (command === 'A') row -= Number(amount)
    else if (command === 'K') lines[row] = (lines[row] ?? '').slice(0, column)
    else if (command === 'J') lines.splice(row, Infinity, (lines[row] ?? '').slice(0, column))
    else if (command === undefined) {
      lines[row] = (lines[row] ?? '').slice(0, column) + part
      column += part.length
    } else if (!priv) throw new Error(`unexpected sequence ${JSON.stringify(part)}`)
    lines[row] ??= ''
  }
  return lines
}

describe('on a terminal', () => {
  function live(columns = 60) {
    const stream = new Recorder()
    return { stream, progress: openProgress(stream, { tty: true, columns, colour: false }) }
  }

  test('shows what runs, and keeps what has ended above it', () => {
    const { stream, progress } = live()
    progress.scenarioStarted('restarts', 'Everything survives')
    progress.scenarioStarted('tls', 'All traffic is HTTPS')
    vi.advanceTimersByTime(100)
    progress.step('restarts', 'kill 3 of 30')
    progress.scenarioEnded('tls', 'pass', '12 requests over h2.', 2_000)
    vi.advanceTimersByTime(1_000)
    expect(screenOf(stream.text)).toEqual([
      '✔ tls, 2 s: 12 requests over h2.',
      expect.stringMatching(/^. +1 s {2}restarts {2}kill 3 of 30$/),
      '',
    ])
    progress.end()
    expect(screenOf(stream.text)).toEqual(['✔ tls, 2 s: 12 requests over h2.', ''])
  })

  test('shows how many are done', () => {
    const { stream, progress } = live()
    progress.planned(13)
    progress.scenarioStarted('a', 'b')
    progress.scenarioStarted('tls', 'All traffic is HTTPS')
    progress.scenarioEnded('tls', 'pass', '12 requests over h2.', 2_000)
    vi.advanceTimersByTime(100)
    expect(screenOf(stream.text).slice(-2)).toEqual(['  1 of 13 done', ''])
    progress.end()
    expect(screenOf(stream.text)).toEqual(['✔ tls, 2 s: 12 requests over h2.', ''])
  })

  test('hides the cursor and gives it back, once, also when the process exits without end()', () => {
    const { stream, progress } = live()
    expect(stream.text).toContain('\u001b[?25l')
    const listeners = process.listeners('exit')
    ;(listeners.at(-1) as () => void)()
    progress.end()
    expect(stream.text.split('\u001b[?25h').length - 1).toBe(1)
    expect(process.listeners('exit').length).toBe(listeners.length - 1)
  })

  test('redraws at most ten times a second, however much is told', () => {
    const { stream, progress } = live()
    progress.scenarioStarted('a', 'b')
    const before = stream.writes.length
    for (let ms = 0; ms < 1_000; ms += 1) {
      progress.step('a', `request ${ms}`)
      vi.advanceTimersByTime(1)
    }
    expect(stream.writes.length - before).toBeLessThanOrEqual(10)
    progress.end()
  })

  test('no line of the live area wraps, and a hundred scenarios do not fill the screen', () => {
    const { stream, progress } = live(30)
    for (let i = 0; i < 100; i += 1) progress.scenarioStarted(`scenario-${i}`, 'x'.repeat(200))
    vi.advanceTimersByTime(100)
    const lines = screenOf(stream.text)
    expect(lines.length).toBe(10)
    expect(lines.at(-2)).toBe('  … and 92 more running')
    for (const line of lines) expect(line.length).toBeLessThan(30)
    progress.end()
  })
})
