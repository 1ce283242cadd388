import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { makeOutputFolder } from '../harness/output-folder.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'output-folder-'))
afterEach(() => vi.unstubAllEnvs())
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.skipIf(process.getuid!() !== 0)('under sudo a run belongs to whom sudo speaks for, and nothing else does', async () => {
  vi.stubEnv('SUDO_UID', '12345')
  vi.stubEnv('SUDO_GID', '12346')
  const out = path.join(folder, 'reports')
  mkdirSync(path.join(out, 'before'), { recursive: true })
  {
    await using run = await makeOutputFolder(out, 'run-1')
    mkdirSync(path.join(run.path, 'logs'))
    writeFileSync(path.join(run.path, 'logs', 'origin.log'), '')
    writeFileSync(path.join(run.path, 'result.json'), '{}')
    symlinkSync('run-1', path.join(out, 'latest'))
  }
  const owner = (name: string) => [lstatSync(path.join(out, name)).uid, lstatSync(path.join(out, name)).gid].join()
  expect(['run-1', 'run-1/result.json', 'run-1/logs', 'run-1/logs/origin.log', 'latest'].map(owner)).toEqual(Array.from({ length: 5 }, () => '12345,12346'))
  expect(['.', 'before'].map(owner)).toEqual(['0,0', '0,0'])
})
