/** The configuration file by the public commands: found, given from elsewhere, and refused before anything starts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, describe, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(path.join(tmpdir(), 'config-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** `npm run <command> -- …args` without npm, in a folder of the user's. */
async function run(command: 'simulate' | 'audit', cwd: string, ...args: string[]) {
  const env = { DURABLE_STREAMS_CONFIG: undefined, NO_COLOR: '1' }
  const { exitCode, stdout, stderr } = await execa(process.execPath, [path.join(root, 'harness/bootstrap.mjs'), command, ...args], { cwd, env, reject: false, stdin: 'ignore', timeout: 60_000 })
  return { exitCode, stdout, stderr }
}

/** A shop whose configuration is in `deploy/`, beside its source; a package of CommonJS, as many are. */
function shop(name: string, settings: string): { deploy: string; elsewhere: string } {
  const own = path.join(folder, name)
  for (const below of ['deploy', 'src', 'elsewhere']) mkdirSync(path.join(own, below), { recursive: true })
  writeFileSync(path.join(own, 'package.json'), '{ "name": "shop", "dependencies": { "@durable-streams/client": "0.2.7" } }')
  writeFileSync(path.join(own, 'src', 'orders.ts'), "import { DurableStream } from '@durable-streams/client'\nexport const orders = DurableStream.create({ url: 'https://streams.shop.example/orders', contentType: 'text/plain' })\n")
  writeFileSync(path.join(own, 'deploy', 'simulate.config.ts'), `import { defineConfig } from ${JSON.stringify(path.join(root, 'define-config.mjs'))}\nexport default defineConfig(${settings})\n`)
  return { deploy: path.join(own, 'deploy'), elsewhere: path.join(own, 'elsewhere') }
}

describe('simulate', () => {
  test('takes a good one, found or given', async () => {
    const { deploy, elsewhere } = shop('good', '{ readers: 500 }')
    expect(await run('simulate', deploy, '--list')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await run('simulate', elsewhere, '--list', '--config', '../deploy/simulate.config.ts')).toMatchObject({ exitCode: 0, stderr: '' })
  })

  test.each([
    ['a setting that there is not', '{ reders: 500 }', 'simulate.config.ts:2:31: there is no setting "reders"; did you mean "readers"?'],
    ['a waiver without a reason', "{ waivers: [{ row: 'cors', until: '2027-01-01' }] as never }", 'simulate.config.ts:2:41: waivers[0].reason is missing; it takes a sentence of at most 300 characters that says why the row may stay as it is.'],
    ['to be ended by it', 'process.exit(0) as never', 'simulate.config.ts ended the process while it was read; throw an error instead.'],
    ['a file that is not there', "{ caddyfile: '../Caddyfile' }", 'simulate.config.ts: caddyfile names ../Caddyfile, which cannot be read (ENOENT); paths are relative to the file.'],
  ])('refuses %s in one sentence, and has made nothing', async (name, settings, sentence) => {
    const { deploy } = shop(name, settings)
    expect(await run('simulate', deploy, '--out', path.join(deploy, 'runs'))).toEqual({ exitCode: 64, stdout: '', stderr: sentence })
    expect(await run('simulate', deploy, '--list', '--config', 'none')).toMatchObject({ exitCode: 0 })
  })
})

describe('audit', () => {
  const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10)
  const app = "app: '../src/**/*.ts'"
  const waiver = (row: string, day: string) => `{ ${app}, waivers: [{ row: '${row}', reason: 'They live for ever.', until: '${day}' }] }`

  test("reads the file's source, named from where one is", async () => {
    const { elsewhere } = shop('source', `{ ${app} }`)
    const { exitCode, stdout } = await run('audit', elsewhere, '--config', '../deploy/simulate.config.ts')
    expect(stdout).toMatch(/^\.\.\/src\/orders\.ts:2:23: error: .*\[lifecycle-set\]$/m)
    expect(exitCode).toBe(1)
  })

  test("reads the file's VCL, and only what a flag names where one does", async () => {
    const { deploy, elsewhere } = shop('cache', `{ ${app}, vcl: 'edge.vcl' }`)
    writeFileSync(path.join(deploy, 'edge.vcl'), 'vcl 4.1;\nbackend b { .host = "127.0.0.1"; }\nsub vcl_deliver { unset resp.http.ETag; }\n')
    const config = ['--config', '../deploy/simulate.config.ts']
    const all = await run('audit', elsewhere, ...config)
    expect(all.stdout).toMatch(/^\.\.\/deploy\/edge\.vcl:3:19: error: .*\[cdn-headers\]$/m)
    expect(all.stdout).toMatch(/\[lifecycle-set\]$/m)
    const named = await run('audit', elsewhere, ...config, '../src/*.ts')
    expect(named.stdout).toMatch(/\[lifecycle-set\]$/m)
    expect(named.stdout).not.toContain('edge.vcl')
  })

  test('does not count what is waived, and says so; counts what is waived no longer', async () => {
    const waived = await run('audit', shop('waived', waiver('lifecycle-set', until)).deploy)
    expect(waived.stdout).toContain(`1 error, 0 warnings and 0 notes in 1 file.\nWaived, and not counted: 1 error of lifecycle-set (until ${until}: They live for ever.)`)
    expect(waived.exitCode).toBe(0)
    const expired = await run('audit', shop('expired', waiver('lifecycle-set', '2026-01-31')).deploy)
    expect(expired.stdout).toContain('Waiver expired, so that they count again: 1 error of lifecycle-set (waived until 2026-01-31: They live for ever.)')
    expect(expired.exitCode).toBe(1)
    expect((await run('audit', shop('another', waiver('cors', until)).deploy)).exitCode).toBe(1)
  })
})
