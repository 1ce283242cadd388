import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { withLock } from '../bootstrap/lock.mjs'
import { UsageError } from '../errors.ts'

export interface InstallOptions {
  env: NodeJS.ProcessEnv
  onProgress: (line: string) => void
  signal?: AbortSignal | undefined
  /** What these packages would start at boot. */
  services?: readonly string[]
  /** The file by which Debian's packages ask whether they may start their services. */
  policyFile?: string
  /** How long another apt or dpkg may keep its lock. */
  busyMaxMs?: number
}

const defaultPolicyFile = '/usr/sbin/policy-rc.d'
const listsFolder = '/var/lib/apt/lists'
const defaultBusyMaxMs = 180_000
const commandMaxMs = 600_000
const otherInstallMaxMs = 900_000
const busyPollMs = 1_000

const mark =
  '# durable-streams-simulator: no service is started while this program installs packages'
const refusal = `#!/bin/sh\n${mark}\nexit 101\n`

/**
 * Installs Debian packages as root, with nothing asked and no service of theirs started. Throws a
 * `UsageError` with apt's own words when it cannot.
 */
export async function installDebianPackages(
  packages: string[],
  options: InstallOptions,
): Promise<void> {
  const lock = path.join(tmpdir(), 'durable-streams-simulator-apt.lock')
  const onWait = () => options.onProgress('Another run is installing packages; waiting for it.')
  const { signal } = options
  await withLock(lock, { waitMs: otherInstallMaxMs, onWait, ...(signal && { signal }) }, () =>
    withoutStartingServices(options.policyFile ?? defaultPolicyFile, async () => {
      await install(packages, options)
      await keepServicesOff(options.services ?? [], options.env)
    }),
  )
}

/**
 * A file of somebody else's is left alone: it has its own reasons. One with our mark was left by a
 * run that was killed, and goes with this run.
 */
async function withoutStartingServices(
  policyFile: string,
  job: () => Promise<void>,
): Promise<void> {
  if (existsSync(policyFile) && !readFileSync(policyFile, 'utf8').includes(mark)) return job()
  writeFileSync(policyFile, refusal, { mode: 0o755 })
  try {
    await job()
  } finally {
    rmSync(policyFile, { force: true })
  }
}

async function install(packages: string[], options: InstallOptions): Promise<void> {
  const words = ['install', '-y', '--no-install-recommends', ...packages]
  if (hasPackageLists()) {
    const first = await aptGet(words, options)
    if (first.ok) return
  }
  const updated = await aptGet(['update'], options)
  const second = await aptGet(words, options)
  if (second.ok) return
  const said = updated.ok ? second.said : `${updated.said} ${second.said}`
  throw new UsageError(
    `${packages.join(', ')} could not be installed: apt-get said "${said}"; ` +
      `mend that, or run "apt-get update && apt-get ${words.join(' ')}" yourself, then try again.`,
  )
}

function hasPackageLists(): boolean {
  try {
    return readdirSync(listsFolder).some(
      (name) => name.endsWith('_Packages') || name.includes('_Packages.'),
    )
  } catch {
    return false
  }
}

/** Another apt's lock on the lists is reported at once, so the waiting is ours. */
async function aptGet(
  words: string[],
  options: InstallOptions,
): Promise<{ ok: boolean; said: string }> {
  const busyMaxMs = options.busyMaxMs ?? defaultBusyMaxMs
  const deadline = performance.now() + busyMaxMs
  const wait = [
    '-o',
    `DPkg::Lock::Timeout=${Math.ceil(busyMaxMs / 1_000)}`,
    '-o',
    'Dpkg::Use-Pty=0',
    '-q',
  ]
  for (let waited = false; ; waited = true) {
    const result = await execa('apt-get', [...wait, ...words], {
      env: { ...options.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
      extendEnv: false,
      stdin: 'ignore',
      all: true,
      reject: false,
      timeout: commandMaxMs,
      ...(options.signal && { cancelSignal: options.signal }),
    })
    options.signal?.throwIfAborted()
    const said = errorsIn(result.all ?? result.shortMessage ?? '')
    if (!result.failed) return { ok: true, said }
    const busy = /Could not get lock|Unable to acquire the dpkg|Unable to lock/.test(said)
    if (!busy || performance.now() > deadline) return { ok: false, said }
    if (!waited) options.onProgress('Another program is using apt; waiting for it.')
    await delay(busyPollMs, undefined, options.signal ? { signal: options.signal } : undefined)
  }
}

/** Without addresses: a mirror's may carry a password, and logs are passed around. */
function errorsIn(output: string): string {
  const lines = output.split('\n').filter((line) => /^(E|Err):?/.test(line))
  const words = (lines.length > 0 ? lines : output.trim().split('\n').slice(-3)).join(' ')
  return words.replaceAll(/\bhttps?:\/\/\S+/g, '(address)').slice(0, 500)
}

/** Not started now, and not at the next boot either: the user asked for the program only. */
async function keepServicesOff(services: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  if (services.length === 0 || !existsSync('/run/systemd/system')) return
  await execa('systemctl', ['disable', ...services], {
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 20_000,
  })
}
