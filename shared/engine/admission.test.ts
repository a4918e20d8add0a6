import { expect, test } from 'vitest'
import { tableName } from '../projection/projection.ts'
import { arena } from '../testing/arena.ts'
import { admitPartition, admitVersion } from './admission.ts'
import { memoryStores } from './memory/store.ts'

async function ran(events = 5) {
  const world = arena()
  const worker = world.start()
  for (let i = 0; i < events; i++) await world.publish('Added', { id: `r${i}`, by: i })
  await world.caughtUp()
  await worker.projector.stop('test')
  return world
}

test('a re-created topic is refused, empty or already longer than before', async () => {
  const world = await ran()
  world.kafka.recreateTopic('operations')
  expect(await world.start().ended).toMatchObject({ code: 'LOG_REPLACED' })
  for (let i = 0; i < 30; i++) await world.publish('Added', { id: `r${i % 5}`, by: i })
  const error = await world.start().ended
  expect(error).toMatchObject({ code: 'LOG_REPLACED', remedy: expect.stringMatching(/Raise `version`/) })
  expect(error!.message).toMatch(/the record at operations\/\d\/\d+ is another one/)
})

test('a log cut by an unclean election is refused', async () => {
  const world = await ran(20)
  for (const partition of [0, 1, 2]) world.kafka.cut({ topic: 'operations', partition }, 1)
  expect(await world.start().ended).toMatchObject({ code: 'LOG_REPLACED' })
})

test('other partitions than the version was created over are refused, before and during a run', async () => {
  const world = await ran()
  const worker = world.start()
  await world.kafka.settled()
  world.kafka.addPartitions('operations', 2)
  const error = await worker.ended
  expect(error).toMatchObject({ code: 'PARTITIONS_CHANGED' })
  expect(error!.message).toMatch(/counters\.v1 was created over 3 partitions of topic operations, which now has 5/)
  expect(await world.start().ended).toMatchObject({ code: 'PARTITIONS_CHANGED' })
})

test('a view whose table was dropped and made again is refused, at every start there will be', async () => {
  const world = await ran()
  world.stores.versions.remake(tableName(world.projection))
  for (const _ of [1, 2]) {
    const error = await world.start().ended
    expect(error).toMatchObject({ code: 'VIEW_LOST', remedy: expect.stringContaining('Raise `version`') })
  }
})

test('so is one whose set-aside events went with their table, at an assignment too', async () => {
  const world = await ran()
  const worker = world.start()
  await world.kafka.settled()
  world.stores.versions.remake('dead_letters')
  world.start()
  expect(await worker.ended).toMatchObject({ code: 'VIEW_LOST', message: expect.stringContaining('dead_letters') })
})

test('a version recorded by a release that did not know its tables is taken to be kept in those of now', async () => {
  const { kafka, projection } = arena()
  const { versions } = memoryStores(projection)
  const { tables, ...old } = await admitVersion(projection, kafka.log, versions)
  const { versions: upgraded } = memoryStores(projection)
  await upgraded.save(old)
  expect(await admitVersion(projection, kafka.log, upgraded)).toEqual({ ...old, tables })
  upgraded.remake(tableName(projection))
  await expect(admitVersion(projection, kafka.log, upgraded)).rejects.toMatchObject({ code: 'VIEW_LOST' })
})

test('another definition under the same version is refused', async () => {
  const world = await ran()
  const record = (await world.stores.versions.load(world.projection))!
  await world.stores.versions.save({ ...record, definition: `${record.definition}~` })
  expect(await world.start().ended).toMatchObject({ code: 'DEFINITION_CHANGED' })
})

test('events that retention removed before they were folded are said, once, and the rest goes on', async () => {
  const world = await ran()
  const source = { topic: 'operations', partition: (await world.publish('Added', { id: 'x', by: 1 }))[0]!.partition }
  const { end } = (await world.kafka.log.bounds('operations')).get(source.partition)!
  for (let i = 0; i < 3; i++) await world.publish('Added', { id: 'x', by: 1 })
  world.kafka.truncate(source, end + 2)
  await world.finish()
  expect(world.gaps).toEqual([[end - 1, end + 2]])
  expect((await world.stores.progress.load(source))!.gaps).toEqual([[end - 1, end + 2]])
})

test('a worker that stops in good order has recorded how far it got, however short it ran', async () => {
  const world = arena({ partitions: 1, settings: { progressIntervalMs: 1e12 } })
  const worker = world.start()
  for (let i = 0; i < 9; i++) {
    await world.publish('Added', { id: 'a', by: i })
    await world.caughtUp()
  }
  await worker.projector.stop('test')
  expect((await world.stores.progress.load({ topic: 'operations', partition: 0 }))?.position).toBe(8)
})

test('a worker that folds on although its place is lost does not make the log look replaced', async () => {
  const { kafka, stores } = await ran()
  const source = { topic: 'operations', partition: 0 }
  const { end } = (await kafka.log.bounds('operations')).get(0)!
  const [added] = kafka.append(source, [{ value: Buffer.from('{') }])
  const progress = { position: added!.offset, fingerprint: undefined, gaps: [] }
  await stores.progress.save(source, progress)
  const assignment = { source, kept: false, start: end, committed: end, logStart: 0, end }
  const observer = { gap: () => {} }
  const ports = { log: kafka.log, progress: stores.progress, observer } as unknown as Parameters<
    typeof admitPartition
  >[2]
  expect(await admitPartition('counters.v1', assignment, ports)).toEqual(progress)
})

test('a version that has committed, and that Cassandra knows nothing of, is refused: its view is gone', async () => {
  const world = await ran()
  const { kafka, projection } = world
  const { versions } = memoryStores(projection)
  const error = await admitVersion(projection, kafka.log, versions).catch((error) => error)
  expect(error).toMatchObject({ code: 'VIEW_LOST', remedy: expect.stringContaining('counters.v1') })
  expect(await versions.load(projection)).toBeUndefined()
  await versions.save((await world.stores.versions.load(projection))!)
  expect(await admitVersion(projection, kafka.log, versions)).toMatchObject({ projection: 'counters' })
})
