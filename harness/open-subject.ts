/** The programs, the runtime and the user's files of one run: set up, looked at, and refused where they are wrong. */
import path from 'node:path'
import { maxFileHandlesDefault } from './confine/caddy-capabilities.ts'
import { edgeById } from './edges/edges.ts'
import { gather, type Subject } from './gather.ts'
import { refuseLowOpenFilesLimit } from './open-files-limit.ts'
import { openWorkshop, type Workshop } from './open-workshop.ts'
import type { Options } from './options.ts'
import type { Plan } from './plan.ts'
import { provideBrowser, type BrowserOrNone, type BrowserSearch } from './provision/browser.ts'

export interface OpenedSubject extends AsyncDisposable {
  workshop: Workshop
  subject: Subject
}

export interface OpenSubjectOptions {
  options: Options
  plan: Plan
  runId: string
  /** The run's own folder. */
  folder: string
  /** Where temporary data stays, for `--keep`. */
  keepIn?: string
  onProgress(line: string): void
  signal: AbortSignal
}

/** @throws UsageError for what the user gave and is wrong, or what this machine lacks */
export async function openSubject({ options, plan, runId, folder, keepIn, onProgress, signal }: OpenSubjectOptions): Promise<OpenedSubject> {
  await using opening = new AsyncDisposableStack()
  const search = { env: process.env, signal, onProgress }
  const workshop = opening.use(
    await openWorkshop({
      kind: options.runtime,
      edge: edgeById(options.edge),
      provision: { ...options, ...search },
      onProgress,
      runId,
      logsDir: path.join(folder, 'logs'),
      ...(keepIn === undefined ? {} : { keepIn }),
      signal,
    }),
  )
  // Where no port is free no scenario could start: told now, not by each of them.
  await workshop.runtime.leasePort()
  const { caddyfile, dataDirFrom, tlsCaddyfile, edgeConfig } = options
  const subject = await gather({
    ...workshop,
    browser: await browserFor(plan, options, search),
    ...(caddyfile === undefined ? {} : { caddyfile }),
    ...(dataDirFrom === undefined ? {} : { dataDirFrom }),
    ...(tlsCaddyfile === undefined ? {} : { tlsCaddyfile }),
    ...(edgeConfig === undefined ? {} : { edgeConfig }),
  })
  refuseLowOpenFilesLimit(subject.capabilities && (subject.capabilities.maxFileHandles ?? maxFileHandlesDefault), options.streams)
  signal.throwIfAborted()
  const owned = opening.move()
  return { workshop, subject, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Only looked for, and installed, where a scenario opens pages. */
async function browserFor({ scenarios }: Plan, { browser }: Options, search: BrowserSearch): Promise<BrowserOrNone> {
  if (!scenarios.some(({ world }) => world.browser)) return { missing: 'No scenario of this run needs a browser.' }
  return provideBrowser({ ...search, explicit: browser })
}
