/**
 * Every check has a planted twin: a real program, broken in one behaviour, on which the declared
 * checks turn red. The public command is run on the twin and on the unbroken base; what is red on
 * the twin and was not red on the base must be exactly what was declared.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import type { Result } from '../../harness/report/result.ts'

const here = import.meta.dirname
const cli = path.join(here, '..', '..', 'harness', 'cli.ts')
const readers = 150

interface Twin {
  id: string
  /** An origin that is broken in this behaviour, or a VCL. */
  breaks: 'origin' | 'edge'
  scenario: string
  /** Checks that must turn red; no other may. */
  reddens: string[]
}

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
  { id: 'drops-one-append', breaks: 'origin', scenario: 'restart-keeps-data', reddens: ['nothing-acknowledged-is-lost'] },
  { id: 'doubles-one-append', breaks: 'origin', scenario: 'restart-keeps-data', reddens: ['nothing-is-twice'] },
  { id: 'reorders-one-append', breaks: 'origin', scenario: 'restart-keeps-data', reddens: ['order-is-kept'] },
  { id: 'never-ready-again', breaks: 'origin', scenario: 'start-is-ready-in-time', reddens: ['ready-within'] },
  {
    id: 'ttl-ignored',
    breaks: 'origin',
    scenario: 'lifetimes-end',
    reddens: ['expired-is-gone', 'nothing-is-torn', 'refused-creates-create-nothing'],
  },
  { id: 'ttl-doubled', breaks: 'origin', scenario: 'lifetimes-end', reddens: ['expired-is-gone'] },
  { id: 'expired-path-serves-old-bytes', breaks: 'origin', scenario: 'lifetimes-end', reddens: ['nothing-is-torn'] },
  { id: 'never-collapses', breaks: 'edge', scenario: 'fan-out-long-poll', reddens: ['crowd-collapses'] },
  { id: 'serves-a-stale-tail', breaks: 'edge', scenario: 'fan-out-catch-up', reddens: ['crowd-is-served-right'] },
  { id: 'ignores-the-query', breaks: 'edge', scenario: 'fan-out-catch-up', reddens: ['crowd-is-served-right'] },
]

/** The ids of the checks that are red, each once. */
async function redChecks(scenario: string, twin: Twin | null): Promise<Set<string>> {
  const out = await mkdtemp(path.join(tmpdir(), 'twin-'))
  try {
    const vcl = twin?.breaks === 'edge' ? ['--vcl', path.join(here, 'vcl', `${twin.id}.vcl`)] : []
    const program = path.join(here, 'programs', 'broken-origin.ts')
    const env = twin?.breaks === 'origin' ? { DURABLE_STREAMS_TWIN_ORIGIN: program, TWIN: twin.id } : {}
    const args = [cli, scenario, '--origin', 'reference', '--readers', String(readers), '--out', out, ...vcl]
    const ended = await execa(process.execPath, args, { env, reject: false, timeout: 100_000 })
    expect(ended.exitCode, ended.stderr.slice(-600)).toBe(2)
    const result = JSON.parse(await readFile(path.join(out, 'latest', 'result.json'), 'utf8')) as Result
    if (twin?.breaks === 'origin') expect(result.banners.join()).toContain('TWIN')
    const checks = result.scenarios.flatMap((one) => one.checks)
    return new Set(checks.filter((check) => check.verdict === 'fail').map((check) => check.id))
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}

const bases = new Map<string, Promise<Set<string>>>()

function base(scenario: string): Promise<Set<string>> {
  const known = bases.get(scenario) ?? redChecks(scenario, null)
  bases.set(scenario, known)
  return known
}

describe('twins', () => {
  it.each(twins.map((twin) => [twin.id, twin] as const))('%s is found', { timeout: 240_000 }, async (_id, twin) => {
    const before = await base(twin.scenario)
    const after = await redChecks(twin.scenario, twin)
    expect([...after].filter((check) => !before.has(check)).toSorted()).toEqual(twin.reddens.toSorted())
  })
})
