import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { hostCanHold, openFilesMax } from '../../../harness/load/fleet/limits.ts'
import { readersWithPorts, sourceAddress } from '../../../harness/load/fleet/source-address.ts'

/** A process that may open few files; it says so when it may. */
async function processWithLimit(files: number) {
  const child = spawn('sh', ['-c', `ulimit -n ${files} && echo ready && exec sleep 60`])
  await once(child.stdout, 'data')
  return { pid: child.pid!, [Symbol.dispose]: () => void child.kill('SIGKILL') }
}

describe.runIf(process.platform === 'linux')('what the host can hold', () => {
  it('is what the most constrained hop has descriptors for', async () => {
    using hop = await processWithLimit(500)
    const one = hostCanHold(10_000, [{ id: 'edge', pid: hop.pid, descriptorsPerReader: 1 }])
    const two = hostCanHold(10_000, [{ id: 'tls', pid: hop.pid, descriptorsPerReader: 2 }])
    expect(one.readersMax).toBeLessThan(500 - 100)
    expect(one.readersMax).toBeGreaterThan(300)
    expect(two.readersMax).toBe(Math.floor(one.readersMax / 2))
    expect(one.because).toMatch(/^the host: edge may open 500 files/)
    expect(two.because).toMatch(/tls may open 500 files.* 2 a reader/)
  })

  it('says when it is enough', async () => {
    using hop = await processWithLimit(500)
    const few = hostCanHold(50, [{ id: 'edge', pid: hop.pid, descriptorsPerReader: 1 }])
    expect(few.because).toMatch(/^enough for 50 readers: /)
  })

  it('is the fleet\'s own limit where no hop is named, and less so over h2', () => {
    const hard = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }))
    const alone = hostCanHold(1_000_000, [])
    if (Number.isFinite(hard)) expect(alone.readersMax).toBeLessThan(hard)
    const h2 = hostCanHold(1_000_000, [], { fleetDescriptorsPerReader: 0.01 })
    expect(h2.readersMax).toBeGreaterThan(50 * alone.readersMax)
    expect(alone.connectsInFlightMax).toBeGreaterThanOrEqual(128)
  })

  it('knows nothing of a process that is gone', () => {
    expect(openFilesMax(2 ** 22 + 1, 'soft')).toBeUndefined()
    const gone = { id: 'gone', pid: 2 ** 22 + 1, descriptorsPerReader: 1 }
    expect(hostCanHold(1, [gone]).readersMax).toBe(hostCanHold(1, []).readersMax)
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
