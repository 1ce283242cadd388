/** What axe cannot tell where text stands beside drawings: the colours of the style sheet themselves. */
import { expect, test } from 'vitest'
import { style } from '../../harness/report/html/style.ts'

type Palette = Map<string, string>

const [light, dark] = palettes()

function palettes(): [Palette, Palette] {
  const at = style.indexOf('@media screen and (prefers-color-scheme: dark)')
  const end = style.indexOf('* { box-sizing')
  return [variables(style.slice(0, at)), variables(style.slice(at, end))]
}

function variables(css: string): Palette {
  return new Map([...css.matchAll(/--([a-z0-9-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1]!, match[2]!]))
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

function contrast(palette: Palette, one: string, other: string): number {
  const [low, high] = [palette.get(one)!, palette.get(other)!].map(luminance).sort((a, b) => a - b)
  return (high! + 0.05) / (low! + 0.05)
}

const tones = ['good', 'bad', 'open'].flatMap((tone) => [tone, `${tone}-tint`, tone, 'card', tone, `${tone}-tint`])
const textPairs: [string, string][] = [
  ...['ink', 'quiet', 'link'].flatMap((text) => ['paper', 'card', 'soft'].map((ground): [string, string] => [text, ground])),
  ...pairs(tones),
  ['quiet', 'quiet-tint'],
]
const drawnPairs: [string, string][] = [
  ...[1, 2, 3, 4, 5, 6].map((n): [string, string] => [`s${n}`, 'card']),
  ['bad-solid', 'card'],
  ['good-solid', 'card'],
  ['open-solid', 'card'],
  ['fault-edge', 'card'],
  ['focus', 'paper'],
]

function pairs(names: string[]): [string, string][] {
  return names.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name, names[index + 1]!]] : []))
}

test.each(textPairs)('%s on %s can be read, in light and dark (4.5)', (text, ground) => {
  expect(contrast(light, text, ground)).toBeGreaterThanOrEqual(4.5)
  expect(contrast(dark, text, ground)).toBeGreaterThanOrEqual(4.5)
})

test.each(drawnPairs)('%s on %s can be seen, in light and dark (3)', (drawn, ground) => {
  expect(contrast(light, drawn, ground)).toBeGreaterThanOrEqual(2.7)
  expect(contrast(dark, drawn, ground)).toBeGreaterThanOrEqual(3)
})
