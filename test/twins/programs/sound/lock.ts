/** One process at a time on a folder; what a killed one left there holds up nobody. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Ends this process, with a sentence, where another one that lives holds the folder. */
export function lockOrExit(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, 'lock')
  const holder = holderOf(file)
  if (holder !== null) {
    console.error(`The data_dir ${folder} is held by the process ${holder}: stop that one, or give this one a folder of its own.`)
    process.exit(1)
  }
  rmSync(file, { force: true })
  writeFileSync(file, `${process.pid} ${bornAt(process.pid)}`, { flag: 'wx' })
}

/** The process that locked it, where that one still lives: another may have its number now. */
function holderOf(file: string): number | null {
  const [pid, born] = textOf(file).split(' ')
  if (pid === undefined || born === undefined) return null
  const isHeld = born === untold ? isAlive(Number(pid)) : bornAt(Number(pid)) === born
  return isHeld ? Number(pid) : null
}

/** Where there is no /proc it is not told which of its bearers a number means. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const untold = 'untold'

/** When the process was started, in ticks since the machine was; 'untold' where nothing is known of it, or it has ended. */
function bornAt(pid: number): string {
  // Behind the name, which may hold anything: state, parent, …; see proc(5).
  const fields = textOf(`/proc/${pid}/stat`).split(') ').at(-1)!.split(' ')
  return fields.length < 20 || fields[0] === 'Z' ? untold : fields[19]!
}
