/** `npm run simulate` where the container engine is not of this machine: the command itself goes there. */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SourceAudit } from './audits/row-parts.ts'
import { edgeById } from './edges/edges.ts'
import { UsageError } from './errors.ts'
import { gatherBelongings } from './gather-belongings.ts'
import { gatherHarness } from './gather-environment.ts'
import type { Options } from './options.ts'
import { makeOutputFolder } from './output-folder.ts'
import { provideHarnessImage } from './runtime/elsewhere/harness-image.ts'
import { runElsewhere } from './runtime/elsewhere/run-elsewhere.ts'
import { told, type Terminal } from './runtime/elsewhere/told.ts'
import { openAnyEngine, type Engine } from './runtime/engine.ts'
import { openProcessRuntime } from './runtime/processes.ts'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')

/** What the command outside has read already, for the one inside. */
export interface Given {
  options: Options
  source: SourceAudit | null
}

/** Null for a command that runs on its user's machine. */
export function givenFromOutside(): Given | null {
  return (told()?.given ?? null) as Given | null
}

export interface ThereOptions {
  engine: Engine
  options: Options
  source: SourceAudit | null
  scenarioFiles: readonly string[]
  out: string
  runId: string
  onProgress(line: string): void
  signal: AbortSignal
}

/**
 * The engine where the harness has to go to it, or is asked to; null where it is of this machine, or of no use,
 * which is told later. @throws UsageError where it is asked to, and there is none
 */
export async function engineToGoTo({ runtime }: Options): Promise<Engine | null> {
  if (runtime === 'processes' || told() !== null) return null
  if (runtime === 'engine') return openAnyEngine()
  try {
    const engine = await openAnyEngine()
    return engine.isHere ? null : engine
  } catch (error) {
    if (error instanceof UsageError) return null
    throw error
  }
}

/** Resolves with the exit code. @throws UsageError where the engine does not allow it, or something else is wrong */
export async function judgeThere({ engine, options, source, scenarioFiles, out, runId, onProgress, signal }: ThereOptions): Promise<number> {
  refuseHalves(options)
  await using staging = await makeOutputFolder(out, `.${runId}`)
  onProgress(engine.isHere ? `The harness runs in the ${engine.description}.` : `The container engine is elsewhere (${engine.description}): the harness runs in it, too.`)
  const belongings = await gatherBelongings({ options, root, scenarioFiles, arch: engine.arch, env: process.env })
  const openHost = () => openProcessRuntime({ runId: `${runId}-images`, logsDir: path.join(staging.path, 'logs'), signal })
  const image = (labels: Record<string, string>) =>
    provideHarnessImage({ engine, root, edge: edgeById(options.edge).image, serverBin: belongings.serverBin, openHost, labels, onProgress, signal })
  return await runElsewhere({
    engine,
    root,
    out,
    staging: staging.path,
    cwd: process.cwd(),
    files: belongings.files,
    env: belongings.env,
    keepsakes: belongings.keepsakes,
    written: options.sarif === undefined ? [] : [path.resolve(options.sarif)],
    told: { terminal: terminal(), harness: await gatherHarness(), given: { options: { ...options, out }, source } satisfies Given },
    image,
    onProgress,
    signal,
  })
}

/** What lives on after a run, or follows this machine's files, cannot be reached there. */
function refuseHalves({ keep, watch, shrink, runtime }: Options): void {
  const flag = keep ? '--keep' : watch ? '--watch' : shrink ? '--shrink' : null
  if (flag === null) return
  if (runtime === 'engine') throw new UsageError(`${flag} needs the simulator on this machine: leave out --runtime engine.`)
  throw new UsageError(`${flag} needs a container engine of this machine, and this one is elsewhere: use one of this Linux host, or run without containers: --runtime processes.`)
}

function terminal(): Terminal {
  const of = (stream: NodeJS.WriteStream) => (stream.isTTY ? { columns: stream.columns ?? 80 } : null)
  return { stdout: of(process.stdout), stderr: of(process.stderr) }
}
