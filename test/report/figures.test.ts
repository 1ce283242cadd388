import { expect, test } from 'vitest'
import { bytes, duration, instant, number, percent, plural, valueWithUnit } from '../../harness/report/figures.ts'

test.each([
  [0, '0 ms'],
  [0.42, '0.4 ms'],
  [9.97, '10 ms'],
  [812.4, '812 ms'],
  [999.6, '1 s'],
  [1_234, '1.23 s'],
  [59_940, '59.9 s'],
  [60_000, '1 min'],
  [161_400, '2 min 41 s'],
  [12_000_000, '3 h 20 min'],
  [-1_500, '-1.5 s'],
  [-90_000, '-1 min 30 s'],
])('%d ms is %s', (ms, words) => {
  expect(duration(ms)).toBe(words)
})

test('an hour is never 60 minutes', () => {
  expect(duration(2 * 3_600_000 - 1_000)).toBe('2 h 0 min')
})

test('sizes, shares, counts and times', () => {
  expect([bytes(512), bytes(4_000), bytes(25_769_803_776)]).toEqual(['512 B', '3.9 KiB', '24 GiB'])
  expect([percent(0.1), percent(0.999), percent(1)]).toEqual(['10 %', '99.9 %', '100 %'])
  expect([number(12_042), number(0.1234), number(671.4)]).toEqual(['12,042', '0.123', '671'])
  expect([plural(1, 'kill'), plural(2, 'kill'), plural(0, 'retry', 'retries')]).toEqual(['1 kill', '2 kills', '0 retries'])
  expect(instant('2026-11-24T04:15:02.123Z')).toBe('2026-11-24 04:15:02 UTC')
  expect(instant('no time')).toBe('no time')
})

test('a value with its unit', () => {
  expect([valueWithUnit(1_500, 'ms'), valueWithUnit(2_048, 'bytes'), valueWithUnit(2, 'requests'), valueWithUnit(3, undefined)]).toEqual([
    '1.5 s',
    '2 KiB',
    '2 requests',
    '3',
  ])
  expect(['kills', 'upstream requests', 'readers wrong', '% left'].map((unit) => valueWithUnit(1, unit))).toEqual([
    '1 kill',
    '1 upstream request',
    '1 reader wrong',
    '1 % left',
  ])
})
