/** Faults by the public command: what cannot be had here is unknown, what happened is proven, and nothing is left of it. */
import { readFileSync } from 'node:fs'
import { execaSync } from 'execa'
import { expect, test } from 'vitest'
import { sayNotTested } from '../confine/programs.ts'
import { until } from '../../harness/until.ts'
import { publicCommand, simulate, startSimulation } from './simulation.ts'

const diskFull = ['disk-full-loses-nothing', '--origin', 'reference']
const powerCut = ['power-cut-loses-nothing', '--origin', 'reference']
const ordinary = ['unshare', '--user', '--map-user=1000']
const canBeOrdinary = execaSync(ordinary[0]!, [...ordinary.slice(1), 'true'], { reject: false }).exitCode === 0
if (!canBeOrdinary) sayNotTested('faults of an ordinary user', 'no user namespace can be made here')
const isRoot = process.getuid!() === 0
if (!isRoot) sayNotTested('what a killed run leaves of a volume', 'only root may mount one')

test.skipIf(!canBeOrdinary)('a fault that cannot be had leaves its rows unknown, with the reason, and blames nobody', async () => {
  const ended = await simulate(diskFull, { command: [...ordinary, ...publicCommand] })
  await using simulation = ended.simulation
  expect(ended.code, ended.stderr).toBe(2)
  const { scenarios, checklist } = simulation.result()
  expect(scenarios[0]).toMatchObject({ verdict: 'unknown', because: expect.stringContaining('its faults cannot be had: to mount a volume of its own size takes root, and sudo is not there or asks for a password') })
  expect(scenarios[0]!.checks.map(({ verdict }) => verdict)).not.toContain('pass')
  expect(checklist.find(({ id }) => id === 'durability-disk')).toMatchObject({ verdict: 'unknown' })
})

const mounted = (folder: string) => readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(folder))

test.skipIf(!isRoot).each([
  ['a disk is full', diskFull],
  ['the power of one can be cut', powerCut],
])('a run that is killed while %s leaves no mount', async (_, args) => {
  await using simulation = startSimulation(args)
  await until(() => mounted(simulation.tmp).length > 0, { for: 'the volume', timeoutMs: 60_000 })
  const before = simulation.belongings()
  simulation.child.kill('SIGKILL')
  await until(() => mounted(simulation.tmp).length === 0, { for: 'the volume to be gone', timeoutMs: 10_000 })
  await simulation.leavesNothing(before)
})
