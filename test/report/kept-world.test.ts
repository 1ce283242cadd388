/** What is said of a world that is left running. */
import { describe, expect, test } from 'vitest'
import { keptWorldLines, type KeptPlaces } from '../../harness/report/kept-world.ts'

const plain = { headers: {}, isRunning: true }
const places: KeptPlaces = {
  id: 'kill-under-load',
  addresses: [
    { via: 'origin', url: 'http://127.0.0.1:20001', authority: '127.0.0.1:20001', ...plain },
    { via: 'edge', url: 'http://127.0.0.1:20002', authority: '127.0.0.1:20001', ...plain },
  ],
  dataDir: '/run/data',
  adminSocket: null,
  caFile: null,
  logs: 'reports/x/logs',
  stream: "/v1/stream/it's",
  stop: 'kill 7',
  keptMsMax: 12 * 3_600_000,
}

describe('a world that is left running', () => {
  test('is told by its addresses, with a line to paste and how to stop it', () => {
    const text = keptWorldLines(places).join('\n')
    expect(text).toContain('The world of kill-under-load is left running, for 12 h 0 min at most:')
    expect(text).toMatch(/^ {2}origin +http:\/\/127\.0\.0\.1:20001 {2}the origin$/m)
    expect(text).toMatch(/^ {2}data_dir +\/run\/data$/m)
    expect(text).toContain(`curl -i 'http://127.0.0.1:20002/v1/stream/it'\\''s?offset=-1' -H 'Host: 127.0.0.1:20001'`)
    expect(text).toMatch(/^Stop it with Ctrl-C, or from elsewhere: kill 7$/m)
  })

  test('is asked over TLS where it has that, by its name and with its own authority', () => {
    const tls = { via: 'tls' as const, url: 'https://127.0.0.1:20003', authority: 'streams.example', headers: { authorization: 'Basic eA==' }, isRunning: true }
    const text = keptWorldLines({ ...places, addresses: [...places.addresses, tls], caFile: '/run/root.crt', adminSocket: '/run/admin.sock' }).join('\n')
    expect(text).toContain(`curl -i --cacert /run/root.crt --connect-to ::127.0.0.1:20003 'https://streams.example/v1/stream/it'\\''s?offset=-1' -H 'authorization: Basic eA=='`)
    expect(text).toMatch(/^ {2}admin +curl --unix-socket \/run\/admin\.sock http:\/\/localhost\/config\/$/m)
  })

  test('names what the scenario left stopped, and gives no line for what is not there', () => {
    const text = keptWorldLines({ ...places, addresses: places.addresses.map((one) => ({ ...one, isRunning: false })) }).join('\n')
    expect(text).toMatch(/^ {2}edge .*not running: the scenario left it so$/m)
    expect(text).not.toContain('Read a stream')
  })
})
