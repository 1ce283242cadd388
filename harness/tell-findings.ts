/** Tells findings to other programs: as annotations of GitHub Actions, and as a SARIF file. */
import { constants, existsSync, readFileSync } from 'node:fs'
import { access, mkdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Finding } from './audits/finding.ts'
import type { Waiver } from './conclude.ts'
import { UsageError } from './errors.ts'
import { findingAnnotations } from './report/finding-annotations.ts'
import { renderSarif } from './report/sarif.ts'

export interface Told {
  findings: readonly Finding[]
  waivers: readonly Waiver[]
}

/** Only where GitHub Actions runs this. */
export function annotate({ findings, waivers }: Told, cwd: string, out: NodeJS.WritableStream): void {
  if (process.env.GITHUB_ACTIONS !== 'true') return
  for (const line of findingAnnotations(findings, (file) => inRepository(path.resolve(cwd, file)), waivers)) out.write(`${line}\n`)
}

/** Before a run of minutes: makes the file's folder. @throws UsageError where the file could not be written */
export async function refuseUnwritable(file: string, cwd: string): Promise<void> {
  const target = path.resolve(cwd, file)
  try {
    await mkdir(path.dirname(target), { recursive: true })
    const found = await stat(target).catch(() => null)
    if (found?.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' })
    await access(found ? target : path.dirname(target), constants.W_OK)
  } catch (error) {
    throw unwritable(file, error)
  }
}

/** @throws UsageError where it cannot be written */
export async function writeSarif(file: string, { findings, waivers }: Told, cwd: string): Promise<void> {
  const texts = new Map<string, string[]>()
  const lineOf = (name: string, line: number) => {
    const lines = texts.get(name) ?? linesOf(path.resolve(cwd, name))
    texts.set(name, lines)
    return lines[line - 1] ?? ''
  }
  const sarif = renderSarif(findings, { version: ownVersion(), pathOf: (name) => inRepository(path.resolve(cwd, name)), lineOf, waivers })
  const target = path.resolve(cwd, file)
  try {
    await mkdir(path.dirname(target), { recursive: true })
    await writeFile(target, sarif)
  } catch (error) {
    throw unwritable(file, error)
  }
}

function unwritable(file: string, error: unknown): UsageError {
  return new UsageError(`--sarif ${file} cannot be written (${(error as NodeJS.ErrnoException).code}); give the path of a file in a folder that can be written to.`)
}

/** From the root of the repository that holds the file, with forward slashes; absolute where none does. */
export function inRepository(file: string, env: NodeJS.ProcessEnv = process.env): string {
  const workspace = env.GITHUB_WORKSPACE
  const root = workspace && isInside(workspace, file) ? workspace : repositoryOf(path.dirname(file))
  return (root === null ? file : path.relative(root, file)).replaceAll(path.sep, '/')
}

function isInside(folder: string, file: string): boolean {
  const way = path.relative(folder, file)
  return way !== '' && !way.startsWith('..') && !path.isAbsolute(way)
}

function repositoryOf(folder: string): string | null {
  if (existsSync(path.join(folder, '.git'))) return folder
  const above = path.dirname(folder)
  return above === folder ? null : repositoryOf(above)
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}

function ownVersion(): string {
  const manifest = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'package.json')
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
