/** Facts of this machine and of the harness itself, for the report. */
import { readFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import type { Result } from './report/result.ts'
import { told } from './runtime/elsewhere/told.ts'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')

/** Version from package.json, commit from git where there is one, and whether files were changed since. */
export async function gatherHarness(): Promise<Result['harness']> {
  const outside = told()
  if (outside !== null) return outside.harness
  const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string }
  const git = (args: string[]) => execa('git', args, { cwd: root, reject: false, timeout: 5_000 })
  const [commit, status] = await Promise.all([git(['rev-parse', 'HEAD']), git(['status', '--porcelain'])])
  const found = commit.exitCode === 0
  return { version: manifest.version, commit: found ? commit.stdout : null, dirty: found && status.stdout !== '' }
}

export async function gatherHost(): Promise<Omit<Result['host'], 'readersMax' | 'readersMaxBecause'>> {
  return {
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    openFilesMax: await openFilesMax(),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
  }
}

/** The hard limit: Node raises its soft limit to it at start, and services inherit it. */
async function openFilesMax(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const line = limits.split('\n').find((candidate) => candidate.startsWith('Max open files'))
  return Number(line?.split(/\s{2,}/)[2] ?? 0) || 0
}
