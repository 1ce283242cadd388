/** The figures of a run that can be held against another run's: times, rates and sizes, never counts. Pure. */
import { modeWords } from '../crowd-words.ts'
import { number, plural } from './figures.ts'
import type { Result, ScenarioResult } from './result.ts'

export interface Figure {
  /** The same in every run. */
  id: string
  scenario: string
  words: string
  unit: string
  better: 'less' | 'more'
  value: number
}

/** A count is judged by its check; as a figure it says nothing that a ratio would. */
const measured = new Set(['ms', 's', 'bytes', 'B'])
const rate = /\/s$|\/min$/

export function figuresOf({ scenarios }: Pick<Result, 'scenarios'>): Figure[] {
  const found = scenarios.flatMap((scenario) => [...ofChecks(scenario), ...ofMeasurements(scenario)].map((figure) => ({ ...figure, scenario: scenario.id, id: `${scenario.id}/${figure.id}` })))
  // What two checks measure alike is numbered in their order.
  const seen = new Map<string, number>()
  return found.map((figure) => {
    const nth = (seen.get(figure.id) ?? 0) + 1
    seen.set(figure.id, nth)
    return nth === 1 ? figure : { ...figure, id: `${figure.id}/${nth}` }
  })
}

type Found = Omit<Figure, 'scenario'>

function ofChecks({ checks }: ScenarioResult): Found[] {
  return checks.flatMap(({ id, value, unit }) => {
    if (value === undefined || unit === undefined || !(measured.has(unit) || rate.test(unit))) return []
    return [{ id, words: id, unit, better: rate.test(unit) ? ('more' as const) : ('less' as const), value }]
  })
}

function ofMeasurements({ measurements: seen }: ScenarioResult): Found[] {
  const less = (id: string, words: string, unit: string, value: number): Found => ({ id, words, unit, better: 'less', value })
  return [
    ...(seen.durability ? [less('ready-max', 'slowest start', 'ms', seen.durability.readyMsMax)] : []),
    ...(seen.readiness ?? []).flatMap(({ streams, after, readyMs, rssBytes }) => {
      const when = `with ${plural(streams, 'stream')}${after === undefined ? '' : ` after a ${after}`}`
      return [less(`ready/${streams}/${after ?? ''}`, `ready ${when}`, 'ms', readyMs), less(`memory/${streams}/${after ?? ''}`, `memory at the start ${when}`, 'bytes', rssBytes)]
    }),
    ...(seen.fileHandles ?? []).flatMap(({ maxFileHandles, appendsPerSecond, p99Ms }) => [
      { id: `appends/${maxFileHandles}`, words: `appends with max_file_handles ${number(maxFileHandles)}`, unit: 'appends/s', better: 'more' as const, value: appendsPerSecond },
      less(`append-p99/${maxFileHandles}`, `p99 of appends with max_file_handles ${number(maxFileHandles)}`, 'ms', p99Ms),
    ]),
    ...(seen.passage ?? []).map(({ mode, via, p50Ms }) => less(`passage/${mode}/${via}`, `an event by ${modeWords[mode]} through ${via}, median`, 'ms', p50Ms)),
    ...(seen.fanOut ?? []).map(({ mode, path, generation, spreadP99Ms }) => less(`fan-out/${mode}/${path}/${generation}`, `p99 of a crowd's ${modeWords[mode]}, ${path}, crowd ${generation}`, 'ms', spreadP99Ms)),
    ...(seen.latency ?? []).map(({ op, via, p50Ms }) => less(`latency/${op}/${via}`, `${op} through ${via}, median`, 'ms', p50Ms)),
  ]
}
