/**
 * Where the browser comes from. No hop needs it, so a run without one goes on: what only a browser
 * can show is `unknown` then, with the remedy.
 */
import { globSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { UsageError } from '../errors.ts'
import { askProgram } from './ask-program.ts'
import { findProgram } from './find-program.ts'
import { installDebianPackages } from './install-packages.ts'
import { canInstall, debianPackages, installCommand, thisHost, type Host, type Tool } from './missing-tools.ts'

export interface ProvidedBrowser {
  path: string
  /** 'Chromium 156.0.8078.108' */
  version: string
}

/** `missing` is a sentence with the remedy. */
export type BrowserOrNone = ProvidedBrowser | { missing: string }

export interface BrowserSearch {
  /** `--browser`: a wrong path is a UsageError, 'none' does without. */
  explicit?: string | undefined
  env: NodeJS.ProcessEnv
  host?: Host
  /** Searched after PATH; default: where package managers put programs. */
  folders?: readonly string[] | undefined
  onProgress(line: string): void
  signal?: AbortSignal | undefined
}

export const browserTool: Tool = {
  name: 'Chromium',
  packages: { apt: 'chromium', dnf: 'chromium', pacman: 'chromium', apk: 'chromium', zypper: 'chromium', brew: '--cask chromium' },
  services: [],
}

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
const applications = ['Chromium', 'Google Chrome'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`)
/** As playwright lays its downloads out, on Linux and on macOS. */
const downloads = ['chromium-*/chrome-linux*/chrome', 'chromium-*/chrome-mac*/*.app/Contents/MacOS/*', 'chromium_headless_shell-*/*/{headless_shell,chrome-headless-shell}']

/** Finds a browser, or installs one where that needs no question. Throws only for a wrong path, and when it is aborted. */
export async function provideBrowser(search: BrowserSearch): Promise<BrowserOrNone> {
  if (search.explicit === 'none') return { missing: 'No browser was to be used (--browser none).' }
  if (search.explicit !== undefined) return explicitBrowser(search.explicit, search.signal)
  const before = await findBrowser(search)
  if (before !== null) return before
  const host = search.host ?? thisHost()
  const command = installCommand([browserTool], host)
  const remedy = command === null ? 'install Chromium with this system\'s package manager' : `run: ${command}`
  if (!canInstall(host)) return { missing: `No Chromium or Chrome was found; ${remedy}, or give one with --browser PATH.` }
  try {
    search.onProgress(`Installing ${browserTool.name} (apt-get install ${debianPackages([browserTool]).join(' ')})…`)
    await installDebianPackages(debianPackages([browserTool]), { ...search, services: [] })
  } catch (error) {
    search.signal?.throwIfAborted()
    return { missing: `No Chromium or Chrome was found, and none could be installed: ${(error as Error).message}` }
  }
  return (await findBrowser(search)) ?? { missing: `The package of Chromium here holds none that runs; give one with --browser PATH.` }
}

async function explicitBrowser(file: string, signal: AbortSignal | undefined): Promise<ProvidedBrowser> {
  const identity = await identify(path.resolve(file), signal)
  if (typeof identity !== 'string') return identity
  throw new UsageError(`--browser ${file} ${identity}; give the path of a Chromium or Chrome, or "none".`)
}

/** The first that says it is one: a distribution's `chromium-browser` may only be advice to install something else. */
export async function findBrowser({ env, folders, signal }: Pick<BrowserSearch, 'env' | 'folders' | 'signal'>): Promise<ProvidedBrowser | null> {
  const cache = env['PLAYWRIGHT_BROWSERS_PATH'] || path.join(env['HOME'] || homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache', 'ms-playwright')
  const downloaded = globSync(downloads, { cwd: cache }).toSorted().toReversed().map((file) => path.join(cache, file))
  const installed = names.map((name) => findProgram(name, env, folders))
  for (const file of [...installed, ...applications, ...downloaded]) {
    if (file === null) continue
    const identity = await identify(file, signal)
    if (typeof identity !== 'string') return identity
  }
  return null
}

/** Who it says it is; else a clause that continues "it …". */
async function identify(file: string, signal: AbortSignal | undefined): Promise<ProvidedBrowser | string> {
  const answer = await askProgram(file, ['--version'], signal)
  if (answer.said === null) return answer.because
  const version = /\b(?:Chromium|Google Chrome(?: for Testing)?|HeadlessChrome) [\d.]+/.exec(answer.said)?.[0]
  return version === undefined ? 'does not say that it is Chromium or Chrome' : { path: file, version }
}
