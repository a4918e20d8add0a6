import { afterAll, beforeAll, expect, test } from 'vitest'
import { faults } from './faults.ts'
import { type Ground, startGround } from './ground.ts'
import { Random } from './random.ts'
import { round } from './round.ts'
import { World } from './world.ts'

const SEED = 4

let ground: Ground | undefined
let world: World | undefined

beforeAll(async () => {
  ground = await startGround('test')
  world = await World.create('test', ground, new Random(SEED))
}, 120_000)

afterAll(async () => {
  await world?.end({ clear: false })
  await ground?.end()
}, 120_000)

test.each([
  ['worker: SIGKILL', 'cassandra: answers lost, then cut'],
  ['kafka: cut in the midst of an answer', 'poison: on the hottest key, all kinds'],
  ['poison: skipped while workers are killed'],
])(
  'the views are the fold of the log after %s, %s',
  async (...names) => {
    const chosen = faults.filter(({ name }) => names.includes(name))
    expect(chosen).toHaveLength(names.length)
    const { differences, events } = await round(
      world!,
      { faults: chosen, events: 3_000, rate: 1_000, verify: false },
      new Random(SEED),
    )
    expect(differences).toEqual([])
    expect(events).toBeGreaterThan(500)
  },
  120_000,
)
