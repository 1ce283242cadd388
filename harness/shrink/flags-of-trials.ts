/** The flags of a run that trials of its schedule have as well. */
import { flagsOf, type Options } from '../options.ts'
import type { Result } from '../report/result.ts'

/** A trial has sizes of its own, and no source is read for it. */
const notPassedOn: ReadonlySet<string> = new Set(['--profile', '--for', '--readers', '--streams', '--app'])

/** As words of a command line; the seed, which drew the schedule, is the run's. */
export function flagsOfTrials({ options, seed }: Pick<Result, 'options' | 'seed'>): string[] {
  return flagsOf(options as unknown as Options, seed).filter(([flag]) => !notPassedOn.has(flag)).flat()
}
