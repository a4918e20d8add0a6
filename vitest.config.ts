import { defineConfig } from 'vitest/config'

// Kinds by suffix: `.test.ts` is pure and instant, `.int.test.ts` talks to a real Kafka and Cassandra.
export default defineConfig({
  test: {
    reporters: ['default', './shared/testing/summary-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{shared,workers,k8s}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.int.test.ts', '**/*.e2e.test.ts'],
          typecheck: { enabled: true, ignoreSourceErrors: true, include: ['{shared,workers,k8s}/**/*.test-d.ts'] },
        },
      },
      {
        test: {
          name: 'int',
          include: ['{shared,workers,k8s}/**/*.int.test.ts'],
          globalSetup: ['./shared/testing/stack.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // More at once make each other's Kafka rebalances and Cassandra schema changes time out on two cores.
          maxWorkers: 2,
        },
      },
    ],
  },
})
