/** Opens a file in the program that the desktop has for it. */
import { execa } from 'execa'

const openers: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
  linux: ['xdg-open'],
}

/** False where there is no such program, or it refused: then a person has to open it. */
export async function openFile(file: string): Promise<boolean> {
  const [program, ...before] = openers[process.platform] ?? ['xdg-open']
  const ended = await execa(program!, [...before, file], { reject: false, stdio: 'ignore', timeout: 10_000 })
  return ended.exitCode === 0
}
