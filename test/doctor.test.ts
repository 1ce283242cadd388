/** `npm run doctor`, by the command itself: what it finds, and what each state means for its exit code. */
import path from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { examinationLines, type Finding } from '../harness/report/examination.ts'

const doctor = path.join(import.meta.dirname, '..', 'harness', 'doctor.ts')

async function examined(env: Record<string, string>, ...args: string[]) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [doctor, ...args], { env, reject: false, stdin: 'ignore' })
  return { exitCode, stdout, stderr }
}

describe('the doctor', () => {
  test('tells of everything that a run needs, with a remedy where there is something to mend', async () => {
    const { stdout, stderr, exitCode } = await examined({ DURABLE_STREAMS_SERVER_BIN: '' }, '--json')
    const { findings } = JSON.parse(stdout) as { findings: Finding[] }
    expect(stderr).toBe('')
    expect(findings.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['the production server', 'Varnish', 'nginx', 'Caddy for the TLS edge', 'a container engine', 'a crowd of 10,000', 'memory', 'disk for reports', 'the clock']),
    )
    for (const { state, remedy, because } of findings) {
      expect(because).toMatch(/\.$|\)$/)
      if (state === 'less') expect(remedy).not.toBe('')
    }
    const states = findings.map(({ state }) => state)
    expect(exitCode).toBe(states.includes('missing') ? 64 : states.includes('less') ? 2 : 0)
  })

  test('finds what would keep a run from beginning', async () => {
    const { stdout, exitCode } = await examined({ DURABLE_STREAMS_SERVER_BIN: '/nowhere' })
    expect(exitCode).toBe(64)
    expect(stdout).toMatch(/✖ the production server: DURABLE_STREAMS_SERVER_BIN: \/nowhere does not exist/)
    expect(stdout).toMatch(/A run does not begin here: \d+ of \d+ things are missing\.$/)
  })

  test('refuses what it does not know', async () => {
    const { exitCode, stderr } = await examined({}, '--fix')
    expect(exitCode).toBe(64)
    expect(stderr).toMatch(/'--fix'.*Usage: npm run doctor -- \[--json\]\n?$/s)
  })
})

describe('its lines', () => {
  const finding = (state: Finding['state'], remedy = ''): Finding => ({ what: 'a thing', state, because: 'so it is.', remedy })

  test('say what it comes to', () => {
    expect(examinationLines([finding('fine')], 80)).toEqual(['✔ a thing: so it is.', '', 'A run can prove here all that the simulator knows.'])
    expect(examinationLines([finding('fine'), finding('less', 'Mend it.')], 80).slice(1)).toEqual(['? a thing: so it is.', '    Mend it.', '', 'A run proves less here than it could: 1 of 2 things are not as they should be.'])
    expect(examinationLines([finding('missing')], 80).at(-1)).toBe('A run does not begin here: 1 of 1 things are missing.')
  })

  test('are no wider than asked, and cannot act on a terminal', () => {
    const lines = examinationLines([{ what: 'x', state: 'less', because: 'word '.repeat(60), remedy: '\u001b[31mred' }], 50).slice(0, -1)
    for (const line of lines) {
      expect(line.length).toBeLessThanOrEqual(50)
      expect(line).not.toMatch(/\p{Cc}/u)
    }
  })
})
