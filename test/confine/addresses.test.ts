import { describe, expect, test } from 'vitest'
import {
  addressesIn,
  isLoopbackAddress,
  parseNetworkAddress,
} from '../../harness/confine/addresses.ts'

describe('isLoopbackAddress', () => {
  test.each([
    '127.0.0.1:80',
    '127.8.9.10:1',
    'localhost:65535',
    '[::1]:443',
    'tcp/127.0.0.1:80',
    'udp/localhost:1',
  ])('%s is on loopback', (address) => expect(isLoopbackAddress(address)).toBe(true))

  test.each([
    '127.0.0.1',
    '127.0.0.1:{env.PORT}',
    '127.0.0.1.evil.example:80',
    'x127.0.0.1:80',
    '1127.0.0.1:80',
    '127.0.0.1@evil.example:80',
    '127.0.0.300:80',
    'localhost.evil.example:80',
    'notlocalhost:80',
    '[::1].evil.example:80',
    '[::ffff:8.8.8.8]:80',
    '0.0.0.0:80',
    ':80',
    'unix//run/x.sock',
    'fd/3',
    'http://127.0.0.1:80',
    '{http.request.host}:80',
    '127.0.0.1:80 evil.example:80',
  ])('%s is not', (address) => expect(isLoopbackAddress(address)).toBe(false))
})

test('parseNetworkAddress reads networks, brackets and ranges', () => {
  expect(parseNetworkAddress('udp/[::]:80-90')).toEqual({
    network: 'udp',
    host: '::',
    ports: { first: 80, last: 90 },
  })
  expect(parseNetworkAddress(':443')).toEqual({
    network: 'tcp',
    host: '',
    ports: { first: 443, last: 443 },
  })
  expect(parseNetworkAddress('unix//run/x|0222')).toEqual({
    network: 'unix',
    host: '/run/x|0222',
    ports: null,
  })
})

test('addressesIn finds what looks like an address, each once, and no prose', () => {
  const value = {
    a: ['https://x.example/y', 'x.example:80', 'x.example', '10.0.0.1', '2001:db8::1', 'x.example'],
    b: { c: 'just words. And more.', d: 'bcrypt', e: 'unix//run/x.sock', f: 12, g: '*.x.example' },
  }
  expect(addressesIn(value)).toEqual([
    'https://x.example/y',
    'x.example:80',
    'x.example',
    '10.0.0.1',
    '2001:db8::1',
    'unix//run/x.sock',
    '*.x.example',
  ])
})
