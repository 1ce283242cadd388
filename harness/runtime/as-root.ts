/**
 * Mounts are root's to make. For every other user sudo makes them where it asks that user for no password, as on
 * the machines of CI services: these two programs alone, and only for what lies below a run's folder. A password
 * that was given a moment ago does not count, for at the end of a run that was killed nobody is there to give it.
 */
import { execa } from 'execa'

type Mounting = 'mount' | 'umount'

const triedMsMax = 5_000

/** The program and its arguments, to be run as they stand. */
export function asRoot(program: Mounting, args: string[]): [program: string, args: string[]] {
  return process.getuid!() === 0 ? [program, args] : ['sudo', ['--non-interactive', '--reset-timestamp', program, ...args]]
}

/** What keeps this user from mounting, behind 'to mount something'; null when nothing does. */
export async function whyNotAsRoot(): Promise<string | null> {
  if (process.getuid!() === 0) return null
  const { exitCode } = await execa(...asRoot('mount', ['--version']), { timeout: triedMsMax, reject: false, stdin: 'ignore' })
  return exitCode === 0 ? null : 'takes root, and sudo is not there or asks for a password: run the simulation as root, or where there is a container engine with --runtime engine'
}
