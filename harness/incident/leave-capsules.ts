/** A capsule for each failed check of a run, for whoever is to see it again. */
import type { Subject } from '../gather.ts'
import type { CheckResult, Result } from '../report/result.ts'
import type { Scenario } from '../scenario.ts'
import { packConfiguration, saveCapsules, type Capsule, type Configurations } from './capsule.ts'

/** What a capsule needs of its run. */
export interface CapsuledRun {
  folder: string
  plan: { scenarios: readonly Scenario[] }
  subject: Subject
  runtime: { kind: Capsule['runtime'] }
  seed: number
  sizes: Capsule['sizes']
}

/** Writes them below the run's folder, and returns the names of those that were too large to keep. */
export async function leaveCapsules(run: CapsuledRun, result: Result): Promise<string[]> {
  const failures = failuresOf(run.plan.scenarios, result)
  if (failures.length === 0) return []
  const { harness, runId, subject: { kind, version, hops } } = result
  const common = {
    schemaVersion: 1 as const,
    harness,
    runId,
    subject: { kind, version, hops },
    runtime: run.runtime.kind,
    seed: run.seed,
    sizes: run.sizes,
    edge: run.subject.edge.kind.id,
    configurations: await configurationsOf(run.subject),
  }
  return saveCapsules(run.folder, failures.map(([scenario, check]): Capsule => ({ ...common, scenario, failure: failureOf(check) })))
}

function failuresOf(scenarios: readonly Scenario[], result: Result): [Scenario, CheckResult][] {
  return scenarios.flatMap((scenario) => {
    const checks = result.scenarios.find(({ id }) => id === scenario.id)?.checks ?? []
    return checks.filter(({ verdict }) => verdict === 'fail').map((check): [Scenario, CheckResult] => [scenario, check])
  })
}

function failureOf({ id, fingerprint, because, evidence }: CheckResult): Capsule['failure'] {
  return { check: id, fingerprint: fingerprint ?? id, because, evidence }
}

/** The user's own files; what is the project's own a colleague has. */
async function configurationsOf({ caddyfile, tlsEdge, edge }: Subject): Promise<Configurations> {
  const given = { caddyfile, tlsCaddyfile: tlsEdge, edgeConfig: edge.config } satisfies Record<keyof Configurations, unknown>
  const own = Object.entries(given).flatMap(([kind, main]) => (main === null || main.isDefault ? [] : [[kind, [...new Set([main.file, ...main.files])]] as const]))
  return Object.fromEntries(await Promise.all(own.map(async ([kind, files]) => [kind, await packConfiguration(files)] as const)))
}
