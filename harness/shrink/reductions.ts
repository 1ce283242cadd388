/**
 * What can be left out of a scenario, or made smaller, as it stands: operations first, then streams,
 * readers, faults and what the world has, then timing. Each is a whole scenario again, and whether it still
 * fails is for a run to tell. Pure.
 */
import { isObject, type Json, type JsonObject } from '../confine/json.ts'
import type { Scenario } from '../scenario.ts'
import { isStep } from './concrete.ts'

export interface Reduction {
  /** Says what is gone, the same for the same thing in another scenario. */
  key: string
  scenario: Scenario
}

export type Family = (scenario: Scenario) => Reduction[]

/** What a failure says of itself. */
export interface FailureWords {
  fingerprint: string
  evidence: readonly string[]
}

/** In the order in which they are tried. */
export function familiesFor(failure: FailureWords): Family[] {
  const families: Family[] = [(scenario) => guesses(scenario, failure), operations, streams, readers, faults, timing]
  return families.map((family) => (scenario) => family(scenario).map(({ key, scenario: reduced }) => ({ key, scenario: withoutOrphans(reduced) })))
}

/** Without the steps that act on streams of a kind that nobody creates any more: they would find none. */
function withoutOrphans(scenario: Scenario): Scenario {
  const creators = objectsOf(scenario).flatMap(({ value }) => (value.kind === 'create-streams' && Array.isArray(value.kinds) ? [{ prefix: `${value.prefix}-`, made: value.kinds.map((kind) => `${value.prefix}-${kind}-`) }] : []))
  const isOrphan = ({ streams }: JsonObject) =>
    typeof streams === 'string' && creators.some(({ prefix }) => streams.startsWith(prefix)) && !creators.some(({ made }) => made.some((name) => name.startsWith(streams) || streams.startsWith(name)))
  return changed(scenario, '', (value) => (Array.isArray(value) ? value.filter((one) => !isStep(one) || !isOrphan(one)) : value)).scenario
}

/** How many things a scenario does: each step that acts, each move of a schedule, each look at a lifeline. */
export function stepsIn(scenario: Pick<Scenario, 'steps' | 'healed'>): number {
  return count(scenario.steps as unknown as Json) + count(scenario.healed as unknown as Json)
}

function count(steps: Json): number {
  return (steps as Json[]).reduce<number>((sum, step) => sum + countOne(step as JsonObject), 0)
}

function countOne(step: JsonObject): number {
  const inner = stepLists.reduce((sum, name) => sum + (Array.isArray(step[name]) ? count(step[name]) : 0), 0)
  if (step.kind === 'fault' || step.kind === 'flip-a-byte') return 1 + inner
  if (step.kind === 'during' || step.kind === 'repeat') return inner
  if (step.kind === 'schedule' && Array.isArray(step.moves)) return step.moves.length
  if (step.kind === 'lifelines') return (step.lines as JsonObject[]).reduce((sum, line) => sum + 1 + (line.looks as Json[]).length, 0)
  return 1
}

/** Fields that hold steps. */
const stepLists = ['load', 'steps'] as const
/** Lists of what streams there are, and of what is done to them. */
const streamLists = new Set(['kinds', 'cases', 'faults', 'lines', 'looks', 'creates', 'moves'])
const readerLists = new Set(['via', 'modes', 'variants'])
const streamCounts = new Set(['each', 'records', 'acknowledged', 'copies', 'paths', 'streams', 'operationsEach', 'bytes', 'payloadBytes', 'requests', 'events'])
const readerCounts = new Set(['readers', 'writers', 'generations', 'late', 'tabs', 'kindsEach', 'concurrency', 'atOnce'])
const faultCounts = new Set(['times', 'n', 'upToMore'])
const faultFields = new Set(['after', 'until', 'thenAwait', 'upToMore'])
/** Without these times a schedule is the same one, quicker; what a protocol or a check counts by is left as it is. */
const times = new Set(['everyMs', 'lastsMs', 'afterMs', 'outageMs', 'quietMs'])
/** What a move can do without. */
const moveFields = new Set(['afterMs', 'readers', 'swapped', 'credentials', 'validated', 'together', 'json', 'bytes'])
const worldFields = ['faultProxy', 'figures', 'operated', 'limited', 'links', 'browser', 'numbersResponses', 'origin', 'dataVolumeBytes', 'dataDiskBytes'] as const

// --- the families ----------------------------------------------------------------------------

/** Large leaps that are right most often: all of them at once, then each by itself. */
function guesses(scenario: Scenario, failure: FailureWords): Reduction[] {
  const onlyHit = (value: Json, name: string): Json => (Array.isArray(value) && (streamLists.has(name) || readerLists.has(name)) ? onlyNamed(value, failure) : value)
  const fewest = (value: Json, name: string): Json => (typeof value === 'number' && (streamCounts.has(name) || readerCounts.has(name) || name === 'times') ? Math.min(value, 1) : value)
  const leaps: ((from: Scenario) => Reduction)[] = [
    (from) => withoutHops(from, from.world.hops.filter((hop) => hop !== 'origin')),
    (from) => withoutHops(from, ['tls']),
    (from) => changed(from, 'only what was hit', onlyHit),
    (from) => changed(from, 'one of each', fewest),
  ]
  const all = leaps.reduce((from, leap) => leap(from).scenario, scenario)
  return [{ key: 'all leaps', scenario: all }, ...leaps.map((leap) => leap(scenario))].filter((reduction) => !isSame(reduction.scenario, scenario))
}

/** What the fingerprint names, or else what the first line of the evidence does, as `name-0`; all, where they name nothing of it. */
function onlyNamed(list: Json[], { fingerprint, evidence }: FailureWords): Json[] {
  const parts = fingerprint.split('/').slice(2)
  const nameOf = (one: Json) => String(isObject(one) ? one.name : one)
  const named = list.filter((one) => parts.includes(nameOf(one)))
  if (named.length > 0) return named
  // One name may begin with another.
  const longestFirst = list.toSorted((a, b) => nameOf(b).length - nameOf(a).length)
  const shown = longestFirst.find((one) => evidence[0]?.includes(`${nameOf(one)}-`))
  return shown === undefined ? list : [shown]
}

/** Steps left out, in pieces from half of a list down to one; and those that hold others replaced by these. */
function operations(scenario: Scenario): Reduction[] {
  return listsOf(scenario).flatMap((place) => {
    if (!place.list.every(isStep)) return []
    const unwrapped = place.list.flatMap((step, index) => unwrappings(step).map((inner) => at(scenario, place.path, `unwrap ${JSON.stringify(step)}`, place.list.toSpliced(index, 1, ...inner))))
    return [...withoutPieces(scenario, place, 0), ...unwrapped]
  })
}

/** What remains of a step that is only around others. */
function unwrappings(step: Json): Json[][] {
  const { kind, steps, load } = step as JsonObject
  if (kind === 'repeat' || kind === 'fault' || kind === 'flip-a-byte') return [steps as Json[]]
  if (kind === 'during') return [steps as Json[], [...(load as Json[]), ...(steps as Json[])]]
  return []
}

function streams(scenario: Scenario): Reduction[] {
  return [...inLists(scenario, streamLists), ...inCounts(scenario, streamCounts), ...plainerMoves(scenario)]
}

function readers(scenario: Scenario): Reduction[] {
  return [...inLists(scenario, readerLists), ...inCounts(scenario, readerCounts)]
}

function faults(scenario: Scenario): Reduction[] {
  const world = worldFields.filter((name) => scenario.world[name] !== undefined).map((name): Reduction => {
    const { [name]: _gone, ...rest } = scenario.world
    return { key: `world ${name}`, scenario: { ...scenario, world: rest } }
  })
  const variants = scenario.world.origin?.variants ?? []
  const fewer = variants.map((variant): Reduction => ({
    key: `variant ${variant}`,
    scenario: { ...scenario, world: { ...scenario.world, origin: { ...scenario.world.origin, variants: variants.filter((one) => one !== variant) } } },
  }))
  return [...inCounts(scenario, faultCounts), ...withoutFields(scenario, faultFields), ...fewer, ...world]
}

function timing(scenario: Scenario): Reduction[] {
  return numbersOf(scenario, times).flatMap(({ path, value }) => (value > 1 ? [at(scenario, path, `${path.at(-1)} ${value}`, Math.floor(value / 2))] : []))
}

/** The moves of a schedule, each without what it can do without. */
function plainerMoves(scenario: Scenario): Reduction[] {
  return objectsOf(scenario).filter(({ value }) => typeof value.do === 'string' && typeof value.stream === 'string').flatMap(({ path, value }) =>
    Object.keys(value).filter((name) => moveFields.has(name)).map((name) => {
      const { [name]: _gone, ...rest } = value
      return at(scenario, path, `${name} of ${JSON.stringify(value)}`, rest)
    }),
  )
}

function inLists(scenario: Scenario, names: ReadonlySet<string>): Reduction[] {
  return listsOf(scenario).filter(({ path }) => names.has(String(path.at(-1)))).flatMap((place) => withoutPieces(scenario, place, 1))
}

function inCounts(scenario: Scenario, names: ReadonlySet<string>): Reduction[] {
  return numbersOf(scenario, names).flatMap(({ path, value }) =>
    [...new Set([1, Math.floor(value / 2)])].filter((less) => less >= 1 && less < value).map((less) => at(scenario, path, `${path.at(-1)} ${value} to ${less}`, less)),
  )
}

function withoutFields(scenario: Scenario, names: ReadonlySet<string>): Reduction[] {
  return objectsOf(scenario).flatMap(({ path, value }) =>
    Object.keys(value).filter((name) => names.has(name)).map((name) => {
      const { [name]: gone, ...rest } = value
      return at(scenario, path, `${name} ${JSON.stringify(gone)}`, rest)
    }),
  )
}

/** The world without these hops: who went by them goes by what is left, and what acts on them is gone. */
function withoutHops(scenario: Scenario, gone: readonly string[]): Reduction {
  const hops = scenario.world.hops.filter((hop) => !gone.includes(hop))
  const last = hops.at(-1) ?? 'origin'
  const acts = (value: Json): boolean => isStep(value) && (gone.includes(String(value.hop)) || (gone.includes('tls') && value.path === 'tls-h2') || (gone.includes('edge') && value.path === 'edge-http1'))
  const moved = (value: Json, name: string): Json => {
    if (name === 'via' && typeof value === 'string') return gone.includes(value) ? last : value
    if (name === 'via' && Array.isArray(value)) return [...new Set(value.map((way) => (gone.includes(String(way)) ? last : way)))]
    return Array.isArray(value) ? value.filter((one) => !acts(one)) : value
  }
  const { scenario: without, key } = changed(scenario, `without ${gone.join(' and ')}`, moved)
  return { key, scenario: { ...without, world: { ...without.world, hops } } }
}

// --- places in a scenario --------------------------------------------------------------------

type Path = (string | number)[]

interface Place<V> {
  path: Path
  value: V
}

function* places(value: Json, path: Path): Generator<Place<Json>> {
  yield { path, value }
  if (Array.isArray(value)) for (const [index, one] of value.entries()) yield* places(one, [...path, index])
  else if (isObject(value)) for (const [name, field] of Object.entries(value)) yield* places(field, [...path, name])
}

function placesOf({ steps, healed }: Scenario): Place<Json>[] {
  return [...places(steps as unknown as Json, ['steps']), ...places(healed as unknown as Json, ['healed'])]
}

function listsOf(scenario: Scenario): { path: Path; list: Json[] }[] {
  return placesOf(scenario).flatMap(({ path, value }) => (Array.isArray(value) ? [{ path, list: value }] : []))
}

function objectsOf(scenario: Scenario): Place<JsonObject>[] {
  return placesOf(scenario).filter((place): place is Place<JsonObject> => isObject(place.value))
}

function numbersOf(scenario: Scenario, names: ReadonlySet<string>): Place<number>[] {
  return placesOf(scenario).filter((place): place is Place<number> => typeof place.value === 'number' && names.has(String(place.path.at(-1))))
}

/** The list without a half of it, a quarter, and so on down to one element; never without the last `min`. */
function withoutPieces(scenario: Scenario, { path, list }: { path: Path; list: Json[] }, min: number): Reduction[] {
  const found: Reduction[] = []
  for (let size = min === 0 ? list.length : Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < list.length; from += size) {
      const kept = list.toSpliced(from, size)
      if (kept.length < list.length && kept.length >= min) found.push(at(scenario, path, `${path.at(-1)} without ${JSON.stringify(list.slice(from, from + size))}`, kept))
    }
  }
  return found
}

/** The scenario with another value at this path. */
function at(scenario: Scenario, path: Path, key: string, value: Json): Reduction {
  return { key, scenario: replaced(scenario as unknown as Json, path, value) as unknown as Scenario }
}

function replaced(whole: Json, [name, ...rest]: Path, value: Json): Json {
  if (name === undefined) return value
  if (Array.isArray(whole)) return whole.with(Number(name), replaced(whole[Number(name)]!, rest, value))
  return { ...(whole as JsonObject), [name]: replaced((whole as JsonObject)[name]!, rest, value) }
}

/** The scenario with each value of its steps changed, from the outside to the inside. */
function changed(scenario: Scenario, key: string, change: (value: Json, name: string) => Json): Reduction {
  const deep = (value: Json, name: string): Json => {
    const now = change(value, name)
    if (Array.isArray(now)) return now.map((one) => deep(one, ''))
    return isObject(now) ? Object.fromEntries(Object.entries(now).map(([inner, field]) => [inner, deep(field, inner)])) : now
  }
  const steps = (list: Scenario['steps']) => deep(list as unknown as Json, 'steps') as unknown as Scenario['steps']
  return { key, scenario: { ...scenario, steps: steps(scenario.steps), healed: steps(scenario.healed) } }
}

function isSame(one: Scenario, other: Scenario): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
