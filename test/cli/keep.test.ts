/** `--keep` of one scenario: its world goes on until it is stopped, and is gone then, however that came about. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { startSimulation, type Simulation } from './simulation.ts'

const args = ['tls-edge-passes-everything', '--origin', 'reference', '--keep']

/** The world's own words, once it is left running. */
async function keptWorld(simulation: Simulation): Promise<string> {
  await simulation.says('Stop it with Ctrl-C')
  return simulation.stderr.slice(simulation.stderr.indexOf('is left running'))
}

function wordsAfter(label: string, text: string): string {
  return new RegExp(`^ *${label}:? +(.+)$`, 'm').exec(text)![1]!
}

describe('a kept world', { timeout: 120_000 }, () => {
  test('answers the line that was printed, and the printed command ends it, with the code of the verdict', async () => {
    await using simulation = startSimulation(args)
    const said = await keptWorld(simulation)
    expect(simulation.result().scenarios[0]!.verdict).toBe('pass')
    const answer = execFileSync('sh', ['-c', wordsAfter('Read a stream', said)], { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] })
    expect(answer).toMatch(/^HTTP\/2 200/)
    expect(existsSync(wordsAfter('data_dir', said))).toBe(true)
    const before = simulation.belongings()
    expect(before.processes.filter(({ command }) => /reference-origin|varnishd -F|caddy run/.test(command)).length).toBeGreaterThanOrEqual(3)
    execFileSync('sh', ['-c', stopOf(said)])
    expect(await simulation.ended()).toMatchObject({ code: simulation.result().exitCode })
    await simulation.leavesNothing(before)
    expect(existsSync(path.join(simulation.runFolder, 'kept'))).toBe(true)
  })

  test('does not outlive a harness that is killed', async () => {
    await using simulation = startSimulation(args)
    const stop = stopOf(await keptWorld(simulation))
    const before = simulation.belongings()
    execFileSync('sh', ['-c', stop.replace('kill', 'kill -9')])
    expect(await simulation.ended()).toMatchObject({ code: 137 })
    await simulation.leavesNothing(before)
  })
})

function stopOf(said: string): string {
  return /from elsewhere: (kill \d+)$/m.exec(said)![1]!
}
