/**
 * The figures behind the sentences of key-measures.ts as numbers, each with its direction: what is held
 * against the nights before. Pure.
 */
import { modeWords } from '../crowd-words.ts'
import { expiryByWay, hopWords } from './key-measures.ts'
import type { FanOutMeasurement, Measurements, Result, ScenarioResult } from './result.ts'

export interface Figure {
  /** Stable from night to night. */
  id: string
  scenario: string
  title: string
  unit: 'ms' | 'bytes' | 'count' | 'per second' | 'bytes an hour' | 'ms an hour' | 'count an hour'
  value: number
  better: 'lower' | 'higher'
}

type Part = Omit<Figure, 'scenario'>

/** Of the scenarios that were judged: an unknown one may have ended in the middle. */
export function figuresOf(result: Pick<Result, 'scenarios'>): Figure[] {
  const judged = result.scenarios.filter(({ verdict }) => verdict === 'pass' || verdict === 'fail')
  const all = judged.flatMap((scenario) => partsOf(scenario).map((part): Figure => ({ ...part, id: `${scenario.id}/${part.id}`, scenario: scenario.id })))
  return [...new Map(all.filter(({ value }) => Number.isFinite(value)).map((figure) => [figure.id, figure])).values()]
}

function partsOf({ measurements }: ScenarioResult): Part[] {
  return [
    ...durability(measurements),
    ...fanOut(measurements.fanOut ?? []),
    ...fileHandles(measurements),
    ...passage(measurements),
    ...expiry(measurements),
    ...readiness(measurements),
    ...disk(measurements),
    ...drift(measurements),
    ...latency(measurements),
  ]
}

function durability({ durability: seen }: Measurements): Part[] {
  return seen ? [lower('durability/ready', 'slowest start', 'ms', seen.readyMsMax)] : []
}

/** The worst of a mode's crowds behind the cache, as its sentence tells it. */
function fanOut(seen: readonly FanOutMeasurement[]): Part[] {
  const cached = seen.filter((one) => one.path !== 'direct')
  return [...new Set(cached.map((one) => one.mode))].flatMap((mode) => {
    const crowds = cached.filter((one) => one.mode === mode)
    const most = (of: (one: FanOutMeasurement) => number) => Math.max(...crowds.map(of))
    return [
      lower(`fan-out/${mode}/upstream`, `${modeWords[mode]}, upstream requests of a crowd`, 'count', most((one) => one.upstreamRequests)),
      lower(`fan-out/${mode}/p99`, `${modeWords[mode]}, p99 of a crowd`, 'ms', most((one) => one.spreadP99Ms)),
    ]
  })
}

function fileHandles({ fileHandles: seen = [] }: Measurements): Part[] {
  return seen.flatMap((one) => {
    const [id, title] = [`file-handles/${one.maxFileHandles}/${one.streams}`, `max_file_handles ${one.maxFileHandles} with ${one.streams} streams`]
    return [
      { id: `${id}/appends`, title: `${title}, appends`, unit: 'per second', value: one.appendsPerSecond, better: 'higher' } satisfies Part,
      lower(`${id}/p99`, `${title}, p99`, 'ms', one.p99Ms),
      lower(`${id}/open`, `${title}, open files`, 'count', one.openFilesMax),
    ]
  })
}

function passage({ passage: seen = [] }: Measurements): Part[] {
  return seen.map((one) => lower(`passage/${one.mode}/${one.via}`, `${modeWords[one.mode]} by ${hopWords[one.via]}, median after the acknowledgement`, 'ms', one.p50Ms))
}

/** Only how long after its expiry a stream was seen: before it, nothing says anything. */
function expiry({ expiry: seen = [] }: Measurements): Part[] {
  const probed = expiryByWay(seen).filter(({ probes }) => probes > 0)
  return probed.map((one) => lower(`expiry/${one.mode}/${one.via}`, `expired stream last seen by ${one.mode} through ${one.via}`, 'ms', Math.max(0, one.lateByMsMax)))
}

/** The slowest start of each kind: their order is not the same every night. */
function readiness({ readiness: seen = [] }: Measurements): Part[] {
  const kinds = Map.groupBy(seen, ({ streams, after }) => `${streams}/${after ?? 'first'}`)
  return [...kinds].flatMap(([kind, starts]) => {
    const { streams, after } = starts[0]!
    const title = `${after === undefined ? 'first start' : `start after a ${after}`} with ${streams} streams`
    return [
      lower(`readiness/${kind}/ready`, `${title}, ready`, 'ms', Math.max(...starts.map(({ readyMs }) => readyMs))),
      lower(`readiness/${kind}/memory`, `${title}, memory`, 'bytes', Math.max(...starts.map(({ rssBytes }) => rssBytes))),
    ]
  })
}

function disk({ disk: seen = [] }: Measurements): Part[] {
  if (seen.length === 0) return []
  const last = seen.reduce((latest, one) => (one.atMs >= latest.atMs ? one : latest))
  return [
    lower('disk/most', 'disk below data_dir at most', 'bytes', Math.max(...seen.map(({ bytes }) => bytes))),
    lower('disk/end', 'disk below data_dir at the end', 'bytes', last.bytes),
  ]
}

/** Of a soak both how much and by how much an hour. */
function drift({ drift: seen = [] }: Measurements): Part[] {
  return seen.flatMap(({ name, title, unit, trend }) => {
    if (trend === null) return []
    return [lower(`drift/${name}/level`, title, unit, trend.level), lower(`drift/${name}/growth`, `${title}, growth`, `${unit} an hour`, trend.perHour)]
  })
}

function latency({ latency: seen = [] }: Measurements): Part[] {
  return seen.flatMap(({ op, via, p50Ms, p99Ms }) => [
    lower(`latency/${op}/${via}/p50`, `${op} by ${via}, median`, 'ms', p50Ms),
    lower(`latency/${op}/${via}/p99`, `${op} by ${via}, p99`, 'ms', p99Ms),
  ])
}

function lower(id: string, title: string, unit: Figure['unit'], value: number): Part {
  return { id, title, unit, value, better: 'lower' }
}
