/**
 * A step in words, as its row of the timeline: `kill the origin after 25 to 50 acknowledged
 * appends`. Steps of the same words share a row.
 */
import { modeWords, throughWords } from './crowd-words.ts'
import type { Via } from './history.ts'
import { hopWords, viaWords } from './hop-words.ts'
import { bytes, faultWords, number, plural } from './report/figures.ts'
import { variantById } from './variants.ts'
import type { AnyStep, Sized, Trigger } from './step.ts'
import type { Step } from './steps.ts'
import type { CreateStreams } from './steps/create-streams.ts'
import type { Schedule } from './steps/schedule.ts'
import type { CrowdStep } from './steps/crowd.ts'
import type { Start } from './steps/start-stop.ts'

type Size = (sized: Sized) => number

/** Null for a step that only holds others: these have rows of their own. A kind without words does not compile. */
const words: { [S in Step as S['kind']]: (step: S, size: Size) => string | null } = {
  append: ({ writers, via }) => `append with ${plural(writers, 'writer')}${via === 'origin' ? '' : ` ${through([via])}`}`,
  conformance: ({ via }) => `run the conformance suite ${through(via)}`,
  'cut-power': () => 'the power of the origin\'s disk is cut',
  'crash-in-append': ({ written }) => `crash in the middle of an append: ${written === 'half' ? 'half of its data' : 'its data, but not its metadata,'} is written`,
  'create-streams': createWords,
  during: () => null,
  exchanges: ({ requests }) => `send ${plural(requests.length, 'request')}, one after another`,
  soak: () => null,
  kill: ({ hop, after }) => `kill the ${hopWords[hop]}${afterWords(after)}`,
  'read-all': ({ via, streams }) => `read ${streams === '' ? 'everything' : `"${streams}" streams`} back ${through(via)}`,
  'read-copied-streams': ({ served }) => (served ? 'read every stream of the copied data_dir' : 'look at the files of the copied data_dir'),
  repeat: () => null,
  generations: ({ mode, readers }) => `${plural(readers * 3, 'reader')} in three generations at one offset, ${modeWords[mode]}`,
  'odd-requests': ({ oddities }) => `write and read in ${plural(oddities.length, 'odd way')} through the cache`,
  schedule: scheduleWords,
  replay: ({ recording, via, speed }) => `replay ${recording} ${through([via])}${speed === 1 ? '' : `, ${number(speed)} times as fast`}`,
  start: startWords,
  lifelines: ({ copies, lines }, size) => `look at ${plural(size(copies) * lines.length, 'stream')} around the end of their lifetime`,
  'refused-creates': ({ creates }) => `ask for ${plural(creates.length, 'stream')} with a wrong lifetime`,
  'watch-disk': ({ streams, streamBytes, ttlSeconds }) => `fill ${plural(streams, 'stream')} of ${bytes(streamBytes)} with a TTL of ${ttlSeconds} s, then watch the disk`,
  handshakes: () => 'shake hands with the TLS edge, read over plain HTTP',
  'page-operations': ({ via, origin }) => `use the client in a browser's page ${through(via)}${origin === 'down' ? ', with the origin down' : ''}`,
  'page-preflights': ({ via }) => `ask for every method and header from a browser's page ${through(via)}`,
  'page-tabs': ({ via, tabs }) => `hold ${plural(tabs, 'tab')} of a browser ${through(via)}`,
  passages: ({ mode, events, via }) => `follow ${number(events)} ${modeWords[mode]} events ${through(via)}`,
  churn: ({ operationsEach, label }) => `${plural(operationsEach, 'read or append', 'reads and appends')} on each stream, ${label === 'own' ? 'at its own setting' : label.replaceAll('-', ' ')}`,
  fault: ({ words: what, after }) => `${what}${afterWords(after)}`,
  'flip-a-byte': ({ where }) => `change a byte in the ${where === 'payload' ? 'payload of a record' : 'length before a record'} of some streams`,
  'second-server': ({ on }) => `start a second server on the same ${on === 'port' ? 'port' : 'data_dir'}`,
  crowd: crowdWords,
  producers: ({ cases, via, kinds }) => `idempotent producers: ${cases === 'every' ? 'every case' : and(cases)} on ${and(kinds)} streams ${through(via)}`,
  'client-heads': () => 'ask for the state of a stream that is there and of one that is not, with the client library',
  'client-meets': ({ faults, modes, when }) => `live readers (${and(modes)}) meet ${faults === 'every' ? 'every fault' : and(faults)}, ${and(when.map((one) => (one === 'first' ? 'at first' : 'when they reconnect')))}`,
  'client-writers': ({ cases, kinds }) => `writers with the client library: ${cases === 'every' ? 'every case' : and(cases)} on ${and(kinds)} streams`,
  'clients-come-back': ({ readers, outageMs }, size) => `${plural(size(readers), 'live reader')}, and the cache away for ${number(outageMs)} ms`,
  'producers-go-on': ({ via }) => `idempotent producers go on ${through(via)}`,
  follow: ({ modes, via }) => `follow streams live: ${and(modes.map((mode) => modeWords[mode]))}, ${through(via)}`,
  'await-readers': () => null,
  'await-events': () => null,
  'close-streams': ({ via, lastRecord }) => `close streams ${lastRecord ? 'with a last record ' : ''}${through([via])}`,
  look: ({ via, group }) => `ask for answers of every mode ${through(via)}: ${group.replaceAll('-', ' ')}`,
  'ask-as-stranger': ({ via }) => `ask without credentials ${through(via)}`,
  operate: ({ routine }) => faultWords(routine),
  'see-variants': ({ variants }) => `see whether it runs ${and(variants.map((id) => variantById(id).words))}`,
  'pad-log': ({ requests, headerBytes }) => `${number(requests)} requests with ${bytes(headerBytes)} of headers`,
  stop: ({ hop, signal, after }) => `stop the ${hopWords[hop]} (${signal})${afterWords(after)}`,
}

/** The words of a step at this run's sizes; null for one that has no row of its own. */
export function stepWords(step: AnyStep, size: Size): string | null {
  const of = (words as Record<string, ((step: never, size: Size) => string | null) | undefined>)[step.kind]
  return of === undefined ? step.kind : of(step as never, size)
}

function through(via: readonly Via[]): string {
  return `through ${and(via.map((one) => viaWords[one] ?? one))}`
}

function createWords({ kinds, each }: CreateStreams, size: Size): string | null {
  const count = size(each)
  if (count === 0) return null
  if (kinds === 'every') return `create ${plural(count, 'stream')} of every kind`
  if (kinds.length === 1) return `create ${plural(count, `${kinds[0]} stream`)}`
  return `create ${plural(count, 'stream')} of each of ${number(kinds.length)} kinds`
}

function startWords({ hop, settings, label }: Start): string {
  const handles = settings?.maxFileHandles === undefined ? '' : ` with max_file_handles ${number(settings.maxFileHandles)}`
  const variants = settings?.variants === undefined ? '' : ` ${and(settings.variants.map((id) => variantById(id).words))}`
  if (variants !== '') return `start the ${hopWords[hop]}${handles}${variants}`
  return `start the ${hopWords[hop]}${handles}${label === undefined ? '' : `: ${label}`}`
}

function crowdWords({ mode, path, readers, generations, late }: CrowdStep, size: Size): string {
  const more = generations === 1 ? '' : `, ${number(generations)} crowds`
  const then = late === undefined ? '' : `${more === '' ? ',' : ''} and a late one`
  return `${number(size(readers))} readers, ${modeWords[mode]} ${throughWords[path]}${more}${then}`
}

function scheduleWords({ moves, paths, endless }: Schedule, size: Size): string {
  if (moves) return `play ${plural(moves.length, 'move')} of writers and readers`
  return `write and read ${endless ? 'path after path' : plural(size(paths), 'path')} by schedule`
}

function afterWords(after: Trigger | undefined): string {
  if (after === undefined) return ''
  const most = after.n + (after.upToMore ?? 0)
  const count = most === after.n ? number(after.n) : `${number(after.n)} to ${number(most)}`
  return ` after ${count} ${after.event === 'append.ok' ? `acknowledged append${most === 1 ? '' : 's'}` : `times ${after.event}`}`
}

function and(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
