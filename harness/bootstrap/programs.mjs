/**
 * The young generation of the heap grows to 128 MB where a history of millions of events passes through
 * it, though next to nothing of it stays. Held small it costs no time, and leaves the memory to the
 * servers and readers of the same machine.
 */
const smallYoungGeneration = '--max-semi-space-size=16'

/** Node strips the types of its own modules without a word, and of the page's with a warning. */
const withoutWarning = '--disable-warning=ExperimentalWarning'

/** What the npm scripts start, by the word that they give. Paths are relative to the checkout. */
export const programs = {
  simulate: { entry: 'harness/cli.ts', flags: [smallYoungGeneration, withoutWarning] },
  test: {
    entry: 'node_modules/vitest/vitest.mjs',
    before: ['run'],
    prepare: 'harness/provision/for-tests.ts',
  },
  audit: { entry: 'harness/audit-cli.ts' },
  bench: { entry: 'bench/run.ts' },
  rejudge: { entry: 'harness/rejudge.ts', flags: [smallYoungGeneration] },
  mutants: { entry: 'harness/mutants.ts' },
  doctor: { entry: 'harness/doctor.ts' },
  report: { entry: 'harness/kept-runs.ts' },
  'ci-cache': { entry: 'harness/ci-cache.ts' },
  incident: { entry: 'harness/incident/incident.ts' },
  sample: { entry: 'docs/make-sample.ts' },
  'compose-images': { entry: 'harness/compose-images.ts' },
  'resolve-images': { entry: 'harness/runtime/images/resolve-digests.ts' },
  'validate-result': { entry: 'harness/report/validate.ts' },
}
