/** Each scenario has a subject on which it is green, and some of them are run on it here. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadScenarios } from '../../harness/plan.ts'
import { variantById } from '../../harness/variants.ts'
import { cleanSubjectOf, scenariosOnOthers, soundArguments, soundEnvironment, variants } from './clean-subject.ts'
import { judgePlanted } from './judge-planted.ts'

const scenarios = await loadScenarios(path.join(import.meta.dirname, '../../scenarios'))

describe('every scenario', () => {
  it.each(scenarios.map(({ id }) => id))('%s has a clean subject', (id) => {
    const subject = cleanSubjectOf(id)
    if (subject.sound) return expect(existsSync(soundEnvironment()['DURABLE_STREAMS_TWIN_ORIGIN']!)).toBe(true)
    expect(readFileSync(path.join(import.meta.dirname, '..', subject.shownBy), 'utf8')).toContain(id === 'soak' ? "'soak'" : 'data-dir-from')
  })

  it('that has another one than the sound origin is one that there is', () => {
    expect(scenarios.map(({ id }) => id)).toEqual(expect.arrayContaining(scenariosOnOthers))
  })

  it('of a variant finds it there', () => {
    const named = JSON.stringify(scenarios).matchAll(/"variants":\[("[^\]]+")\]/g)
    const needed = [...named].flatMap(([, list]) => JSON.parse(`[${list}]`) as string[])
    expect(needed.length).toBeGreaterThan(0)
    expect(variants).toEqual(expect.arrayContaining(needed))
    for (const id of variants) expect(variantById(id).id).toBe(id)
  })
})

const isRoot = process.getuid!() === 0
if (!isRoot) console.warn('SKIPPED: a full disk of the sound origin, for only root may mount a volume of its own size.')

/** Quick ones, of what the reference server is red on: a second server, expired bytes, a crash, a variant, a full disk. */
const tried = [
  'a-second-server-does-no-harm',
  'expired-streams-free-their-disk',
  'incident-143-producer-after-a-crash',
  'incident-252-wrapper',
  ...(isRoot ? ['disk-full-survives-a-restart'] : []),
]

it('the sound origin is green', { timeout: 120_000, retry: 1 }, async () => {
  const result = await judgePlanted([...tried, ...soundArguments], soundEnvironment(), 110_000)
  expect(result.verdict).toBe('unknown')
  expect(result.banners.filter((banner) => banner.startsWith('TWIN'))).toHaveLength(2)
  expect(result.scenarios.map(({ id, verdict, because }) => `${id}: ${verdict === 'pass' ? verdict : because}`).toSorted()).toEqual(tried.map((id) => `${id}: pass`).toSorted())
})
