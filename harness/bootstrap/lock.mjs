/**
 * One job at a time among all processes that name the same file. Plain JavaScript, because the
 * bootstrap needs it before any dependency or newer Node is there.
 */
import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

const pollMs = 100
/** A lock of another machine (shared folder) cannot be asked whether it lives; it only ages. */
const foreignLockMaxAgeMs = 30 * 60_000

/**
 * Runs `job` while this process holds the lock file, and gives the file back afterwards.
 *
 * @template T
 * @param {string} path
 * @param {{ waitMs: number, onWait?: () => void, signal?: AbortSignal }} options
 *   `onWait` is called once when another process holds the lock.
 * @param {() => Promise<T>} job
 * @returns {Promise<T>}
 * @throws when the lock is still held after `waitMs`, or cannot be created
 */
export async function withLock(path, options, job) {
  const mine = await acquire(path, options)
  try {
    return await job()
  } finally {
    if (read(path) === mine) rmSync(path, { force: true })
  }
}

async function acquire(path, { waitMs, onWait, signal }) {
  const mine = describeOwner()
  const deadline = performance.now() + waitMs
  for (let waited = false; ; waited = true) {
    if (create(path, mine)) return mine
    breakIfStale(path)
    if (create(path, mine)) return mine
    if (!waited) onWait?.()
    if (performance.now() > deadline) {
      throw new Error(
        `another run has held ${path} for ${Math.round(waitMs / 1000)} s; ` +
          'wait for it to end, or remove that file if no such run exists',
      )
    }
    await delay(pollMs, undefined, signal ? { signal } : undefined)
  }
}

/** The random part tells two jobs of one process apart. */
function describeOwner() {
  const pid = process.pid
  const nonce = randomBytes(8).toString('hex')
  return JSON.stringify({ pid, startedAt: startOf(pid), host: hostname(), nonce })
}

function create(path, content) {
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/**
 * Moving the file away is atomic, so of several waiters only one breaks the lock. Should it have
 * become somebody's living lock between reading and moving, it is put back.
 */
function breakIfStale(path) {
  const content = read(path)
  if (content === null || !isStale(path, content)) return
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  if (read(aside) !== content) {
    try {
      linkSync(aside, path)
    } catch {
      // Another process took the lock meanwhile; the one moved away was already given back.
    }
  }
  rmSync(aside, { force: true })
}

function isStale(path, content) {
  let owner
  try {
    owner = JSON.parse(content)
  } catch {
    // Created a moment ago and not yet written, or torn by a full disk: only age can tell.
    return ageMs(path) > 5_000
  }
  if (owner.host !== hostname()) return ageMs(path) > foreignLockMaxAgeMs
  return !isAlive(owner.pid) || startOf(owner.pid) !== owner.startedAt
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return 0
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** The kernel's start time of a process, so that a reused pid is not taken for the owner. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
