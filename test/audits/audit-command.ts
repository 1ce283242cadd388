/** The public command on a folder of fixtures, and what the fixtures say that it must find. */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { execa } from 'execa'
import type { Finding } from '../../harness/audits/finding.ts'

const root = path.resolve(import.meta.dirname, '../..')
export const fixtures = path.join(import.meta.dirname, 'fixtures')

export interface Audited {
  exitCode: number | undefined
  stdout: string
  stderr: string
}

/** `npm run audit -- …args` without npm, in a folder. */
export async function audit(args: string[], cwd: string, env: Record<string, string> = {}): Promise<Audited> {
  const command = [path.join(root, 'harness/bootstrap.mjs'), 'audit', ...args]
  const { exitCode, stdout, stderr } = await execa(process.execPath, command, { cwd, env, reject: false, timeout: 120_000 })
  return { exitCode, stdout, stderr }
}

export async function findingsIn(args: string[], cwd: string): Promise<Finding[]> {
  const { stdout, stderr } = await audit([...args, '--json'], cwd)
  if (stdout === '') throw new Error(stderr)
  return (JSON.parse(stdout) as { findings: Finding[] }).findings
}

/** `src/a.ts:3 error https`: the place, and what is found there. */
export function marks(findings: readonly Finding[]): string[] {
  return findings.map(({ file, line, severity, rule }) => `${file}:${line} ${severity} ${rule}`).toSorted()
}

/** What the files of a fixture are marked with: `// ! error https` at the end of the line. */
export function markedIn(folder: string): string[] {
  return globSync('**/*.{ts,tsx,js,jsx,mjs,cjs}', { cwd: folder })
    .flatMap((file) => readFileSync(path.join(folder, file), 'utf8').split('\n').flatMap((line, index) => marksOf(line).map((mark) => `${file}:${index + 1} ${mark}`)))
    .toSorted()
}

/** `comment` is how the language begins one. */
export function marksOf(line: string, comment = '//'): string[] {
  const at = line.lastIndexOf(`${comment} ! `)
  return at < 0 ? [] : line.slice(at + comment.length + 3).split(', ')
}
