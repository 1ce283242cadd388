import { expect, it } from 'vitest'
import type { Finding } from '../../harness/audits/finding.ts'
import { findingAnnotations } from '../../harness/report/finding-annotations.ts'

const finding: Finding = { rule: 'https', severity: 'note', file: 'a.ts', line: 3, column: 7, message: 'Wrong.', fix: 'Mend it.' }

/** As the runner reads a line (actions/runner, ActionCommand.cs). */
function readAsRunner(line: string) {
  const [, command, properties, data] = /^::(\w+) ([^:]*)::(.*)$/.exec(line)!
  const plain = (text: string) => text.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%')
  return { command, properties: Object.fromEntries(properties!.split(',').map((one) => one.split('=') as [string, string]).map(([key, value]) => [key, plain(value)])), data: plain(data!) }
}

it('are one line each, the errors first', () => {
  const lines = findingAnnotations([finding, { ...finding, severity: 'warning' }, { ...finding, severity: 'error' }], (file) => `app/${file}`)
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['::error', '::warning', '::notice'])
  expect(lines[0]).toBe('::error title=https,file=app/a.ts,line=3,col=7::Wrong. Mend it.')
})

it('hold what a file or its text holds, and nothing acts in them', () => {
  const message = '100 % wrong: a,b::error file=x::y\n::set-output name=z::\u001b[31m'
  const [line] = findingAnnotations([{ ...finding, severity: 'error', file: 'odd, name: 50%.ts', message }], (file) => file)
  expect(line!.split('\n')).toHaveLength(1)
  const { command, properties, data } = readAsRunner(line!)
  expect({ command, ...properties }).toEqual({ command: 'error', file: 'odd, name: 50%.ts', line: '3', col: '7', title: 'https' })
  expect(data).toBe('100 % wrong: a,b::error file=x::y ::set-output name=z::␛[31m Mend it.')
})

it('are notices of what is waived', () => {
  const waivers = [{ row: 'https' as const, reason: 'Our proxy does it.', until: '2030-01-01', expired: false }]
  expect(findingAnnotations([{ ...finding, severity: 'error' }], (file) => file, waivers)).toEqual(['::notice title=https,file=a.ts,line=3,col=7::Waived: Wrong. Mend it.'])
})
