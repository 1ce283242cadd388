/** What engines were seen to lack, by what they told of themselves. */
import { describe, expect, test } from 'vitest'
import { engineLacks, isRootless, type EngineInfo } from '../../harness/runtime/engine-abilities.ts'
import type { Ability } from '../../harness/runtime/runtime.ts'

const rootful: EngineInfo = { MemoryLimit: true, CpuCfsQuota: true, CgroupVersion: '1', SecurityOptions: ['name=seccomp,profile=default'] }
const rootlessDocker: EngineInfo = { MemoryLimit: false, CpuCfsQuota: false, CgroupVersion: '1', SecurityOptions: ['name=seccomp,profile=default', 'name=rootless'] }
/** It tells that it limits memory, and has no group to do it with. */
const rootlessPodman: EngineInfo = { ...rootful, Rootless: true }
const groups: Ability[] = ['pause', 'memory-limit', 'cpu-limit']
const lacking = (info: EngineInfo, isPodman = false) => groups.filter((ability) => engineLacks(ability, info, isPodman) !== null)

describe('an engine', () => {
  test('as root lacks nothing, but for limits where it is Podman', () => {
    expect(lacking(rootful)).toEqual([])
    expect(lacking(rootful, true)).toEqual(['memory-limit', 'cpu-limit'])
  })

  test('without root has no groups of version 1, and those of version 2 as it tells', () => {
    expect(lacking(rootlessDocker)).toEqual(groups)
    expect(lacking(rootlessPodman, true)).toEqual(groups)
    expect(lacking({ ...rootlessDocker, CgroupVersion: '2' })).toEqual(['memory-limit', 'cpu-limit'])
    expect(lacking({ ...rootlessDocker, CgroupVersion: '2', MemoryLimit: true, CpuCfsQuota: true })).toEqual([])
  })

  test('is told as rootless by either way of saying so', () => {
    expect([rootful, rootlessDocker, rootlessPodman].map(isRootless)).toEqual([false, true, true])
  })

  test('is asked for nothing that is not its own', () => {
    for (const ability of ['kill', 'usage', 'limited-volume'] as const) expect(engineLacks(ability, rootlessDocker, true)).toBeNull()
  })
})
