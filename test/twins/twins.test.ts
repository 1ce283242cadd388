/**
 * Every check has a planted twin: a real program, broken in one behaviour, on which the declared
 * checks turn red. The public command is run on the twin and on the unbroken base; what is red on
 * the twin and was not red on the base must be exactly what was declared, and have passed there.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkById, checkIds } from '../../harness/checks.ts'
import { findBrowser } from '../../harness/provision/browser.ts'
import type { CheckResult } from '../../harness/report/result.ts'
import { judgePlanted } from './judge-planted.ts'

const here = import.meta.dirname
const readers = 150
/** More than the largest pool of file handles and its slack. */
const streams = 130

interface Twin {
  id: string
  /** The hop that is broken in this behaviour: the edge by its VCL, the others by a program. */
  breaks: 'origin' | 'edge' | 'tls' | 'client' | 'tap'
  scenario: string
  /** Checks that must turn red; no other may. */
  reddens: string[]
  /** What the same program does better than the reference server, where that is red by itself; of an edge, the origin behind it. */
  base?: string
  /** The program that is broken, where it is not the usual one of its hop. */
  program?: string
  /** Of a drawn schedule: how long it is, and which. */
  streams?: number
  seed?: number
  /** It needs a volume of its own size. */
  needsRoot?: boolean
  /** The pool of file handles that twin and base say they have. */
  fileHandles?: number
  /** The variants that twin and base say they have. */
  variants?: string
  /** By check: the figure of its verdict, where one thing was broken and one must be found. */
  values?: Record<string, number>
}

/** Needs a browser. */
const pages = 'pages-of-another-origin-work'

/** Runs the conformance suite three times. */
const suiteWithVariants = 'conformance-with-variants'

/** The origin on which no scenario is red, broken in one thing. */
const onSound = { breaks: 'origin' as const, program: 'sound-origin.ts', base: 'sound' }

/** A cache, broken, in front of an origin on which its checks are green. */
const behindSound = { breaks: 'edge' as const, program: 'marks-private.ts', base: 'sound' }

/** The programs of the time of a public report: its scenario is red on them. */
const incidents: Twin[] = [
  ...[
    { id: 'ends-event-streams-without-the-last-record', scenario: 'incident-376-last-record-before-a-close', reddens: ['live-readers-miss-nothing'] },
    { id: 'deletes-twice', scenario: 'incident-376-deleted-source', reddens: ['exchange-is-answered'] },
    { id: 'pins-the-source-of-a-refused-fork', scenario: 'incident-376-deleted-source', reddens: ['exchange-is-answered'] },
    { id: 'appends-at-once-share-an-offset', scenario: 'incident-340-appends-at-once', reddens: ['offsets-only-advance'] },
    { id: 'closed-in-small-letters-only', scenario: 'incident-248-closed-in-capitals', reddens: ['exchange-is-answered'] },
    { id: 'no-cursor-without-news', scenario: 'incident-138-cursor-on-live-answers', reddens: ['exchange-is-answered'] },
    { id: 'ttl-counts-from-the-creation', scenario: 'incident-321-reads-and-writes-renew-a-ttl', reddens: ['alive-until-expiry'] },
    { id: 'leaves-what-nobody-was-told', scenario: 'incident-143-producer-after-a-crash', reddens: ['nothing-is-twice'] },
    { id: 'cannot-read-behind-a-torn-tail', scenario: 'incident-358-torn-tail', reddens: ['every-stream-can-be-read'] },
  ].map((twin) => ({ ...twin, breaks: 'origin' as const, program: 'incident-origin.ts', base: 'sound' })),
  ...[
    { id: 'never-asks-on-reconnect', scenario: 'incident-320-onerror-on-a-reconnect', reddens: ['errors-reach-the-handler', 'transients-are-outlasted'] },
    { id: 'ends-in-the-middle', scenario: 'incident-293-errors-in-the-middle', reddens: ['transients-are-outlasted'] },
    { id: 'spins-on-a-stored-poll', scenario: 'incident-293-stored-poll', reddens: ['retries-are-paced'] },
    { id: 'asks-live-at-first', scenario: 'incident-354-first-read-is-shared', reddens: ['first-read-is-shared'] },
    { id: 'ignores-retry-after', scenario: 'incident-electric-3348-retry-after', reddens: ['retry-after-is-honoured'] },
    { id: 'retries-a-missing-body', scenario: 'incident-294-head-of-a-missing-stream', reddens: ['client-head-ends'] },
    { id: 'claims-beside-its-batches', scenario: 'incident-371-auto-claim', reddens: ['client-writers-lose-nothing'] },
  ].map((twin) => ({ ...twin, breaks: 'client' as const, base: 'sound-client' })),
  { id: 'ignores-the-query', breaks: 'edge', scenario: 'incident-electric-3889-query-left-out', reddens: ['edge-tells-the-truth'] },
  { id: 'keeps-what-is-missing', breaks: 'edge', scenario: 'incident-electric-2501-stored-error', reddens: ['edge-tells-the-truth'] },
  { id: 'keeps-empty-polls', breaks: 'edge', scenario: 'incident-electric-2593-empty-polls', reddens: ['edge-tells-the-truth', 'readers-never-spin'] },
  { id: 'ttl-ignored', breaks: 'origin', scenario: 'incident-101-expired-streams-are-gone', reddens: ['expired-is-gone'] },
  { id: 'logger-cannot-flush', ...onSound, scenario: 'incident-252-wrapper', variants: 'access-log', reddens: ['live-readers-miss-nothing', 'no-answer-is-wrong'] },
]

const twins: Twin[] = [
  {
    id: 'memory-only',
    breaks: 'origin',
    scenario: 'restart-keeps-data',
    reddens: ['nothing-acknowledged-is-lost', 'every-stream-still-exists'],
  },
  {
    id: 'loses-json-at-restart',
    breaks: 'origin',
    scenario: 'restart-keeps-data',
    reddens: ['nothing-acknowledged-is-lost', 'every-stream-still-exists'],
  },
  { id: 'drops-one-append', breaks: 'origin', scenario: 'restart-keeps-forks', reddens: ['nothing-acknowledged-is-lost'] },
  { id: 'doubles-one-append', breaks: 'origin', scenario: 'restart-keeps-forks', reddens: ['nothing-is-twice'] },
  { id: 'stores-what-it-refuses', breaks: 'origin', scenario: 'restart-keeps-forks', reddens: ['nothing-refused-is-stored'] },
  { id: 'reorders-one-append', breaks: 'origin', scenario: 'restart-keeps-forks', reddens: ['order-is-kept'] },
  { id: 'never-ready-again', breaks: 'origin', scenario: 'start-is-ready-in-time', reddens: ['ready-within'] },
  {
    id: 'ttl-ignored',
    breaks: 'origin',
    scenario: 'lifetimes-end',
    reddens: ['expired-is-gone', 'nothing-is-torn', 'refused-creates-create-nothing'],
  },
  { id: 'ttl-doubled', breaks: 'origin', scenario: 'lifetimes-end', reddens: ['expired-is-gone'] },
  { id: 'ttl-halved', breaks: 'origin', scenario: 'lifetimes-end', reddens: ['alive-until-expiry'] },
  { id: 'expired-path-serves-old-bytes', breaks: 'origin', scenario: 'lifetimes-end', reddens: ['nothing-is-torn'] },
  { id: 'holds-readers-of-the-expired', ...behindSound, breaks: 'origin', scenario: 'lifetimes-end', reddens: ['live-readers-end'] },
  {
    id: 'descriptor-leak',
    breaks: 'origin',
    scenario: 'more-streams-than-file-handles',
    base: 'bounded-pool',
    fileHandles: 100,
    reddens: ['files-stay-bounded'],
  },
  {
    id: 'handle-limit-becomes-errors',
    breaks: 'origin',
    scenario: 'more-streams-than-file-handles',
    base: 'bounded-pool',
    fileHandles: 100,
    reddens: ['files-stay-bounded', 'nothing-is-refused'],
  },
  {
    id: 'shares-its-data-dir',
    breaks: 'origin',
    scenario: 'a-second-server-does-no-harm',
    base: 'locks-its-data-dir',
    reddens: ['second-server-is-refused'],
  },
  {
    id: 'keeps-expired-bytes',
    breaks: 'origin',
    scenario: 'expired-streams-free-their-disk',
    base: 'frees-expired-streams',
    reddens: ['disk-comes-back'],
  },
  { id: 'accepts-a-stale-epoch', breaks: 'origin', scenario: 'producers-write-once', reddens: ['producer-answers-are-right'] },
  { id: 'accepts-a-gap', breaks: 'origin', scenario: 'producers-write-once', reddens: ['producer-answers-are-right'] },
  { id: 'stores-duplicates', breaks: 'origin', scenario: 'producers-write-once', reddens: ['nothing-is-twice'] },
  {
    id: 'forgets-producers-at-restart',
    breaks: 'origin',
    scenario: 'producers-write-once',
    reddens: ['nothing-is-twice', 'producer-answers-are-right'],
  },
  ...[
    { id: 'ignores-sigterm', reddens: ['stops-within-grace'] },
    { id: 'forgets-at-a-stop', reddens: ['live-readers-miss-nothing', 'nothing-acknowledged-is-lost'] },
    { id: 'ends-readers-with-an-error', reddens: ['no-answer-is-wrong'] },
    { id: 'skips-a-record-on-resumption', reddens: ['live-readers-miss-nothing'] },
    { id: 'repeats-on-resumption', reddens: ['live-readers-miss-nothing'] },
    { id: 'stalls-readers-after-a-start', reddens: ['live-readers-resume'] },
  ].map((twin) => ({ ...twin, breaks: 'origin' as const, scenario: 'stop-with-live-readers', base: 'stops-at-once' })),
  ...[
    { id: 'never-asks-on-reconnect', scenario: 'clients-meet-errors', reddens: ['errors-reach-the-handler', 'transients-are-outlasted'] },
    { id: 'retries-401-for-ever', scenario: 'clients-meet-errors', reddens: ['handler-is-honoured'] },
    { id: 'ignores-retry-after', scenario: 'clients-meet-errors', reddens: ['retry-after-is-honoured'] },
    { id: 'loses-the-cut-tail', scenario: 'clients-meet-errors', reddens: ['readers-miss-nothing'] },
    { id: 'doubles-after-a-cut', scenario: 'clients-meet-errors', reddens: ['readers-miss-nothing'] },
    { id: 'retries-without-backoff', scenario: 'clients-meet-errors', reddens: ['retries-are-paced'] },
    { id: 'comes-back-at-once', scenario: 'clients-come-back', reddens: ['crowd-comes-back-spread'] },
    { id: 'believes-a-foreign-duplicate', scenario: 'client-writers', reddens: ['client-writers-lose-nothing'] },
    { id: 'claims-when-fenced', scenario: 'client-writers', reddens: ['client-writers-lose-nothing'] },
    { id: 'sends-an-append-twice', scenario: 'client-writers', reddens: ['client-writers-lose-nothing'] },
    { id: 'sends-the-last-first', scenario: 'client-writers', reddens: ['client-writers-lose-nothing'] },
  ].map((twin) => ({ ...twin, breaks: 'client' as const, base: 'sound-client' })),
  ...[
    { id: 'logger-cannot-flush', scenario: 'with-access-log', reddens: ['answers-are-the-same', 'events-pass-unbuffered', 'live-readers-miss-nothing', 'live-readers-resume', 'no-answer-is-wrong'] },
    { id: 'encoder-collects-events', scenario: 'with-compression', reddens: ['answers-are-the-same', 'live-readers-resume'] },
    { id: 'encoder-drops-the-etag', scenario: 'with-compression', reddens: ['answers-are-the-same'] },
    { id: 'lets-strangers-poll', scenario: 'with-basic-auth', reddens: ['private-stays-private'] },
    { id: 'limit-cuts-bodies', scenario: 'with-request-limit', reddens: ['answers-are-the-same', 'nothing-is-torn'] },
    { id: 'refuses-to-reload', scenario: 'reload-under-load', reddens: ['routine-is-done'] },
    { id: 'forgets-up-to-date-after-a-reload', scenario: 'reload-under-load', reddens: ['answers-are-the-same'] },
  ].map((twin) => ({ ...twin, ...onSound, variants: 'access-log,admin-api,basic-auth,compression,request-limit' })),
  { id: 'stalls-after-a-cut', breaks: 'origin', scenario: 'network-faults-heal', base: 'memory-only', reddens: ['live-readers-resume'] },
  ...[
    { id: 'stays-refusing-after-a-full-disk', reddens: ['full-disk-is-reported'] },
    { id: 'unreadable-after-a-full-disk', reddens: ['every-stream-can-be-read'] },
    { id: 'acknowledges-on-a-full-disk', reddens: ['nothing-acknowledged-is-lost'] },
  ].map((twin) => ({ ...twin, breaks: 'origin' as const, scenario: 'disk-full-loses-nothing', base: 'asks-for-room', needsRoot: true })),
  ...[
    { id: 'forgets-to-force', reddens: ['every-stream-still-exists', 'nothing-acknowledged-is-lost'] },
    { id: 'forces-appends-only', reddens: ['every-stream-still-exists'] },
  ].map((twin) => ({ ...twin, ...onSound, scenario: 'power-cut-loses-nothing', needsRoot: true })),
  ...[
    { id: 'ignores-checksums', reddens: ['damage-is-reported'] },
    { id: 'cuts-streams-off-at-damage', reddens: ['damage-is-reported'] },
    { id: 'cuts-everything-off-at-damage', reddens: ['damage-is-reported', 'nothing-acknowledged-is-lost'] },
  ].map((twin) => ({ ...twin, ...onSound, scenario: 'flipped-byte-is-reported' })),
  { id: 'drops-the-cursor', breaks: 'edge', scenario: 'fan-out-long-poll', reddens: ['cursor-moves-on'] },
  { id: 'never-collapses', breaks: 'edge', scenario: 'fan-out-long-poll', reddens: ['crowd-collapses'] },
  { id: 'serves-a-stale-tail', breaks: 'edge', scenario: 'fan-out-catch-up', reddens: ['crowd-is-served-right'] },
  {
    id: 'cuts-one-body',
    breaks: 'tls',
    scenario: 'fan-out-catch-up',
    reddens: ['crowd-is-served-right'],
    values: { 'crowd-is-served-right': 1 },
  },
  { id: 'certificate-of-another-name', breaks: 'tls', scenario: 'tls-edge-passes-everything', reddens: ['chain-is-verified'] },
  { id: 'certificate-has-expired', breaks: 'tls', scenario: 'tls-edge-passes-everything', reddens: ['chain-is-verified'] },
  { id: 'certificate-is-self-signed', breaks: 'tls', scenario: 'tls-edge-passes-everything', reddens: ['chain-is-verified'] },
  { id: 'offers-no-h2', breaks: 'tls', scenario: 'tls-edge-passes-everything', reddens: ['chain-is-verified'] },
  { id: 'collects-events', breaks: 'tls', scenario: 'tls-edge-passes-everything', reddens: ['events-pass-unbuffered'] },
  { id: 'plain-http-serves-streams', breaks: 'tls', scenario: 'tls-edge-passes-everything', reddens: ['plain-http-serves-nothing'] },
  ...[
    { id: 'hides-etag', reddens: ['page-reads-every-header'] },
    { id: 'refuses-put', reddens: ['operations-work-from-another-origin', 'preflight-allows-everything'] },
    { id: 'errors-without-cors', reddens: ['operations-work-from-another-origin'] },
  ].map((twin) => ({ ...twin, ...onSound, scenario: pages })),
  { id: 'offers-no-h2', breaks: 'tls', scenario: pages, reddens: ['browsers-are-not-held-to-six'] },
  { id: 'fails-without-cors', ...onSound, breaks: 'edge', scenario: pages, reddens: ['operations-work-from-another-origin'] },
  { id: 'forgets-nosniff', ...onSound, scenario: 'conformance-suite-passes', reddens: ['conformance-at-origin'] },
  {
    id: 'encoder-drops-the-etag',
    ...onSound,
    variants: 'access-log,admin-api,basic-auth,compression',
    scenario: suiteWithVariants,
    reddens: ['conformance-is-unchanged'],
  },
  { id: 'drops-the-etag', breaks: 'edge', scenario: 'conformance-suite-passes', reddens: ['conformance-through-edge'] },
  ...[
    { id: 'forgets-no-append', reddens: ['edge-tells-the-truth'] },
    // What it kept of the life before is not shared in the next, either: it is asked for by each reader.
    { id: 'forgets-no-life', reddens: ['edge-tells-the-truth', 'offset-urls-are-shared'] },
    { id: 'keeps-what-is-missing', reddens: ['edge-tells-the-truth'] },
    { id: 'keeps-the-tail', reddens: ['edge-tells-the-truth'] },
    { id: 'shares-nothing', reddens: ['edge-tells-the-truth'] },
    { id: 'drops-etag', reddens: ['headers-reach-the-client'] },
    { id: 'drops-the-cursor', reddens: ['headers-reach-the-client'] },
    { id: 'rewrites-cache-control', reddens: ['headers-reach-the-client'] },
    { id: 'shares-private-answers', reddens: ['private-answers-stay-private'] },
    { id: 'shares-authorised-answers', reddens: ['private-answers-stay-private'] },
    { id: 'says-304-when-closed', reddens: ['revalidation-is-right'] },
    { id: 'hashes-the-query-as-written', reddens: ['offset-urls-are-shared'] },
  ].map((twin) => ({ ...twin, ...behindSound, scenario: 'cache-tells-the-truth', streams: 160, seed: 8 })),
  {
    id: 'tells-history-in-two-ways',
    ...behindSound,
    breaks: 'origin',
    scenario: 'cache-tells-the-truth',
    streams: 160,
    seed: 8,
    reddens: ['edge-tells-the-truth', 'offset-urls-are-shared'],
  },
  { id: 'keeps-ended-event-streams', ...behindSound, scenario: 'live-readers-never-loop', reddens: ['edge-tells-the-truth', 'readers-never-spin'] },
  ...[
    { id: 'obeys-a-readers-header', reddens: ['edge-tells-the-truth'] },
    { id: 'takes-a-type-for-live', reddens: ['edge-tells-the-truth'] },
    { id: 'hands-out-late-answers', reddens: ['edge-tells-the-truth'] },
    { id: 'keeps-an-error', reddens: ['answers-are-the-same'] },
    { id: 'refuses-whoever-comes-late', reddens: ['cache-makes-no-errors'] },
  ].map((twin) => ({ ...twin, breaks: 'edge' as const, scenario: 'odd-requests-are-told-the-truth' })),
  { id: 'hides-an-outage', ...behindSound, scenario: 'origin-down-is-told', reddens: ['origin-down-is-not-hidden'] },
  { id: 'ignores-the-query', breaks: 'edge', scenario: 'fan-out-catch-up', reddens: ['crowd-is-served-right'] },
  ...incidents,
]

const programs = {
  origin: { variable: 'DURABLE_STREAMS_TWIN_ORIGIN', file: 'broken-origin.ts' },
  tls: { variable: 'DURABLE_STREAMS_TWIN_TLS', file: 'broken-tls-edge.ts' },
  client: { variable: 'DURABLE_STREAMS_TWIN_CLIENT', file: 'broken-client.ts' },
  tap: { variable: 'DURABLE_STREAMS_TWIN_TAP', file: 'broken-tap.ts' },
}

/** What stands in for a hop in one run of the public command: a twin, or its sound base. */
interface Subject extends Pick<Twin, 'breaks' | 'program' | 'base' | 'streams' | 'seed' | 'fileHandles' | 'variants'> {
  id: string
}

async function checksOf(scenario: string, subject: Subject | null): Promise<CheckResult[]> {
  const vcl = subject?.breaks === 'edge' ? ['--vcl', path.join(here, 'vcl', `${subject.id}.vcl`)] : []
  const seed = subject?.seed === undefined ? [] : ['--seed', String(subject.seed)]
  const sizes = ['--readers', String(readers), '--streams', String(subject?.streams ?? streams), ...seed]
  const env = environmentOf(subject)
  const result = await judgePlanted([scenario, '--origin', 'reference', ...sizes, ...vcl], { ...env, DURABLE_STREAMS_TWIN_SIDE_BY_SIDE: '1' }, 200_000)
  const planted = result.banners.filter((banner) => banner.startsWith('TWIN'))
  expect(planted).toHaveLength('TWIN' in env ? 1 : 0)
  return result.scenarios.flatMap((one) => one.checks)
}

function environmentOf(subject: Subject | null): Record<string, string> {
  if (subject === null) return {}
  if (subject.breaks === 'edge') return subject.base === undefined ? {} : environmentOf({ ...subject, breaks: 'origin', id: subject.base })
  const { variable, file } = programs[subject.breaks]
  const { fileHandles, variants, program = file } = subject
  return {
    [variable]: path.join(here, 'programs', program),
    TWIN: subject.id,
    ...(fileHandles === undefined ? {} : { DURABLE_STREAMS_TWIN_FILE_HANDLES: String(fileHandles) }),
    ...(variants === undefined ? {} : { DURABLE_STREAMS_TWIN_VARIANTS: variants }),
  }
}

/** Ids of the checks with this verdict, each once: a scenario may ask the same of several things. */
function idsOf(checks: CheckResult[], verdict: CheckResult['verdict']): string[] {
  return [...new Set(checks.filter((check) => check.verdict === verdict).map((check) => check.id))]
}

const bases = new Map<string, Promise<CheckResult[]>>()

const keyOf = ({ scenario, base, program }: Twin) => `${scenario} ${base ?? ''} ${program ?? ''}`

/** One run for all twins of a scenario that share a base. */
function baseOf(of: Twin): Promise<CheckResult[]> {
  const { scenario, base, ...twin } = of
  const key = keyOf(of)
  const known = bases.get(key) ?? checksOf(scenario, base === undefined ? null : { ...twin, breaks: twin.breaks === 'edge' ? 'origin' : twin.breaks, id: base })
  bases.set(key, known)
  return known
}

const browser = await findBrowser({ env: process.env })
if (browser === null) console.warn('SKIPPED: no browser was found for the twins that are looked at with one (on Debian: apt-get install chromium).')
const isRoot = process.getuid!() === 0
if (!isRoot) console.warn('SKIPPED: twins of a full disk, for only root may mount a volume of its own size.')
const possible = twins.filter(({ scenario, needsRoot }) => (browser !== null || scenario !== pages) && (isRoot || !needsRoot))

/** The base, and another one the next time where a check that is to turn red did not pass on this one. */
async function soundBaseOf(twin: Twin): Promise<CheckResult[]> {
  const before = await baseOf(twin)
  const passed = idsOf(before, 'pass')
  if (!twin.reddens.every((check) => passed.includes(check))) bases.delete(keyOf(twin))
  return before
}

async function isFound(_id: string, twin: Twin): Promise<void> {
  const before = await soundBaseOf(twin)
  expect(idsOf(before, 'pass'), 'the base passes').toEqual(expect.arrayContaining(twin.reddens))
  const after = await checksOf(twin.scenario, twin)
  const redBefore = idsOf(before, 'fail')
  expect(idsOf(after, 'fail').filter((check) => !redBefore.includes(check)).toSorted()).toEqual(twin.reddens.toSorted())
  const red = after.filter((check) => check.verdict === 'fail')
  for (const [id, value] of Object.entries(twin.values ?? {})) {
    expect(red.filter((check) => check.id === id).map((check) => check.value), id).toEqual([value])
  }
}

/**
 * Behind schedules, and where clients meet faults, a machine that is busy with the tests beside it makes a base
 * unknown, or one check more red, now and then (in one of some seventy runs). Such a run proves nothing of the
 * twin, and another one is made. All others are run once more.
 */
const isUnsteady = ({ program, breaks, scenario }: Twin) => scenario === suiteWithVariants || (program === behindSound.program && scenario !== 'lifetimes-end') || breaks === 'client'
const named = (some: Twin[]) => some.map((twin) => [twin.id, twin] as const)

/** The tap is the harness's own: broken, it makes the row unknown, and nothing is laid at the subject's door. */
it.concurrent('a tap that counts half of the requests is not trusted', { timeout: 240_000 }, async () => {
  const checks = await checksOf('fan-out-catch-up', { id: 'counts-half', breaks: 'tap' })
  expect(idsOf(checks, 'fail')).toEqual([])
  expect(idsOf(checks, 'unknown')).toContain('count-can-be-wrong')
})

// Side by side: most of a run is waiting. How many at once, `maxConcurrency` says.
describe.concurrent('twins', () => {
  it.each(named(possible.filter((twin) => !isUnsteady(twin))))('%s is found', { timeout: 240_000, retry: 1 }, isFound)
  it.each(named(possible.filter(isUnsteady)))('%s is found', { timeout: 480_000, retry: 2 }, isFound)
})

/** Shown red by the public command in a test of its own, for what is broken there is no hop. */
const elsewhere: Record<string, string> = {
  'answers-are-as-recorded': 'incident/incident.test.ts',
  'copied-streams-are-whole': 'cli/data-dir-from.test.ts',
  'nothing-drifts': 'twins/soak.test.ts',
}

/** By some twin. */
const reddened = new Set(twins.flatMap(({ reddens }) => reddens))
const blaming = checkIds.filter((id) => checkById(id).blames !== 'nobody')

/** Of all tests of checks, what stands there. */
const unitTests = readdirSync(path.join(here, '..', 'checks'))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => readFileSync(path.join(here, '..', 'checks', name), 'utf8'))

describe('every check', () => {
  it('that can blame somebody has a planted twin, or a test of its own', () => {
    const without = blaming.filter((id) => !reddened.has(id))
    expect(without.toSorted()).toEqual(Object.keys(elsewhere).toSorted())
  })

  it.each(Object.entries(elsewhere))('%s is shown red in %s', (id, file) => {
    expect(readFileSync(path.join(here, '..', file), 'utf8')).toContain(`'${id}/`)
  })

  it.each(blaming)('%s is shown red on a small history, too', (id) => {
    expect(unitTests.filter((text) => text.includes(`'${id}`) && /'fail'|fingerprint/.test(text))).not.toEqual([])
  })

  it.each(checkIds.filter((id) => !blaming.includes(id)))('%s blames nobody: it has no way to fail', (id) => {
    expect(readFileSync(path.join(here, '..', '..', 'harness', 'checks', `${id}.ts`), 'utf8')).not.toMatch(/\bfail\(/)
    expect(reddened.has(id)).toBe(false)
  })

  it('that a twin reddens is one that there is', () => {
    for (const id of reddened) expect(checkById(id).id).toBe(id)
  })
})
