import { expect, onTestFinished, test, vi } from 'vitest'
import { TidemarkError } from '../../shared/errors.ts'
import type { Worker } from '../../shared/testing/arena.ts'
import { arena, operations } from '../../shared/testing/arena.ts'
import { Reach } from './reach.ts'
import { type StatusPorts, statusOf } from './status.ts'
import { statusCommand } from './status-command.ts'

type World = ReturnType<typeof arena>

/** The world as status sees it: while it waits, `meanwhile` happens. */
function portsOf(
  { kafka, stores }: World,
  members: readonly Worker[],
  meanwhile: () => Promise<unknown> = async () => {},
): StatusPorts {
  let time = 0
  return {
    log: kafka.log,
    versions: stores.versions,
    describeGroup: async () => ({ state: members.length > 0 ? 'Stable' : 'Empty', members }),
    books: () => ({ progress: stores.progress, deadLetters: stores.deadLetters }),
    clock: {
      now: () => time,
      sleep: async (milliseconds) => {
        time += milliseconds
        await meanwhile()
      },
    },
    now: () => 1_750_000_030_000,
  }
}

const first = async (world: World, ...more: [] | [readonly Worker[]] | [readonly Worker[], () => Promise<unknown>]) => {
  const { versions } = await statusOf([world.projection], portsOf(world, more[0] ?? [], more[1]))
  return versions[0]
}

test('a projection that was never run has events waiting and says so', async () => {
  const world = arena()
  await world.publish('Added', { id: 'a', by: 1 })
  expect(await first(world)).toMatchObject({
    projection: 'counters',
    version: 1,
    state: 'never-started',
    lag: 1,
    ageSeconds: 30,
    timeToDrainSeconds: null,
    members: 0,
  })
})

test('caught up, stopped, stalled: lag and members tell them apart', async () => {
  const world = arena()
  await world.publish('Added', { id: 'a', by: 1 })
  await world.publish('Noted', { id: 'a', note: 'poison' })
  await world.publish('Added', { id: 'a', by: 1 })
  await world.finish()
  expect(await first(world)).toMatchObject({
    state: 'caught-up',
    lag: 0,
    ageSeconds: 0,
    timeToDrainSeconds: 0,
    deadLetters: 1,
    parked: 1,
  })
  for (let i = 0; i < 4; i++) await world.publish('Added', { id: 'b', by: 1 })
  expect(await first(world)).toMatchObject({
    state: 'stopped',
    lag: 4,
    ageSeconds: 30,
    ratePerSecond: 0,
    timeToDrainSeconds: null,
  })
  expect(await first(world, world.workers)).toMatchObject({ state: 'stalled', members: 1 })
})

test('while events are applied the rate and the time to drain are known', async () => {
  const world = arena()
  await world.finish()
  for (let i = 0; i < 100; i++) await world.publish('Added', { id: 'b', by: 1 })
  let committed = 0
  const ports = portsOf(world, world.workers, async () => {
    committed += 10
  })
  const log = {
    ...ports.log,
    committed: async (_: string, topic: string) =>
      new Map(
        [...(await ports.log.bounds(topic))].map(([partition, { end }]) => [partition, Math.min(end, committed)]),
      ),
  }
  const { versions } = await statusOf([world.projection], { ...ports, log })
  expect(versions[0]).toMatchObject({ state: 'running', ratePerSecond: 10, lag: 60, timeToDrainSeconds: 6 })
})

test('what a worker would refuse to run is refused here too, with the reason', async () => {
  const world = arena()
  await world.publish('Added', { id: 'a', by: 1 })
  await world.finish()
  world.kafka.recreateTopic(operations.name, 5)
  const status = await first(world)
  expect(status?.state).toBe('refused')
  expect(status?.why.join('\n')).toMatch(/has 5 partitions, but had 3/)
  expect(status?.why.join('\n')).toMatch(/the topic was re-created or cut/)
})

test('a topic that was made again is refused here too, however long it is by now', async () => {
  const world = arena()
  for (let i = 0; i < 6; i++) await world.publish('Added', { id: `a${i}`, by: 1 })
  await world.finish()
  world.kafka.recreateTopic(operations.name, 3)
  for (let i = 0; i < 60; i++) await world.publish('Added', { id: `a${i % 6}`, by: 2 })
  const status = await first(world)
  expect(status?.state).toBe('refused')
  expect(status?.why.join('\n')).toMatch(/another record at \d+ than the one that was folded/)
})

test('progress that was recorded without a fingerprint is no sign of another topic', async () => {
  const world = arena()
  for (let i = 0; i < 6; i++) await world.publish('Added', { id: `a${i}`, by: 1 })
  await world.finish()
  for (const { source, progress } of await world.stores.progress.list())
    await world.stores.progress.save(source, { ...progress, fingerprint: undefined })
  expect((await first(world))?.why).toEqual(['the group has no members'])
})

test('tables that were made again are told', async () => {
  const world = arena()
  await world.publish('Added', { id: 'a', by: 1 })
  await world.finish()
  const { versions } = world.stores
  const tables: typeof versions.tables = async (of) => ({ ...(await versions.tables(of)), counters_v1: 'another' })
  const ports = portsOf(world, world.workers)
  const { list, served } = versions
  const status = await statusOf([world.projection], {
    ...ports,
    versions: { list: list.bind(versions), served: served.bind(versions), tables },
  })
  expect(status.versions[0]).toMatchObject({ state: 'refused' })
  expect(status.versions[0]?.why.join('\n')).toMatch(/table counters_v1 is not the one that was filled/)
})

test('which version readers see is told', async () => {
  const world = arena()
  await world.finish()
  const record = await world.stores.versions.load(world.projection)
  if (!record) throw new Error('the version was not recorded')
  await world.stores.versions.save({ ...record, version: 2 })
  const { versions } = await statusOf([world.projection], portsOf(world, []))
  expect(versions.map(({ version, served }) => [version, served])).toEqual([
    [1, true],
    [2, false],
  ])
})

/** What a status says on both outputs, with one server away. */
async function without(broken: (ports: StatusPorts) => StatusPorts) {
  const world = arena()
  await world.publish('Added', { id: 'a', by: 1 })
  await world.publish('Noted', { id: 'a', note: 'poison' })
  await world.finish()
  const ports = broken(portsOf(world, world.workers))
  const [json, table, errors]: [string[], string[], string[]] = [[], [], []]
  const to = (lines: string[]) => ({ columns: 100, write: (text: string) => lines.push(text) })
  const codes = [
    await statusCommand([world.projection], ports, { json: true }, to(json), to(errors)),
    await statusCommand([world.projection], ports, {}, to(table), to([])),
  ]
  expect(codes).toEqual([1, 1])
  return { status: JSON.parse(json.join(''))[0], table: table.join(''), errors: errors.join('') }
}

const away = (code: 'KAFKA_UNAVAILABLE' | 'CASSANDRA_UNAVAILABLE') => () =>
  Promise.reject(new TidemarkError(code, 'nobody there'))

test('without Kafka, what Cassandra knows is told, and the exit code says that it is not all', async () => {
  const { status, table, errors } = await without((ports) => ({
    ...ports,
    describeGroup: away('KAFKA_UNAVAILABLE'),
    log: { ...ports.log, bounds: away('KAFKA_UNAVAILABLE'), committed: away('KAFKA_UNAVAILABLE') },
  }))
  expect(status).toMatchObject({ state: 'unknown', served: true, lag: null, members: null, deadLetters: 1 })
  expect(table).toMatch(/counters v1\s+yes\s+unknown\s+\?/)
  expect(errors).toMatch(/^tidemark: KAFKA_UNAVAILABLE: Kafka is away \(nobody there\)/)
})

test('without Cassandra, what Kafka knows is told', async () => {
  const { status, errors } = await without((ports) => ({
    ...ports,
    versions: {
      list: away('CASSANDRA_UNAVAILABLE'),
      served: away('CASSANDRA_UNAVAILABLE'),
      tables: away('CASSANDRA_UNAVAILABLE'),
    },
    books: () => ({
      progress: { list: away('CASSANDRA_UNAVAILABLE') },
      deadLetters: {
        async *list() {
          yield await away('CASSANDRA_UNAVAILABLE')()
        },
        async *events() {
          yield await away('CASSANDRA_UNAVAILABLE')()
        },
      },
    }),
  }))
  expect(status).toMatchObject({ state: 'caught-up', served: null, lag: 0, members: 1, deadLetters: null })
  expect(errors).toMatch(/^tidemark: CASSANDRA_UNAVAILABLE: Cassandra is away \(nobody there\)/)
})

test('a server that never answers is waited for five seconds and then left out', async () => {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const reach = new Reach()
  const asked = reach.ask('Kafka', () => new Promise<never>(() => {}))
  await vi.advanceTimersByTimeAsync(5_000)
  expect(await asked).toBeUndefined()
  expect(await reach.ask('Kafka', async () => 1)).toBeUndefined()
  expect(await reach.ask('Cassandra', async () => 2)).toBe(2)
  expect(reach.away).toEqual([{ server: 'Kafka', reason: 'no answer within 5 s' }])
})

test('the table fits 80 columns and has no colours where there is no terminal', async () => {
  const world = arena()
  await world.publish('Noted', { id: 'a', note: 'poison' })
  await world.finish()
  const printed: string[] = []
  const output = { columns: 80, write: (text: string) => printed.push(text) }
  await statusCommand([world.projection], portsOf(world, []), {}, output, output)
  const lines = printed.join('').split('\n')
  expect(lines.filter((line) => line.length > 80)).toEqual([])
  expect(printed.join('')).not.toContain('\u001b')
  expect(lines[1]).toMatch(/^counters v1\s+yes\s+caught-up\s+0/)
})
