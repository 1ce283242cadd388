import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { hostCanHold, openFilesMax } from '../../../harness/load/fleet/limits.ts'
import { readersWithPorts, sourceAddress } from '../../../harness/load/fleet/source-address.ts'

const hop = (id: string, descriptorsPerReader: number) => ({ id, openFiles: 20, openFilesMax: 500, descriptorsPerReader })

describe.runIf(process.platform === 'linux')('what the host can hold', () => {
  it('is what the most constrained hop has descriptors for', () => {
    const one = hostCanHold([hop('cache', 1), { ...hop('origin', 1), openFilesMax: 400_000 }])
    const two = hostCanHold([hop('TLS edge', 2)])
    expect(one.readersMax).toBe(500 - 20 - 128)
    expect(two.readersMax).toBe(Math.floor(one.readersMax / 2))
    expect(one.because).toMatch(/^the cache may open 500 files/)
    expect(two.because).toMatch(/the TLS edge may open 500 files.* 2 a reader/)
  })

  it('is what ports a proxy has towards the next hop', () => {
    const proxy = { ...hop('TLS edge', 2), openFilesMax: 10_000_000 }
    const { readersMax, because } = hostCanHold([proxy], { fleetDescriptorsPerReader: 0.01 })
    expect(readersMax).toBeLessThan(65_536)
    expect(because).toMatch(/proxy on the way has local ports/)
  })

  it('is the fleet\'s own limit where no hop is named, and less so over h2', () => {
    const hard = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }))
    const alone = hostCanHold([])
    if (Number.isFinite(hard)) expect(alone.readersMax).toBeLessThan(hard)
    const h2 = hostCanHold([], { fleetDescriptorsPerReader: 0.01 })
    expect(h2.readersMax).toBeGreaterThan(50 * alone.readersMax)
    expect(alone.connectsInFlightMax).toBeGreaterThanOrEqual(128)
  })

  it('knows nothing of a process that is gone', () => {
    expect(openFilesMax(2 ** 22 + 1, 'soft')).toBeUndefined()
  })
})

describe('source addresses', () => {
  it('are the kernel\'s choice for 20,000 readers, then one for each 20,000 more', () => {
    expect(sourceAddress('127.0.0.1', 19_999)).toBeUndefined()
    expect(sourceAddress('127.0.0.1', 20_000)).toBe('127.0.1.1')
    expect(sourceAddress('127.0.0.1', 999_999)).toBe('127.0.1.49')
    expect(sourceAddress('::1', 50_000)).toBeUndefined()
    expect(readersWithPorts('127.0.0.1', 28_000)).toBeGreaterThan(1_000_000)
    expect(readersWithPorts('::1', 28_000)).toBe(28_000)
    expect(readersWithPorts('127.0.0.1', 5_000)).toBe(5_000)
  })
})
