/**
 * `npm run bench [-- --json] [--rounds N] [--readers N] [--operations N] [ids…]`: finds the groups of benchmarks
 * beside it, runs those that were asked for, and prints a table or JSON.
 */
import { glob } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { exitCodes, UsageError } from '../harness/errors.ts'
import type { BenchGroup, BenchOptions, Measurement } from './benchmark.ts'

const usage =
  'npm run bench -- [--json] [--list] [--rounds N] [--readers N] [--operations N] [ids…]; without ids it runs all.'

async function main(): Promise<void> {
  const { values, positionals } = parseOptions()
  const groups = await findGroups()
  const known = new Map(groups.flatMap((group) => Object.entries(group.benchmarks)))
  if (values.list) return print([...known].map(([id, goal]) => `${id}  ${goal}`))
  for (const id of positionals) {
    if (known.has(id)) continue
    throw new UsageError(`There is no benchmark ${id}; there are ${[...known.keys()].join(', ')}.`)
  }
  const options: BenchOptions = {
    rounds: wholeNumber('--rounds', values.rounds, 1, 100),
    readers: wholeNumber('--readers', values.readers, 10, 100_000),
    operations: wholeNumber('--operations', values.operations, 1_000, 100_000_000),
    ids: new Set(positionals.length > 0 ? positionals : known.keys()),
    say: (line) => void process.stderr.write(`${line}\n`),
  }
  const benchmarks: Measurement[] = []
  for (const group of groups) {
    const wanted = Object.keys(group.benchmarks).some((id) => options.ids.has(id))
    if (wanted) benchmarks.push(...(await group.run(options)))
  }
  const asked = benchmarks.filter(({ id }) => options.ids.has(id))
  print(values.json ? [JSON.stringify({ benchmarks: asked }, null, 2)] : table(asked, known))
}

function parseOptions() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        rounds: { type: 'string', default: '5' },
        readers: { type: 'string', default: '10000' },
        operations: { type: 'string', default: '1000000' },
      },
    })
  } catch (error) {
    throw new UsageError(`${(error as Error).message} Usage: ${usage}`)
  }
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new UsageError(`${flag} ${text} is not a whole number from ${min} to ${max}.`)
}

async function findGroups(): Promise<BenchGroup[]> {
  const files = await Array.fromAsync(glob('*.bench.ts', { cwd: import.meta.dirname }))
  const modules = files.toSorted().map((file) => import(path.join(import.meta.dirname, file)))
  return (await Promise.all(modules)).map((module: { default: BenchGroup }) => module.default)
}

function table(measurements: Measurement[], goals: Map<string, string>): string[] {
  const lines: string[] = []
  for (const id of new Set(measurements.map((one) => one.id))) {
    lines.push('', `${id}: ${goals.get(id)}`)
    for (const one of measurements.filter((candidate) => candidate.id === id)) {
      const value = `${rounded(one.value)} ${one.unit}`.padStart(16)
      const range = `${rounded(one.min)} to ${rounded(one.max)}`.padStart(20)
      const ratio = one.ratio === null ? '' : `${one.ratio.toFixed(2)} x the floor`
      lines.push(`  ${one.subject.padEnd(12)}${value}${range}   ${ratio}`.trimEnd())
    }
  }
  return lines.length > 0 ? lines : ['Nothing was measured.']
}

function rounded(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

function print(lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

main().catch((error: unknown) => {
  const isUsage = error instanceof UsageError
  process.stderr.write(`${isUsage ? error.message : String((error as Error).stack ?? error)}\n`)
  process.exitCode = isUsage ? exitCodes.usage : exitCodes.harnessFault
})
