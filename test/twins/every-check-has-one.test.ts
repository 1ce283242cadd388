/**
 * No check is left without somebody who has seen it fail on a real program that is broken in one behaviour.
 * The list of those whose test stands elsewhere may only shrink.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkById, checkIds } from '../../harness/checks.ts'
import { twins } from './planted.ts'

const here = import.meta.dirname

/** Shown red by the public command in a test of its own, for what is broken there is no hop. */
const elsewhere: Record<string, string> = {
  'answers-are-as-recorded': 'incident/incident.test.ts',
  'copied-streams-are-whole': 'cli/data-dir-from.test.ts',
  'nothing-drifts': 'twins/soak.test.ts',
}

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
