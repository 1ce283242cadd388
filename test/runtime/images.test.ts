/** Recipes of images, what an engine makes of them, and engines that cannot be had. */
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { unpackTar } from 'modern-tar/fs'
import { varnish } from '../../harness/edges/varnish/varnish.ts'
import { UsageError } from '../../harness/errors.ts'
import { sha256Of } from '../../harness/provision/identify.ts'
import { openEngine } from '../../harness/runtime/engine.ts'
import { buildImage } from '../../harness/runtime/images/build-image.ts'
import { ownImage, publicReference, publicTags } from '../../harness/runtime/images/public-images.ts'
import { dockerfile, imageUser, isStatic, libraryPackages, localTag, type ProgramRecipe } from '../../harness/runtime/images/recipes.ts'
import { openProcessRuntime } from '../../harness/runtime/processes.ts'
import type { Runtime } from '../../harness/runtime/runtime.ts'
import { engine } from './engine-for-tests.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'images-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const recipe: ProgramRecipe = { kind: 'program', base: 'scratch', file: '/a/server', sha256: 'aa', target: '/usr/bin/server' }

describe('a recipe', () => {
  test('has a tag of its content, wherever the program lies', () => {
    const tag = localTag('server', recipe)
    expect(tag).toMatch(/^durable-streams-simulator\/server:[0-9a-f]{16}$/)
    expect(localTag('server', { ...recipe, file: '/b/server' })).toBe(tag)
    expect(localTag('server', { ...recipe, sha256: 'bb' })).not.toBe(tag)
    expect(localTag('server', { ...recipe, base: 'libraries' })).not.toBe(tag)
    const packages = (names: readonly string[]) => localTag('x', { kind: 'packages', suite: 'bookworm', packages: names })
    expect(packages(varnish.image.packages)).not.toBe(packages(libraryPackages))
  })

  test('runs as nobody, who owns the volume', () => {
    const lines = dockerfile(recipe, 'scratch').split('\n')
    expect(lines[0]).toBe('FROM scratch')
    expect(lines).toContain(`USER ${imageUser}:${imageUser}`)
    expect(lines).toContain(`COPY --chown=${imageUser}:${imageUser} volume /var/lib/durable-streams`)
  })

  test('tells a program that needs libraries from one that does not', async () => {
    expect(await isStatic(process.execPath)).toBe(false)
    expect(await isStatic(elf('static', [1, 1]))).toBe(true)
    expect(await isStatic(elf('dynamic', [1, 3, 1]))).toBe(false)
  })
})

/** A 64-bit little-endian ELF header with program headers of these types. */
function elf(name: string, types: number[]): string {
  const file = path.join(folder, name)
  const bytes = Buffer.alloc(64 + 56 * types.length)
  bytes.write('\x7fELF', 0, 'latin1')
  bytes.writeBigUInt64LE(64n, 32)
  bytes.writeUInt16LE(56, 54)
  bytes.writeUInt16LE(types.length, 56)
  types.forEach((type, n) => bytes.writeUInt32LE(type, 64 + 56 * n))
  writeFileSync(file, bytes)
  return file
}

test('a public image is asked for by digest where it is known, by tag where it is not', () => {
  const digest = `sha256:${'0'.repeat(64)}`
  expect(publicReference(varnish.image, { varnish: digest })).toBe(`docker.io/library/varnish@${digest}`)
  expect(publicReference(ownImage('caddy'), { varnish: digest })).toBe(publicTags.caddy)
})

describe.skipIf(engine === null)('an image made around a program', () => {
  let host: Runtime
  beforeAll(async () => void (host = await openProcessRuntime({ runId: path.basename(folder), logsDir: path.join(folder, 'logs') })))
  afterAll(() => host[Symbol.asyncDispose]())

  test('holds that program and nothing else', async () => {
    const file = path.join(folder, 'program')
    copyFileSync('/bin/true', file)
    chmodSync(file, 0o600)
    const own = { ...recipe, file, sha256: await sha256Of(file) }
    const tag = `durable-streams-simulator/test:${process.pid}`
    const { docker } = engine!
    await buildImage(tag, own, { docker, host, baseOf: async () => 'scratch' })
    const container = await docker.createContainer({ Image: tag })
    try {
      const into = path.join(folder, 'exported')
      await new Promise((resolve, reject) => {
        void container.export().then((tar) => tar.pipe(unpackTar(into, { filter: ({ name }) => /^(usr|var)\//.test(name) })).once('finish', resolve).once('error', reject), reject)
      })
      const files = readdirSync(into, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(path.join(into, name)).isFile())
      expect(files.toSorted()).toEqual(['usr/bin/server', 'var/lib/durable-streams/.keep'])
      expect(statSync(path.join(into, 'usr/bin/server')).mode & 0o777).toBe(0o755)
      expect(await sha256Of(path.join(into, 'usr/bin/server'))).toBe(own.sha256)
    } finally {
      await container.remove()
      await docker.getImage(tag).remove()
    }
  })

  test('cannot be made of packages that there are not, and that is one sentence', async () => {
    const making = buildImage('durable-streams-simulator/test:none', { kind: 'packages', suite: 'no-such-suite', packages: ['varnish'] }, { docker: engine!.docker, host, baseOf: async () => 'scratch' })
    await expect(making).rejects.toThrow(/^The packages varnish could not be unpacked for an image: .*--runtime processes\.$/s)
  })
})

describe('an engine that is asked for', () => {
  const usual = process.env['DOCKER_HOST']
  afterEach(() => {
    if (usual === undefined) delete process.env['DOCKER_HOST']
    else process.env['DOCKER_HOST'] = usual
  })
  const refusal = async (host: string) => {
    process.env['DOCKER_HOST'] = host
    const error = await openEngine().then(() => null, (thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    return (error as Error).message
  }

  test('and is not there is told, and no other one is taken', async () => {
    expect(await refusal(`unix://${folder}/none.sock`)).toMatch(/^No container engine is running \(there is no .*none\.sock\): start one/)
    expect(await refusal('tcp://127.0.0.1:1')).toBe('No container engine answers at DOCKER_HOST=tcp://127.0.0.1:1: mend or unset it, or run without containers: --runtime processes.')
  })

  test('and does not answer is told with what it did', async () => {
    const socket = path.join(folder, 'mute.sock')
    const server: Server = createServer((peer) => peer.destroy())
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    expect(await refusal(`unix://${socket}`)).toMatch(/^No container engine answers at .*mute\.sock \((ECONNRESET|EPIPE)\): start it/)
    server.close()
  })
})

test.skipIf(engine === null)('the supervisor needs no library to see the engine', async () => {
  const response = await new Promise<IncomingMessage>((resolve) => request({ ...engine!.address, path: '/_ping' }, resolve).end())
  expect(await text(response)).toBe('OK')
})
