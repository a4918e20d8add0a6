import { expect, test } from 'vitest'
import type { Worker } from '../../shared/testing/arena.ts'
import { arena, operations } from '../../shared/testing/arena.ts'
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
  const [status] = await statusOf([world.projection], portsOf(world, more[0] ?? [], more[1]))
  return status
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
  for (let i = 0; i < 40; i++) await world.publish('Added', { id: 'b', by: 1 })
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
  const [status] = await statusOf([world.projection], { ...ports, log })
  expect(status).toMatchObject({ state: 'running', ratePerSecond: 10, lag: 30, timeToDrainSeconds: 3 })
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

test('the table fits 80 columns and has no colours where there is no terminal', async () => {
  const world = arena()
  await world.publish('Noted', { id: 'a', note: 'poison' })
  await world.finish()
  const printed: string[] = []
  await statusCommand([world.projection], portsOf(world, []), {}, { columns: 80, write: (text) => printed.push(text) })
  const lines = printed.join('').split('\n')
  expect(lines.filter((line) => line.length > 80)).toEqual([])
  expect(printed.join('')).not.toContain('\u001b')
  expect(lines[1]).toMatch(/^counters v1\s+caught-up\s+0/)
})
