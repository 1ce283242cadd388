import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { UsageError } from '../../harness/errors.ts'
import { findBrowser, provideBrowser } from '../../harness/provision/browser.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** A machine where nothing may be installed. */
const host = { platform: 'linux' as const, uid: 1_000, osRelease: 'ID=debian' }
const silent = { host, folders: [], onProgress: () => {} }

const used: Disposable[] = []
afterEach(() => used.splice(0).forEach((one) => one[Symbol.dispose]()))

function newFolder(): string {
  const folder = temporaryFolder()
  used.push(folder)
  return folder.path
}

function program(folder: string, name: string, says: string): string {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, `#!/bin/sh\necho '${says}'\n`)
  chmodSync(file, 0o755)
  return file
}

describe('a browser', () => {
  it('is found in PATH, but not where only advice has its name', async () => {
    const folder = newFolder()
    const env = { PATH: folder, HOME: folder }
    program(folder, 'chromium', 'Install it: snap install chromium')
    const chrome = program(folder, 'google-chrome', 'Google Chrome 150.0.1.2 unknown')
    expect(await findBrowser({ env, folders: [] })).toEqual({ path: chrome, version: 'Google Chrome 150.0.1.2' })
    expect(await provideBrowser({ ...silent, env, explicit: chrome })).toMatchObject({ path: chrome })
  })

  it('is found where playwright keeps its own, the newest first', async () => {
    const folder = newFolder()
    program(folder, 'chromium-1100/chrome-linux/chrome', 'Chromium 110.0.1.2')
    const newer = program(folder, 'chromium-1200/chrome-linux/chrome', 'Chromium 120.0.1.2')
    const env = { PATH: '/nowhere', HOME: folder, PLAYWRIGHT_BROWSERS_PATH: folder }
    expect(await findBrowser({ env, folders: [] })).toEqual({ path: newer, version: 'Chromium 120.0.1.2' })
  })

  it('that cannot be had is no error, and the remedy is told', async () => {
    const env = { PATH: '/nowhere', HOME: newFolder() }
    const none = await provideBrowser({ ...silent, env })
    expect(none).toEqual({ missing: 'No Chromium or Chrome was found; run: sudo apt-get install -y --no-install-recommends chromium, or give one with --browser PATH.' })
    expect(await provideBrowser({ ...silent, env, explicit: 'none' })).toEqual({ missing: 'No browser was to be used (--browser none).' })
  })

  it('that was given and is none is a mistake in one sentence', async () => {
    const other = program(newFolder(), 'editor', 'Editor 1.0')
    const given = (explicit: string) => provideBrowser({ ...silent, env: process.env, explicit })
    await expect(given(other)).rejects.toThrow(`--browser ${other} does not say that it is Chromium or Chrome; give the path of a Chromium or Chrome, or "none".`)
    await expect(given('/nowhere/chrome')).rejects.toThrow(UsageError)
  })
})
