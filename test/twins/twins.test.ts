/**
 * Every check has a planted twin: a real program, broken in one behaviour, on which the declared
 * checks turn red. The public command is run on the twin and on the unbroken base; what is red on
 * the twin and was not red on the base must be exactly what was declared, and have passed there.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { findBrowser } from '../../harness/provision/browser.ts'
import type { CheckResult, Result } from '../../harness/report/result.ts'
import { behindLives, pages, twins, type Twin } from './planted.ts'

const here = import.meta.dirname
const cli = path.join(here, '..', '..', 'harness', 'cli.ts')
const readers = 150
/** More than the largest pool of file handles and its slack. */
const streams = 130

const programs = {
  origin: { variable: 'DURABLE_STREAMS_TWIN_ORIGIN', file: 'broken-origin.ts' },
  tls: { variable: 'DURABLE_STREAMS_TWIN_TLS', file: 'broken-tls-edge.ts' },
  client: { variable: 'DURABLE_STREAMS_TWIN_CLIENT', file: 'broken-client.ts' },
}

/** What stands in for a hop in one run of the public command: a twin, or its sound base. */
interface Subject extends Pick<Twin, 'breaks' | 'program' | 'base' | 'streams' | 'seed' | 'fileHandles' | 'variants'> {
  id: string
}

async function checksOf(scenario: string, subject: Subject | null): Promise<CheckResult[]> {
  const out = await mkdtemp(path.join(tmpdir(), 'twin-'))
  try {
    const vcl = subject?.breaks === 'edge' ? ['--vcl', path.join(here, 'vcl', `${subject.id}.vcl`)] : []
    const seed = subject?.seed === undefined ? [] : ['--seed', String(subject.seed)]
    const sizes = ['--readers', String(readers), '--streams', String(subject?.streams ?? streams), ...seed]
    const args = [cli, scenario, '--origin', 'reference', ...sizes, '--out', out, ...vcl]
    const env = environmentOf(subject)
    const ended = await execa(process.execPath, args, { env, reject: false, timeout: 200_000 })
    expect(ended.exitCode, ended.stderr.slice(-600)).toBe(2)
    const result = JSON.parse(await readFile(path.join(out, 'latest', 'result.json'), 'utf8')) as Result
    const planted = result.banners.filter((banner) => banner.startsWith('TWIN'))
    expect(planted).toHaveLength('TWIN' in env ? 1 : 0)
    return result.scenarios.flatMap((one) => one.checks)
  } finally {
    await rm(out, { recursive: true, force: true })
  }
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

/** One run for all twins of a scenario that share a base. */
function baseOf({ scenario, base, ...twin }: Twin): Promise<CheckResult[]> {
  const key = `${scenario} ${base ?? ''}`
  const known = bases.get(key) ?? checksOf(scenario, base === undefined ? null : { ...twin, breaks: twin.breaks === 'edge' ? 'origin' : twin.breaks, id: base })
  bases.set(key, known)
  return known
}

const browser = await findBrowser({ env: process.env })
if (browser === null) console.warn('SKIPPED: no browser was found for the twins that are looked at with one (on Debian: apt-get install chromium).')
const isRoot = process.getuid!() === 0
if (!isRoot) console.warn('SKIPPED: twins of a full disk, for only root may mount a volume of its own size.')
const possible = twins.filter(({ scenario, needsRoot }) => (browser !== null || scenario !== pages) && (isRoot || !needsRoot))

/** The base, and another one the next time where a check that is to turn red was red on this one already. */
async function soundBaseOf(twin: Twin): Promise<CheckResult[]> {
  const before = await baseOf(twin)
  if (twin.reddens.some((check) => idsOf(before, 'fail').includes(check))) bases.clear()
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
 * Behind schedules the base is red at times, rightly or not: readers that ask together within a second of a
 * private answer to the same URL are not collapsed by the recommended VCL. Such a run proves nothing of
 * the twin, and another one is made. With the seed that is taken above this was seen in none of eight
 * runs, with most others in one of three or more.
 */
const isUnsteady = ({ base, scenario }: Twin) => base === behindLives.base && scenario !== 'lifetimes-end'
const named = (some: Twin[]) => some.map((twin) => [twin.id, twin] as const)

// Side by side: most of a run is waiting. How many at once, `maxConcurrency` says.
describe.concurrent('twins', () => {
  it.each(named(possible.filter((twin) => !isUnsteady(twin))))('%s is found', { timeout: 240_000 }, isFound)
  it.each(named(possible.filter(isUnsteady)))('%s is found', { timeout: 480_000, retry: 2 }, isFound)
})
