/** The public command on something planted: what it found. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { expect } from 'vitest'
import type { Result } from '../../harness/report/result.ts'

const command = path.join(import.meta.dirname, '..', '..', 'harness', 'cli.ts')

/** Runs it with these arguments; it is never ready, as what is judged is planted. Its run is removed again. */
export async function judgePlanted(args: string[], env: Record<string, string>, timeoutMs: number): Promise<Result> {
  const out = await mkdtemp(path.join(tmpdir(), 'planted-'))
  try {
    const ended = await execa(process.execPath, [command, ...args, '--out', out], { env, reject: false, timeout: timeoutMs })
    expect(ended.exitCode, ended.stderr.slice(-600)).toBe(2)
    return JSON.parse(await readFile(path.join(out, 'latest', 'result.json'), 'utf8')) as Result
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}
