import { defineConfig } from 'vitest/config'

// One story after the other, on one installation: they are steps of a life.
export default defineConfig({
  test: {
    include: ['k8s/e2e/**/*.e2e.test.ts'],
    fileParallelism: false,
    maxWorkers: 1,
    bail: 1,
    testTimeout: 600_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
})
