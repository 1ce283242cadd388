/** What an engine that is elsewhere will not do is one sentence. Only over a real socket, with an engine that is none. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runElsewhere, type ElsewhereRun } from '../../../harness/runtime/elsewhere/run-elsewhere.ts'
import { openAnyEngine, openEngine } from '../../../harness/runtime/engine.ts'
import { standInEngine, type Answers } from '../fixtures/engine.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'refusals-'))
const socket = path.join(folder, 'engine.sock')
beforeAll(() => void vi.stubEnv('DOCKER_HOST', `unix://${socket}`))
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const otherKernel: Answers = {
  'GET /info': { body: { ServerVersion: '99.0', OSType: 'linux', OperatingSystem: 'Docker Desktop', KernelVersion: '6.6.0-linuxkit' } },
  'GET /volumes': { body: { Volumes: [] } },
}

async function refusal(answers: Answers): Promise<string> {
  await using _ = await standInEngine(socket, { ...otherKernel, ...answers })
  const engine = await openAnyEngine()
  expect(engine.isHere).toBe(false)
  await expect(openEngine()).rejects.toThrow(/^The container engine's containers do not share this machine's files and processes/)
  const run: ElsewhereRun = {
    engine,
    root: folder,
    out: folder,
    staging: path.join(folder, 'staging'),
    cwd: folder,
    files: [],
    env: {},
    written: [],
    keepsakes: [],
    told: { terminal: { stdout: null, stderr: null }, harness: { version: '1', commit: null, dirty: false }, given: null },
    image: async () => 'harness',
    onProgress: () => {},
    signal: new AbortController().signal,
  }
  return await runElsewhere(run).then(() => 'it went on', (error: Error) => `${error.name}: ${error.message}`)
}

test('one that makes no volumes', async () => {
  expect(await refusal({ 'POST /volumes/create': { status: 500, body: { message: 'no space left for volumes' } } })).toMatch(
    /^UsageError: The container engine makes no volume \(.*no space left for volumes\), and one that is elsewhere needs some: mend that, or run without containers: --runtime processes\.$/,
  )
})
