import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { chartValues, readScenario } from './scenario.ts'

test("a fleet under test changes as the chart's default has it: only the windows are shorter", () => {
  const scenario = readScenario(join(import.meta.dirname, 'scenarios/step.json'))
  const fleets = chartValues(scenario, 'folder', 'http://p:9090').filter((value) => value.startsWith('projections.'))
  const fleet = z
    .object({ autoscaling: z.object({ behavior: z.unknown() }) })
    .parse(JSON.parse(fleets[0]!.slice(fleets[0]!.indexOf('=') + 1)))
  expect(fleet.autoscaling.behavior).toEqual({
    scaleUp: { stabilizationWindowSeconds: 0 },
    scaleDown: { stabilizationWindowSeconds: scenario.workers.calmSeconds },
  })
})
