import { accessSync, constants, statSync } from 'node:fs'
import path from 'node:path'

/** Where package managers put servers that a person's PATH often lacks. */
const usualFolders = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/bin',
  '/usr/local/bin',
  '/opt/homebrew/sbin',
  '/opt/homebrew/bin',
]

/** The first executable file called `name` in PATH, then in the other folders; else null. */
export function findProgram(
  name: string,
  env: NodeJS.ProcessEnv,
  otherFolders: readonly string[] = usualFolders,
): string | null {
  const folders = (env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
  for (const folder of [...folders, ...otherFolders]) {
    const candidate = path.join(folder, name)
    if (isExecutableFile(candidate)) return candidate
  }
  return null
}

function isExecutableFile(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
