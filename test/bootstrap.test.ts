import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { execa, execaSync, type Options } from 'execa'
import { describe, expect, test } from 'vitest'
import { findProgram } from '../harness/provision/find-program.ts'
import { temporaryFolder } from './provision/temporary-folder.ts'

const checkoutRoot = path.join(import.meta.dirname, '..')

const harness = path.resolve(import.meta.dirname, '../harness')

/** A program in the place of the real one: it shows what reached it, and waits when asked to. */
const fakeProgram = `
import { appendFileSync } from 'node:fs'
const [what, ...args]: string[] = process.argv.slice(2)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    appendFileSync('signals.log', signal + '\\n')
    setTimeout(() => process.exit(7), 300)
  })
}
if (what === 'wait') { console.log('waiting'); setInterval(() => {}, 1_000) }
else if (what === 'crash') process.kill(process.pid, 'SIGKILL')
else if (what === 'exit') process.exit(Number(args[0]))
else if (what === 'echo') process.stdin.pipe(process.stdout)
else console.log(JSON.stringify({ args: process.argv.slice(2), prepared: process.env.PREPARED }))
`

/** An npm that installs what the lock file says, which is next to nothing, and counts. */
const fakeNpm = `
const { appendFileSync, copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } = require('node:fs')
appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n')
if (existsSync('npm-fails')) {
  console.error('npm error network request to https://user:secret@registry.example/x failed')
  process.exit(3)
}
rmSync('node_modules', { recursive: true, force: true })
mkdirSync('node_modules/vitest', { recursive: true })
writeFileSync('node_modules/vitest/vitest.mjs', 'console.log(JSON.stringify({ args: process.argv.slice(2), prepared: process.env.PREPARED }))')
if (!existsSync('npm-brings-no-node')) {
  mkdirSync('node_modules/node/bin', { recursive: true })
  symlinkSync(process.env.TEST_NODE, 'node_modules/node/bin/node')
}
copyFileSync('package-lock.json', 'node_modules/.package-lock.json')
`

interface Checkout extends Disposable {
  path: string
  env: Record<string, string>
  timesInstalled(): number
  file(name: string): string
}

/** A checkout with the real bootstrap and nothing else that is real. */
function checkout(): Checkout {
  const folder = temporaryFolder()
  const file = (name: string) => path.join(folder.path, name)
  mkdirSync(file('harness/provision'), { recursive: true })
  cpSync(path.join(harness, 'bootstrap'), file('harness/bootstrap'), { recursive: true })
  cpSync(path.join(harness, 'bootstrap.mjs'), file('harness/bootstrap.mjs'))
  writeFileSync(file('harness/cli.ts'), fakeProgram)
  writeFileSync(file('harness/provision/for-tests.ts'), `console.log('{"PREPARED":"yes"}')`)
  writeFileSync(file('package.json'), '{"type":"module"}')
  writeFileSync(file('npm-cli.cjs'), fakeNpm)
  writeLock(folder.path, '1.0.0')
  return {
    path: folder.path,
    env: {
      npm_execpath: file('npm-cli.cjs'),
      TEST_NODE: process.execPath,
      npm_lifecycle_event: '',
    },
    timesInstalled: () => linesOf(file('npm.log')).length,
    file,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

function writeLock(folder: string, version: string): void {
  const packages = {
    '': {},
    'node_modules/a': { version, integrity: 'sha512-a' },
    'node_modules/for-another-system': { version, optional: true },
  }
  writeFileSync(path.join(folder, 'package-lock.json'), JSON.stringify({ packages }))
}

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

function run(place: Checkout, args: string[], options: Options = {}, node = process.execPath) {
  return execa(node, ['harness/bootstrap.mjs', ...args], {
    cwd: place.path,
    env: place.env,
    reject: false,
    ...options,
  })
}

describe('dependencies', () => {
  test('are installed when they are missing or not those of the lock file, and only then', async () => {
    using place = checkout()
    const first = await run(place, ['simulate', 'exit', '0'])
    expect(first).toMatchObject({ exitCode: 0, stdout: '' })
    expect(first.stderr).toMatch(
      /^Installing the dependencies.*\nInstalled the dependencies in \d+ s\.$/,
    )
    expect(linesOf(place.file('npm.log'))[0]).toMatch(/^ci --include=dev --include=optional /)
    expect((await run(place, ['simulate', 'exit', '0'])).stderr).toBe('')
    expect(place.timesInstalled()).toBe(1)
    writeLock(place.path, '1.0.1')
    await run(place, ['simulate', 'exit', '0'])
    expect(place.timesInstalled()).toBe(2)
    rmSync(place.file('node_modules'), { recursive: true })
    await run(place, ['simulate', 'exit', '0'])
    expect(place.timesInstalled()).toBe(3)
  })

  test("somebody's own npm install of the same versions counts", async () => {
    using place = checkout()
    mkdirSync(place.file('node_modules'))
    const packages = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } }
    writeFileSync(place.file('node_modules/.package-lock.json'), JSON.stringify({ packages }))
    expect((await run(place, ['simulate', 'exit', '0'])).exitCode).toBe(0)
    expect(place.timesInstalled()).toBe(0)
  })

  test('are installed once by two runs at the same time', async () => {
    using place = checkout()
    const runs = await Promise.all([1, 2, 3].map(() => run(place, ['simulate', 'exit', '0'])))
    expect(runs.map((one) => one.exitCode)).toEqual([0, 0, 0])
    expect(place.timesInstalled()).toBe(1)
  })

  test('are installed although a run was killed that had begun to', async () => {
    using place = checkout()
    const npm = readFileSync(place.file('npm-cli.cjs'))
    writeFileSync(
      place.file('npm-cli.cjs'),
      `require('node:fs').writeFileSync('npm.pid', String(process.pid)); setInterval(() => {}, 1_000)`,
    )
    const killed = run(place, ['simulate'], { detached: true })
    await expect.poll(() => linesOf(place.file('npm.pid'))[0], { timeout: 5_000 }).toMatch(/^\d+$/)
    process.kill(killed.pid ?? 0, 'SIGKILL')
    process.kill(Number(linesOf(place.file('npm.pid'))[0]), 'SIGKILL')
    await killed
    writeFileSync(place.file('npm-cli.cjs'), npm)
    const next = await run(place, ['simulate', 'exit', '0'])
    expect(next.exitCode).toBe(0)
    expect(next.stderr).not.toMatch(/waiting for it/)
    expect(place.timesInstalled()).toBe(1)
  })

  test('are installed although a run was killed that had begun to', async () => {
    using place = checkout()
    const npm = readFileSync(place.file('npm-cli.cjs'))
    writeFileSync(
      place.file('npm-cli.cjs'),
      `require('node:fs').writeFileSync('npm.pid', String(process.pid)); setInterval(() => {}, 1_000)`,
    )
    const killed = run(place, ['simulate'], { detached: true })
    await expect.poll(() => linesOf(place.file('npm.pid'))[0], { timeout: 5_000 }).toMatch(/^\d+$/)
    process.kill(killed.pid ?? 0, 'SIGKILL')
    process.kill(Number(linesOf(place.file('npm.pid'))[0]), 'SIGKILL')
    await killed
    writeFileSync(place.file('npm-cli.cjs'), npm)
    const next = await run(place, ['simulate', 'exit', '0'])
    expect(next.exitCode).toBe(0)
    expect(next.stderr).not.toMatch(/waiting for it/)
    expect(place.timesInstalled()).toBe(1)
  })

  test('that cannot be had are a clear failure, without addresses', async () => {
    using place = checkout()
    writeFileSync(place.file('npm-fails'), '')
    const failed = await run(place, ['simulate'])
    expect(failed.exitCode).toBe(70)
    expect(failed.stderr).toMatch(
      /network request to \(address\) failed\nThe dependencies cannot be installed: npm ci ended with 3/,
    )
    expect(failed.stderr).not.toMatch(/registry\.example|secret/)
  })
})

describe('what passes through', () => {
  test('arguments, input, output and exit code', async () => {
    using place = checkout()
    const shown = await run(place, ['simulate', '--flag', 'two words', ''])
    expect(JSON.parse(String(shown.stdout))).toMatchObject({ args: ['--flag', 'two words', ''] })
    expect(await run(place, ['simulate', 'echo'], { input: 'hello' })).toMatchObject({
      stdout: 'hello',
    })
    expect(await run(place, ['simulate', 'exit', '2'])).toMatchObject({ exitCode: 2 })
    expect(await run(place, ['simulate', 'crash'])).toMatchObject({ exitCode: 137 })
  })

  test('the tests get what was prepared for them, and vitest the arguments', async () => {
    using place = checkout()
    const shown = await run(place, ['test', 'some.test.ts'])
    expect(JSON.parse(String(shown.stdout))).toEqual({
      args: ['run', 'some.test.ts'],
      prepared: 'yes',
    })
  })

  test('the tests are not run when their preparation fails, whose exit code remains', async () => {
    using place = checkout()
    writeFileSync(
      place.file('harness/provision/for-tests.ts'),
      `console.error('Varnish is missing.'); process.exit(64)`,
    )
    const failed = await run(place, ['test'])
    expect(failed).toMatchObject({ exitCode: 64, stdout: '' })
    expect(failed.stderr).toMatch(/Varnish is missing\.\nThe tests were not run\.$/)
  })
})

describe('signals', () => {
  async function interrupt(place: Checkout, send: (pid: number) => void) {
    await run(place, ['simulate', 'exit', '0'])
    const running = run(place, ['simulate', 'wait'], { detached: true, stderr: 'ignore' })
    running.stdout?.once('data', () => send(running.pid ?? 0))
    const { exitCode, signal } = await running
    return { exitCode, signal, received: linesOf(place.file('signals.log')) }
  }

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s reaches the program once; its exit code is ours',
    async (signal) => {
      using place = checkout()
      const ended = await interrupt(place, (pid) => process.kill(pid, signal))
      expect(ended).toMatchObject({ exitCode: 7, received: [signal] })
    },
  )

  test('Ctrl-C, which a terminal sends to the whole group and npm once more, arrives once', async () => {
    using place = checkout()
    const ended = await interrupt(place, (pid) => {
      process.kill(-pid, 'SIGINT')
      setTimeout(() => process.kill(pid, 'SIGINT'), 50)
    })
    expect(ended).toMatchObject({ exitCode: 7, received: ['SIGINT'] })
  })

  test('when the bootstrap is killed, the program is told to stop', async () => {
    using place = checkout()
    const ended = await interrupt(place, (pid) => process.kill(-pid, 'SIGKILL'))
    expect(ended).toMatchObject({ signal: 'SIGKILL' })
    await expect
      .poll(() => linesOf(place.file('signals.log')), { timeout: 5_000 })
      .toEqual(['SIGTERM'])
  })

  test('during an installation they end it', async () => {
    using place = checkout()
    writeFileSync(
      place.file('npm-cli.cjs'),
      `require('node:fs').writeFileSync('npm.log', 'x'); setInterval(() => {}, 1_000)`,
    )
    const running = run(place, ['simulate'])
    await expect.poll(() => place.timesInstalled(), { timeout: 5_000 }).toBe(1)
    running.kill('SIGTERM')
    expect(await running).toMatchObject({ exitCode: 143 })
  })
})

describe('what is refused, in one sentence', () => {
  test('an unknown command', async () => {
    using place = checkout()
    const refused = await run(place, ['simulat'])
    expect(refused).toMatchObject({ exitCode: 64, stdout: '' })
    expect(refused.stderr).toMatch(/^There is no command "simulat"; use one of: simulate, test, [\w, -]+\.$/)
    const scripts = Object.values(JSON.parse(readFileSync(path.join(checkoutRoot, 'package.json'), 'utf8')).scripts as Record<string, string>)
    const words = scripts.flatMap((script) => /bootstrap\.mjs ([\w-]+)/.exec(script)?.[1] ?? [])
    for (const word of words) expect(refused.stderr).toContain(word)
  })

  test('an old Node', async () => {
    using place = checkout()
    const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.4' } })`
    const options = { cwd: place.path, reject: false } as const
    const words = [
      '--import',
      `data:text/javascript,${encodeURIComponent(older)}`,
      'harness/bootstrap.mjs',
      'simulate',
    ]
    const refused = await execa(process.execPath, words, options)
    expect(refused.exitCode).toBe(64)
    expect(refused.stderr).toMatch(
      /^Node 18\.20\.4 \(.*\) is too old: install Node 20 or later from .*\.$/,
    )
    expect(existsSync(place.file('npm.log'))).toBe(false)
  })
})

const olderNode = findOlderNode()
if (!olderNode)
  console.warn('Skipped: there is no Node older than 24.12 in the PATH to bring a newer one to.')

/** The PATH's own Node, where it is one that must bring a newer one. */
function findOlderNode(): string | null {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter)
  const outside = folders.filter((folder) => !folder.includes('node_modules')).join(path.delimiter)
  const node = findProgram('node', { PATH: outside })
  const version = node ? execaSync(node, ['--version']).stdout : 'v24.12'
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version) ?? []
  return Number(major) >= 20 && Number(major) * 100 + Number(minor) < 2412 ? node : null
}

describe.runIf(olderNode)('started by an older Node', () => {
  const node = olderNode ?? ''

  test('the one that npm brought runs the program', async () => {
    using place = checkout()
    expect(await run(place, ['simulate', 'exit', '5'], {}, node)).toMatchObject({ exitCode: 5 })
  })

  test('one that does not start is not used, and its absence is told', async () => {
    using place = checkout()
    writeFileSync(place.file('npm-brings-no-node'), '')
    await run(place, ['simulate'], {}, node)
    mkdirSync(place.file('node_modules/node/bin'), { recursive: true })
    symlinkSync('/absent', place.file('node_modules/node/bin/node'))
    const refused = await run(place, ['simulate'], {}, node)
    expect(refused.exitCode).toBe(64)
    expect(refused.stderr).toMatch(
      /^Node 24\.12 or later is needed, this is [\d.]+, and npm could not bring one/,
    )
  })

  test("where npm ran no install script, the package's own is run", async () => {
    using place = checkout()
    writeFileSync(place.file('npm-brings-no-node'), '')
    await run(place, ['simulate'], {}, node)
    const folder = place.file('node_modules/node')
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'package.json'), '{"version":"24.21.0"}')
    const script = `require('node:fs').mkdirSync('bin'); require('node:fs').symlinkSync(process.env.TEST_NODE, 'bin/node')`
    writeFileSync(path.join(folder, 'installArchSpecificPackage.js'), script)
    const fetched = await run(place, ['simulate', 'exit', '6'], {}, node)
    expect(fetched).toMatchObject({ exitCode: 6, stderr: 'Fetching Node 24.21.0…' })
    expect(await run(place, ['simulate', 'exit', '6'], {}, node)).toMatchObject({ stderr: '' })
  })
})
