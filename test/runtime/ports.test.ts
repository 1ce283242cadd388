/** Leases of loopback ports. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { chooseRange, openPortLeases } from '../../harness/runtime/ports.ts'

test('a port is leased once until it is released, whoever asks', async () => {
  const range = { first: 29_950, last: 29_969 }
  const [first, second] = [openPortLeases(range), openPortLeases(range)]
  const ports = [await first.lease(), await first.lease(), await second.lease(), await second.lease()]
  expect(new Set(ports).size).toBe(4)
  await first.release()
  const again = new Set<number>()
  const third = openPortLeases(range)
  try {
    for (;;) again.add(await third.lease())
  } catch (error) {
    expect(String(error)).toContain('No loopback port between 29950 and 29969 is free')
  }
  expect(again).toContain(ports[0])
  expect(again).toContain(ports[1])
  expect(again).not.toContain(ports[2])
  await Promise.all([second.release(), third.release()])
})

test.each(['127.0.0.1', '0.0.0.0', '::'])('a port on which somebody listens at %s is not leased', async (host) => {
  const range = { first: 29_970, last: 29_970 }
  const holder = createServer()
  holder.listen(range.first, host)
  await once(holder, 'listening')
  const leases = openPortLeases(range)
  await expect(leases.lease()).rejects.toThrow('29970')
  holder.close()
  await once(holder, 'close')
  expect(await leases.lease()).toBe(29_970)
  await leases.release()
})

test('a port from which a connection goes out is not leased', async () => {
  const range = { first: 29_971, last: 29_971 }
  const server = createServer((socket) => socket.resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const outgoing = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.1', localPort: range.first })
  await once(outgoing, 'connect')
  const leases = openPortLeases(range)
  await expect(leases.lease()).rejects.toThrow('29971')
  outgoing.destroy()
  server.close()
})

test('the leases of a process that is killed end with it', async () => {
  const module = fileURLToPath(new URL('../../harness/runtime/ports.ts', import.meta.url))
  const script = `
    import { openPortLeases } from ${JSON.stringify(module)}
    console.log(await openPortLeases({ first: 29972, last: 29972 }).lease())
    setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(holder.stdout, 'data')) as [Buffer]
  expect(String(said).trim()).toBe('29972')
  const leases = openPortLeases({ first: 29_972, last: 29_972 })
  await expect(leases.lease()).rejects.toThrow('29972')
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  expect(await leases.lease()).toBe(29_972)
  await leases.release()
})

test('ports are taken from where outgoing connections take none', () => {
  expect(chooseRange({ first: 32_768, last: 60_999 })).toEqual({ first: 20_000, last: 29_999 })
  expect(chooseRange({ first: 15_000, last: 65_000 })).toEqual({ first: 1_024, last: 14_999 })
  expect(chooseRange({ first: 1_024, last: 50_000 })).toEqual({ first: 50_001, last: 65_535 })
  expect(chooseRange({ first: 1_024, last: 65_535 })).toEqual({ first: 20_000, last: 29_999 })
})
