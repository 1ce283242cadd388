/** The examples of the documentation, compiled as a user's own compiler and editor see them, and read. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, describe, expect, test } from 'vitest'
import { readConfig } from '../harness/config.ts'

const root = path.join(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(tmpdir(), 'config-editor-'))
symlinkSync(root, path.join(folder, 'production-simulator'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The blocks of TypeScript in which a configuration is shown. */
function examplesIn(file: string): string[] {
  const blocks = readFileSync(path.join(root, file), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)
  return [...blocks].map(([, text]) => text!).filter((text) => text.includes('define-config.mjs'))
}

/** Compiles a file of a project beside this repository; what the compiler says, a line each. */
async function compile(place: string, text: string, options: object = {}, type?: string): Promise<string[]> {
  const own = mkdtempSync(path.join(folder, 'shop-'))
  const file = path.join(own, place)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
  writeFileSync(path.join(own, 'package.json'), JSON.stringify({ type }))
  const compilerOptions = { strict: true, noEmit: true, types: [], target: 'es2022', rootDir: '.', ...options }
  writeFileSync(path.join(own, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: [place] }))
  const { stdout } = await execa(path.join(root, 'node_modules/.bin/tsc'), ['-p', '.'], { cwd: own, reject: false, timeout: 50_000 })
  return stdout.split('\n').filter((line) => line.includes('error'))
}

const examples = [
  ['README.md', 'simulate.config.ts', examplesIn('README.md')[0]],
  ['docs/configuration.md', 'deploy/simulate.config.ts', examplesIn('docs/configuration.md')[0]],
  ['docs/configuration.md, without an import at run time', 'deploy/simulate.config.ts', examplesIn('docs/configuration.md')[1]],
] as const

describe.each(examples)('the example of %s', (_file, place, text) => {
  test.each<[string, object, string | undefined]>([
    ['a module of Node', { module: 'nodenext' }, 'module'],
    ['CommonJS of Node', { module: 'nodenext' }, 'commonjs'],
    ['bundled', { module: 'esnext', moduleResolution: 'bundler', exactOptionalPropertyTypes: true, isolatedModules: true }, undefined],
  ])('compiles in a project that is %s', async (_name, options, type) => {
    expect(await compile(place, text!, options, type)).toEqual([])
  })

  test('is read', async () => {
    const own = mkdtempSync(path.join(folder, 'shop-'))
    mkdirSync(path.dirname(path.join(own, place)), { recursive: true })
    writeFileSync(path.join(own, place), text!)
    const config = await readConfig(place, { cwd: own, today: '2026-12-01', loadMsMax: 10_000 })
    expect(Object.values(config!.settings).some((value) => value !== undefined)).toBe(true)
  })
})

test('the full example leaves out only what it says another setting stands for', async () => {
  const declared = [...readFileSync(path.join(root, 'define-config.d.mts'), 'utf8').split('export interface Waiver')[0]!.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name!)
  expect(declared.length).toBeGreaterThan(10)
  const shown = [...examples[1][2]!.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name!)
  expect(declared.filter((name) => !shown.includes(name))).toEqual(['vcl'])
})

test.each([
  ['a setting that there is not', '{ reders: 5 }', /'reders' does not exist in type 'SimulateConfig'/],
  ['a value of another type', "{ readers: '5' }", /Type 'string' is not assignable to type 'number'/],
  ['a choice that there is not', "{ profile: 'slow' }", /Type '"slow"' is not assignable/],
  ['a row that there is not', "{ waivers: [{ row: 'htps', reason: 'x', until: '2027-01-01' }] }", /Type '"htps"' is not assignable to type 'RowId'/],
  ['a waiver without a reason', "{ waivers: [{ row: 'https', until: '2027-01-01' }] }", /Property 'reason' is missing/],
])('an editor marks %s', async (_name, settings, words) => {
  const text = `import { defineConfig } from '../production-simulator/define-config.mjs'\nexport default defineConfig(${settings})\n`
  const errors = await compile('simulate.config.ts', text, { module: 'nodenext' }, 'module')
  expect(errors.join('\n')).toMatch(words)
})
