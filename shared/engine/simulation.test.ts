import fc from 'fast-check'
import { test } from 'vitest'
import { simulate } from '../testing/simulation.ts'
import { setting, steps } from '../testing/simulation-steps.ts'

test('in any history of calls, crashes, zombies, poison and decisions the view is the fold of the log', async () => {
  await fc.assert(
    fc.asyncProperty(setting, steps(80), async (made, history) => {
      await simulate(made, history)
    }),
    { numRuns: Number(process.env.RUNS ?? 300), interruptAfterTimeLimit: 30_000 },
  )
}, 60_000)
