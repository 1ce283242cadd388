/**
 * The guard of a run in an engine that is elsewhere: a program of its own on the user's machine, in a session of
 * its own, with its standard input a pipe from the harness. When that pipe ends without a word of `done`, it
 * gives the harness inside time to end by itself, brings its reports back, and removes all of the run from the
 * engine.
 *
 *   node guard.ts <id of the run> <folder of reports> <folder in it that goes with the run>
 *
 * It says `ready` on its standard output.
 */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { openAnyEngine, type Docker } from '../engine.ts'
import { fetchFolder } from './bring-back.ts'
import { elsewhereLabel, harnessName, removeAll } from './leftovers.ts'

/** The harness inside sees its input end at the same moment, and has 4 s; all is gone within 10 s. */
const endMsMax = 4_500
const lookEveryMs = 100

async function guard(id: string, out: string, staging: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.stdout.on('error', () => {})
  const { docker } = await openAnyEngine()
  process.stdout.write('ready\n')
  if ((await text(process.stdin)).includes('done')) return
  const deadline = performance.now() + endMsMax
  while (performance.now() < deadline && (await isRunning(docker, id))) await delay(lookEveryMs)
  // There may be none yet, and they shall not keep anything from being removed.
  await fetchFolder(docker.getContainer(harnessName(id)), out, path.join(staging, 'back')).catch(() => {})
  await rm(staging, { recursive: true, force: true })
  await removeAll(docker, id)
}

async function isRunning(docker: Docker, id: string): Promise<boolean> {
  return (await docker.listContainers({ filters: { label: [`${elsewhereLabel}=${id}`] } })).length > 0
}

if (import.meta.main) await guard(process.argv[2]!, process.argv[3]!, process.argv[4]!)
