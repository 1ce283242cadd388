/** `npm run ci-cache`: keys made of content, by releases on loopback; images through an engine, where one answers. */
import { createReadStream, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { packTar } from 'modern-tar'
import { afterAll, describe, expect, test } from 'vitest'
import { follow } from '../harness/runtime/images/build-image.ts'
import { imagesHere, imagesKey, loadImages, saveImages, worthKeeping } from '../harness/runtime/images/kept-images.ts'
import { archiveOf, serverScript, startReleaseServer } from './provision/release-server.ts'
import { engine } from './runtime/engine-for-tests.ts'

const root = path.join(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(tmpdir(), 'ci-cache-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function ciCache(args: string[], env: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, ['harness/ci-cache.ts', ...args], { cwd: root, reject: false, stdin: 'ignore', env: { XDG_CACHE_HOME: folder, ...env } })
  return { exitCode, stderr, lines: stdout.split('\n') }
}

describe('keys', () => {
  test('name the newest release there is, whatever is kept here', async () => {
    const archive = await archiveOf(serverScript('v2.10.0'))
    await using releases = await startReleaseServer({ '0.3.2': archive, '0.10.0': archive, '0.9.9': archive })
    const { lines, exitCode } = await ciCache(['keys'], { DURABLE_STREAMS_RELEASES: releases.url })
    expect(exitCode).toBe(0)
    expect(lines).toEqual([
      'server-version=0.10.0',
      `server-folder=${path.join(folder, 'durable-streams-simulator', 'servers')}`,
      `server-key=server-${process.platform}-${process.arch}-0.10.0`,
      `images-key=${imagesKey()}`,
    ])
  })

  test('of a release that was named ask nobody', async () => {
    await using releases = await startReleaseServer({})
    const { lines } = await ciCache(['keys', '--server-version', '0.3.1'], { DURABLE_STREAMS_RELEASES: releases.url })
    expect(lines[2]).toBe(`server-key=server-${process.platform}-${process.arch}-0.3.1`)
    expect(releases.requests).toEqual([])
  })

  test('say so where no release can be asked, and leave it to the run', async () => {
    const { lines, stderr, exitCode } = await ciCache(['keys'], { DURABLE_STREAMS_RELEASES: 'http://127.0.0.1:9' })
    expect(exitCode).toBe(0)
    expect(lines[0]).toBe('server-version=')
    expect(stderr).toMatch(/^The newest release is not known: /)
  })

  test.each(['../../x', '0.3.1\nverdict=ready'])('refuse %j: a line more would be an output more', async (version) => {
    const { exitCode, stderr } = await ciCache(['keys', '--server-version', version])
    expect(exitCode).toBe(64)
    expect(stderr).toContain('is not a version; give three numbers')
  })
})

describe('images', () => {
  test('that are worth keeping are those of a run, but for the server of the day', () => {
    const kept = ['node:24.21.0-bookworm-slim', 'docker.io/library/varnish:7.6.1', 'durable-streams-simulator/varnish:1f2e']
    expect(worthKeeping([...kept, 'durable-streams-simulator/server:aa', 'postgres:16', 'node:20', '<none>:<none>']).toSorted()).toEqual(kept.toSorted())
  })

  test('have a key that no run changes', () => expect(imagesKey()).toMatch(/^images-\w+-\w+-[0-9a-f]{16}$/))

  test('without an engine are none, and that is no failure', async () => {
    const nowhere = { DOCKER_HOST: 'unix:///nowhere.sock' }
    for (const sub of ['save-images', 'load-images']) {
      const { exitCode, stderr } = await ciCache([sub, path.join(folder, 'images')], nowhere)
      expect({ exitCode, first: stderr.split(':')[0] }).toEqual({ exitCode: 0, first: 'No images' })
    }
  })

  test.skipIf(engine === null)('go into files and come back under their names', async () => {
    const { docker } = engine!
    const tag = `durable-streams-simulator/kept-for-a-test:${process.pid}`
    const archive = path.join(folder, 'image.tar')
    writeFileSync(archive, await packTar([{ header: { name: 'a-file', size: 4, mode: 0o644 }, body: 'text' }]))
    const [repo, version] = tag.split(':') as [string, string]
    await follow(docker, docker.importImage(createReadStream(archive), { repo, tag: version }), tag)
    const { Id } = await docker.getImage(tag).inspect()
    try {
      expect(await imagesHere(docker)).toContain(tag)
      const into = path.join(folder, 'kept')
      await saveImages(docker, into, [tag])
      expect(readdirSync(into)).toHaveLength(1)
      await docker.getImage(tag).remove()
      expect(await imagesHere(docker)).not.toContain(tag)
      expect(await loadImages(docker, into)).toBe(1)
      expect((await docker.getImage(tag).inspect()).Id).toBe(Id)
    } finally {
      await docker.getImage(tag).remove().catch(() => {})
    }
  })
})
