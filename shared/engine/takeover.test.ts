import { expect, test } from 'vitest'
import { arena } from '../testing/arena.ts'
import { keyScope, rowScope } from './set-aside.ts'

/** Long enough for everything in memory to have happened that does not wait for something else. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A world whose commits wait while `blocked`. */
function blockable() {
  const commits = { blocked: false, gate: Promise.withResolvers<void>() }
  const world = arena({
    partitions: 1,
    settings: { progressIntervalMs: 1e12 },
    beforeCommit: async () => {
      if (commits.blocked) await commits.gate.promise
    },
  })
  return { world, commits }
}

test('a partition kept over a generation is refused if what was folded of it is gone from the log', async () => {
  const { world, commits } = blockable()
  const worker = world.start()
  for (const by of [1, 2]) await world.publish('Added', { id: 'a', by })
  await world.caughtUp()
  commits.blocked = true
  for (const by of [4, 8]) await world.publish('Added', { id: 'a', by })
  await turns(50)
  // An unclean election loses what was written to the view but not committed; other events get its offsets.
  world.kafka.cut({ topic: 'operations', partition: 0 }, 2)
  for (const by of [100, 1000]) await world.publish('Added', { id: 'a', by })
  worker.member.rejoin()
  await turns(50)
  commits.gate.resolve()
  expect(await worker.ended).toMatchObject({ code: 'LOG_REPLACED' })
})

test('a commit that an old membership has left behind does not take the group back', async () => {
  const { world, commits } = blockable()
  commits.blocked = true
  const first = world.start()
  await world.publish('Added', { id: 'a', by: 1 })
  await turns(50)
  commits.blocked = false
  first.member.suspend()
  const second = world.start()
  for (let i = 0; i < 4; i++) await world.publish('Added', { id: 'a', by: 1 })
  await world.caughtUp()
  await second.projector.stop('scaled away')
  const load = world.stores.faults.hold('before', 'deadLetters.load')
  first.member.rejoin()
  await load.waiting(1)
  commits.gate.resolve()
  await turns(50)
  load.open()
  await turns(50)
  expect((await world.kafka.log.committed('counters.v1', 'operations')).get(0)).toBe(5)
  await world.finish()
})

test('a hold that ends because its generation does is told to have ended', async () => {
  const { world } = blockable()
  const told: (Error | undefined)[] = []
  world.stores.faults.failNext(3, { on: 'deadLetters.load' })
  const worker = world.start({ held: (error) => told.push(error) })
  await turns(3)
  worker.member.rejoin()
  await world.publish('Added', { id: 'a', by: 1 })
  await world.finish()
  expect(told.filter((error) => error !== undefined).length).toBeGreaterThan(0)
  expect(told.at(-1)).toBeUndefined()
})

test('what is set aside has a name that Cassandra takes as a key, however long the row id or the Kafka key', () => {
  const long = 'x'.repeat(1_000_000)
  const scopes = [
    rowScope(long),
    rowScope(`${long}y`),
    keyScope(Buffer.from(long)),
    keyScope(Buffer.alloc(0)),
    keyScope(null),
  ]
  expect(new Set(scopes).size).toBe(scopes.length)
  for (const scope of scopes) expect(scope.length).toBeLessThan(5_000)
})
