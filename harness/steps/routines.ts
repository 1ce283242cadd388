/** An operator's routines, each with its proof in the history. */
import { CapabilityMissing, type Interpreter, type StepContext } from '../step.ts'
import type { HopId } from '../history.ts'
import type { OriginSettings, Routine, RoutineOutcome } from '../world.ts'

export interface Operate {
  kind: 'operate'
  /** Its name in the history, and in `routineIsDone`. */
  routine: string
  act: Routine
}

export interface SeeVariants {
  kind: 'see-variants'
  variants: string[]
}

export interface PadLog {
  kind: 'pad-log'
  requests: number
  headerBytes: number
}

/** Reloads the origin's configuration as it is; with force, also where Caddy sees no change. */
export function reload(options: { force?: boolean; settings?: OriginSettings } = {}): Operate {
  const { force = false, settings = {} } = options
  const name = options.settings ? 'changed-reload' : force ? 'forced-reload' : 'reload'
  return { kind: 'operate', routine: name, act: { kind: 'reload', settings, force } }
}

/** Gives the TLS edge another certificate of the same authority. */
export function replaceCertificate(): Operate {
  return { kind: 'operate', routine: 'certificate-replacement', act: { kind: 'certificate-replacement' } }
}

/** Throws everything out of the cache. */
export function flushCache(): Operate {
  return { kind: 'operate', routine: 'cache-flush', act: { kind: 'cache-flush' } }
}

/** Gives the cache its configuration anew while it runs. */
export function replaceCacheConfiguration(): Operate {
  return { kind: 'operate', routine: 'cache-configuration', act: { kind: 'cache-configuration' } }
}

/** Looks for the traces that show that these variants are on. */
export function seeVariants(...variants: string[]): SeeVariants {
  return { kind: 'see-variants', variants }
}

/** Requests whose headers are long, so that an access log fills quickly. */
export function padLog(options: { requests: number; headerBytes: number }): PadLog {
  return { kind: 'pad-log', ...options }
}

/** Which hop each happens to. */
const hopOf: Record<Routine['kind'], HopId> = {
  reload: 'origin',
  'certificate-replacement': 'tls',
  'cache-flush': 'edge',
  'cache-configuration': 'edge',
}

export const operateInterpreter: Interpreter<Operate> = async (step, context) => {
  await noted(context, step.routine, hopOf[step.act.kind], () => context.world.operate(step.act))
}

export const seeVariantsInterpreter: Interpreter<SeeVariants> = async (step, context) => {
  const stream = [...context.streams.values()].find((one) => one.kind === 'no-expiry' && one.name.startsWith('looked'))
  for (const variant of step.variants) {
    await noted(context, variant, null, () => context.world.traceOf(variant, stream?.path ?? `${context.world.capabilities.streamBase}none`))
  }
}

/** Puts a routine's beginning and end into the history; one without a hop disturbs none. What could not be tried is not proven. */
async function noted(context: StepContext, fault: string, hop: HopId | null, act: () => Promise<RoutineOutcome>): Promise<void> {
  const base = { kind: 'fault' as const, fault, ...(hop === null ? {} : { hop }) }
  context.recorder.record({ ...base, phase: 'injected' })
  const outcome = await act().catch((error: unknown) => {
    if (error instanceof CapabilityMissing) throw error
    return { proven: false, proof: `it could not be tried: ${String(error)}` }
  })
  context.recorder.record({ ...base, phase: 'healed', ...outcome })
}

export const padLogInterpreter: Interpreter<PadLog> = async (step, context) => {
  const padding = { 'x-padding': 'p'.repeat(step.headerBytes) }
  for (let n = 0; n < step.requests && !context.signal.aborted; n += 1) {
    await context.operations.send('origin', 'GET', `${context.world.capabilities.streamBase}log-padding?offset=-1`, padding)
  }
}
