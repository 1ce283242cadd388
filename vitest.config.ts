import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Projects to be audited: their tests are not ours.
    exclude: ['**/node_modules/**', 'test/audits/fixtures/**'],
    // Tests start real servers on a machine that may have two cores.
    maxWorkers: 2,
    maxConcurrency: 2,
    // A test that does not say which runtime it means must not take another one where an engine answers.
    // Nor read a configuration file that somebody has here for runs of his own.
    env: { DURABLE_STREAMS_RUNTIME: 'processes', DURABLE_STREAMS_CONFIG: 'none' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
