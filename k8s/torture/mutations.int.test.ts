import { afterAll, expect, test } from 'vitest'
import { Mutants } from './mutants.ts'
import { mutations } from './mutations.ts'

const TURNS = 150_000
const SEED = 20_261

const mutants = new Mutants()
afterAll(() => mutants.remove())

test.concurrent('the engine as it is passes', async () => {
  const { found, said } = await mutants.caught(undefined, TURNS, SEED)
  expect(found, said).toBe(false)
}, 90_000)

test.concurrent.each(mutations.map((mutation) => [mutation.name, mutation] as const))(
  'without it something is found: %s',
  async (_, mutation) => {
    const { found, said } = await mutants.caught(mutation, TURNS, SEED)
    expect(found, said).toBe(true)
  },
  90_000,
)
