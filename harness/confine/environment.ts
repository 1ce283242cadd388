/**
 * The environment in which a program runs in the simulation: nothing of the caller's own, so that
 * no proxy, collector, token or home folder of theirs is used.
 */
import { join } from 'node:path'
import { isSecretName } from './redact.ts'

/** Stands in for the value of a variable whose name sounds like a secret. */
export const simulatedSecret = 'simulated-secret'

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The caller's PATH, then the usual folders: a program found in one of them calls others from there. */
export function searchPath(own: Readonly<Record<string, string | undefined>>): string {
  return [own.PATH, usualPath].filter(Boolean).join(':')
}

/**
 * The whole environment for a program whose every file shall lie below `folder`.
 * Give it with `extendEnv: false`.
 */
export function confinedEnvironment(
  folder: string,
  variables: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    ...variables,
    PATH: usualPath,
    LANG: 'C.UTF-8',
    HOME: folder,
    TMPDIR: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_RUNTIME_DIR: folder,
  }
}

/**
 * The values to give to the variables that a Caddyfile names: the caller's own, but for secrets,
 * which get a placeholder. Variables that the caller does not have are left out.
 */
export function variablesFor(
  names: readonly string[],
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const entries = names.flatMap((name) => {
    if (isSecretName(name)) return [[name, simulatedSecret] as const]
    const value = own[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(entries)
}
