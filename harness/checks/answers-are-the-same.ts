/**
 * The same question to the same stream has the same answer, before and after a routine: status,
 * headers and bytes. Compression may take its own headers with it and mark the ETag; what tells the
 * time or the connection is not compared.
 */
import type { Check } from '../check.ts'
import type { Look } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { Findings } from './findings.ts'
import { Traits } from './traits.ts'

interface State {
  /** Answers of the first group, by question and way. */
  first: Map<string, Look>
  firstGroup: string | null
  /** By group, how many answers were compared. */
  groups: Map<string, number>
  different: Findings
  traits: Traits<'what' | 'stream' | 'via'>
  failed: string[]
}

/** Of the moment, of the connection, or of the way it took. */
const notCompared = ['date', 'age', 'x-varnish', 'via', 'connection', 'keep-alive', 'content-length', 'transfer-encoding', 'content-encoding', 'stream-cursor', 'alt-svc', 'x-cache']

export const answersAreTheSameCheck: Check<State, object> = {
  id: 'answers-are-the-same',
  title: 'Every answer is the same as before the routine',
  hangsOnTime: true,
  init: () => ({ first: new Map(), firstGroup: null, groups: new Map(), different: new Findings(), traits: new Traits(), failed: [] }),
  step(state, event) {
    if (event.kind !== 'look') return
    state.firstGroup ??= event.group
    const key = `${event.what} by ${event.via}`
    if (event.group === state.firstGroup) {
      state.first.set(key, event)
      if (event.status === null) state.failed.push(`${key}: ${event.error}`)
      return
    }
    const before = state.first.get(key)
    if (before === undefined || before.status === null) return
    state.groups.set(event.group, (state.groups.get(event.group) ?? 0) + 1)
    for (const [what, was, is] of differences(before, event)) {
      state.traits.note({ what, stream: event.what.split(', ')[0]!, via: event.via })
      state.different.note(`${key} ${event.group} ${what}`, null, () => `${key}, ${event.group}: ${what} was ${was}, and is ${is}`)
    }
  },
  finish({ first, groups, different, traits, failed }) {
    const compared = [...groups.values()].reduce((sum, count) => sum + count, 0)
    const figures = { value: different.count, unit: 'differences', limit: 0 }
    if (different.count > 0) return fail(compared, `${different.counted} differences in ${number(compared)} answers, held against those before the routine.`, different.evidence, `answers-are-the-same/${traits.of('what')}/${traits.of('stream')}/${[...groups.keys()][0]}/${traits.of('via')}`, figures)
    if (failed.length > 0) return unknown(`${plural(failed.length, 'question')} had no answer even before the routine.`, failed, compared)
    const short = [...groups].filter(([, count]) => count < first.size)
    if (short.length > 0) return unknown(`After the routine fewer questions were asked than before it (${short.map(([group, count]) => `${group}: ${count} of ${first.size}`).join(', ')}).`, [], compared)
    return pass(compared, `${number(compared)} answers (${[...groups.keys()].join(', ')}) are those of before the routine: status, headers and bytes.`, figures)
  },
}

function differences(before: Look, after: Look): [what: string, was: string, is: string][] {
  if (after.status === null) return [['answer', String(before.status), after.error ?? 'none']]
  if (before.status !== after.status) return [['status', String(before.status), String(after.status)]]
  const found: [string, string, string][] = []
  const [was, is] = [comparable(before), comparable(after)]
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    if (was[name] !== is[name]) found.push([name, was[name] ?? 'missing', is[name] ?? 'missing'])
  }
  if (before.sha256 !== after.sha256) found.push(['body', `${before.bytes} bytes ${before.sha256.slice(0, 8)}`, `${after.bytes} bytes ${after.sha256.slice(0, 8)}`])
  return found
}

/** A 304 need not repeat what describes the body that the client has (RFC 9110, 15.4.5). */
const notOf304 = /^content-|^stream-|^cross-origin-|^x-content-/

function comparable({ headers, status }: Look): Record<string, string> {
  const isCompared = (name: string) => !notCompared.includes(name) && !(status === 304 && notOf304.test(name))
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => isCompared(name)))
  // Whether there is a cursor is compared, not what time it tells.
  if (headers['stream-cursor'] !== undefined && status !== 304) kept['stream-cursor'] = 'there'
  if (kept.etag !== undefined) kept.etag = kept.etag.replace(/^W\//, '').replace(/-(gzip|zstd)"$/, '"')
  const vary = (kept.vary ?? '').split(/,\s*/).filter((name) => name !== '' && name.toLowerCase() !== 'accept-encoding')
  delete kept.vary
  return vary.length > 0 ? { ...kept, vary: vary.join(', ') } : kept
}
