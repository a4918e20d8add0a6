import { expect, test } from 'vitest'
import type { VersionRecord } from '../../shared/engine/index.ts'
import { arena, operations, swiftClock } from '../../shared/testing/arena.ts'
import { rollbackReaders, type SwitchPorts, switchReaders } from './switch.ts'
import { rollbackCommand, switchCommand } from './switch-command.ts'

const record = (version: number): VersionRecord => ({
  projection: 'counters',
  version,
  definition: `v${version}`,
  partitions: { [operations.name]: 3 },
  table: `counters_v${version}`,
})

/** Versions 1 to 3 of a projection over two events, all caught up unless the test says how far one has committed. */
async function world() {
  const { kafka, stores, publish } = arena()
  for (const id of ['a', 'b']) await publish('Added', { id, by: 1 })
  for (const version of [1, 2, 3]) await stores.versions.save(record(version))
  const tables = new Set([1, 2, 3].map((version) => `counters_v${version}`))
  /** By group: offsets it has committed of each partition; a group that is not here has committed all. */
  const committed = new Map<string, () => number>()
  const ports: SwitchPorts = {
    log: {
      bounds: (topic) => kafka.log.bounds(topic),
      read: (...of) => kafka.log.read(...of),
      committed: async (group, topic) =>
        new Map(
          [...(await kafka.log.bounds(topic))].map(([partition, { end }]) => [
            partition,
            committed.get(group)?.() ?? end,
          ]),
        ),
    },
    versions: stores.versions,
    books: () => ({ progress: stores.progress, deadLetters: stores.deadLetters }),
    clock: swiftClock(),
    projections: [],
    tables: async () => tables,
  }
  const readers = async () => (await stores.versions.served('counters'))?.version
  return { ports, stores, tables, committed, readers }
}

const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'SWITCH_REFUSED', message: expect.stringMatching(message) })

test('readers see the first version until they are switched; what they saw and see is said', async () => {
  const { ports, readers } = await world()
  expect(await readers()).toBe(1)
  const printed: string[] = []
  const output = { write: (text: string) => printed.push(text) }
  expect(await switchCommand('counters', 2, ports, {}, output)).toBe(0)
  expect(await rollbackCommand('counters', ports, output)).toBe(0)
  expect(await readers()).toBe(1)
  expect(printed).toEqual([
    expect.stringContaining('readers saw version 1, now see version 2 '),
    expect.stringContaining('readers saw version 2, now see version 1 again'),
  ])
})

test('without a version the newest is meant', async () => {
  const { ports, readers } = await world()
  expect(await switchReaders('counters', undefined, ports)).toMatchObject({ before: 1, after: 3 })
  expect(await readers()).toBe(3)
})

test('done again, neither command changes anything; a rollback after both still goes back', async () => {
  const { ports, readers } = await world()
  const twice = async (work: () => Promise<{ before: number; after: number }>) => [
    await work(),
    (await work()).before,
    await readers(),
  ]
  expect(await twice(() => switchReaders('counters', 2, ports))).toEqual([{ before: 1, after: 2, lacking: [] }, 2, 2])
  expect(await twice(() => rollbackReaders('counters', ports))).toEqual([{ before: 2, after: 1, lacking: [] }, 1, 1])
  await switchReaders('counters', 3, ports)
  expect(await rollbackReaders('counters', ports)).toMatchObject({ before: 3, after: 1 })
})

test('a switch whose answer was lost is repeated, and can then be rolled back', async () => {
  const { ports, stores, readers } = await world()
  for (const applied of ['none', 'all'] as const) {
    stores.faults.failNext(1, { on: 'versions.serve', applied })
    await expect(switchReaders('counters', 2, ports)).rejects.toMatchObject({ code: 'CASSANDRA_UNAVAILABLE' })
    expect(await switchReaders('counters', 2, ports)).toMatchObject({ after: 2 })
    stores.faults.failNext(1, { on: 'versions.serve', applied })
    await expect(rollbackReaders('counters', ports)).rejects.toMatchObject({ code: 'CASSANDRA_UNAVAILABLE' })
    expect(await rollbackReaders('counters', ports)).toMatchObject({ after: 1 })
    expect(await readers()).toBe(1)
  }
})

test('of two people who switch at once to different versions one wins, and the other is told', async () => {
  const { ports, stores, readers } = await world()
  const gate = stores.faults.hold('before', 'versions.serve')
  const both = Promise.allSettled([switchReaders('counters', 2, ports), switchReaders('counters', 3, ports)])
  await gate.waiting(2)
  const back = stores.faults.hold('before', 'versions.served')
  gate.open()
  await back.waiting(2)
  back.open()
  const [two, three] = await both
  const winner = await readers()
  expect([two, three].map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(two.status === 'fulfilled' ? 2 : 3).toBe(winner)
  expect([two, three]).toContainEqual({ status: 'rejected', reason: refused(/somebody else switched counters/) })
})

test('a version that has not caught up, or whose table is missing, is refused and readers see what they saw', async () => {
  const { ports, tables, committed, readers } = await world()
  committed.set('counters.v2', () => 0)
  await expect(switchReaders('counters', 2, ports)).rejects.toEqual(refused(/2 events of the log as it was when asked/))
  tables.delete('counters_v3')
  for (const despiteLag of [false, true])
    await expect(switchReaders('counters', 3, ports, { despiteLag })).rejects.toEqual(
      refused(/table counters_v3 does not/),
    )
  await expect(switchReaders('counters', 4, ports)).rejects.toEqual(refused(/version 4 of counters was never run/))
  expect(await readers()).toBe(1)
})

test('a version that is about to catch up is waited for', async () => {
  const { ports, committed } = await world()
  let looks = 0
  committed.set('counters.v2', () => (looks++ < 9 ? 0 : 5))
  expect(await switchReaders('counters', 2, ports)).toEqual({ before: 1, after: 2, lacking: [] })
})

test('an operator may switch to a version that lags, and is told what it lacks; a rollback needs no such word', async () => {
  const { ports, committed } = await world()
  for (const group of ['counters.v1', 'counters.v2']) committed.set(group, () => 0)
  const lacking = [expect.stringMatching(/^2 events/)]
  expect(await switchReaders('counters', 2, ports, { despiteLag: true })).toEqual({ before: 1, after: 2, lacking })
  expect(await rollbackReaders('counters', ports)).toEqual({ before: 2, after: 1, lacking })
})

test('a version whose workers would refuse to run is refused, whatever the operator says', async () => {
  const { ports, committed } = await world()
  committed.set('counters.v2', () => 99)
  await expect(switchReaders('counters', 2, ports, { despiteLag: true })).rejects.toEqual(refused(/re-created or cut/))
})

test('events that wait behind a dead letter are lacking', async () => {
  const { ports, stores } = await world()
  const source = { topic: operations.name, partition: 0 }
  const letter = { offset: 0, timestamp: 0, key: Buffer.from('a'), value: null, headers: {} }
  await stores.deadLetters.record(
    source,
    [{ source, scope: 'row:a', record: letter, code: 'HANDLER_FAILED', reason: 'x', state: 'parked' }],
    [],
  )
  await expect(switchReaders('counters', 2, ports)).rejects.toEqual(refused(/1 dead letter to decide about/))
})

test('an unknown name is refused with the one that was meant, and a rollback of what was never switched says so', async () => {
  const { ports } = await world()
  await expect(switchReaders('counter', 2, ports)).rejects.toThrow(/did you mean counters/)
  await expect(rollbackReaders('counters', ports)).rejects.toEqual(refused(/were never switched/))
})
