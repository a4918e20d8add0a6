import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { TableIds } from '../engine/ports.ts'
import { TidemarkError } from '../errors.ts'
import type { TableState } from './schema.ts'
import { TableWatch } from './table-watch.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const asDeclared: TableState = { name: 'carts_v1', table: 'shop.carts_v1', id: 'first', faults: [], dropped: [] }
const recorded = { carts_v1: 'first' }
const dropped = ['column note was dropped']
const missing = (name: string) => new TidemarkError('CASSANDRA_SCHEMA', `table ${name} does not exist`)

/** A watch over one table of a Cassandra that the test changes. */
function watched(then?: TableIds) {
  const world = { state: asDeclared, recorded: then, away: false, looks: 0 }
  const answer = <T>(value: T): Promise<T> =>
    world.away ? Promise.reject(new TidemarkError('CASSANDRA_UNAVAILABLE', 'no node answers')) : Promise.resolve(value)
  const watch = new TableWatch({
    recorded: () => answer(world.recorded),
    states: () => {
      world.looks++
      return answer([world.state])
    },
    missing,
  })
  const work = () => watch.guard(async () => 'done')
  return { world, watch, work }
}

test('a table is looked at once in 8 seconds, however much is done with it at once', async () => {
  const { world, work } = watched(recorded)
  await Promise.all([work(), work(), work()])
  vi.advanceTimersByTime(8_000)
  expect(await work()).toBe('done')
  expect(world.looks).toBe(1)
  vi.advanceTimersByTime(1)
  await work()
  expect(world.looks).toBe(2)
})

test('who works on while trust runs out does not wait for the look, and what it finds is told to the next', async () => {
  const { world, watch, work } = watched(recorded)
  await work()
  vi.advanceTimersByTime(9_000)
  world.away = true
  expect(await Promise.all([work(), work()])).toEqual(['done', 'done'])
  world.away = false
  expect(await work()).toBe('done')
  vi.advanceTimersByTime(2_000)
  expect(await work()).toBe('done')
  expect(world.looks).toBe(3)
  vi.advanceTimersByTime(6_001)
  world.state = { ...asDeclared, id: 'second' }
  expect(await work()).toBe('done')
  await turn()
  await expect(watch.trust()).rejects.toMatchObject({ code: 'VIEW_LOST' })
})

test('while Cassandra is away the work waits; when it is back the work goes on', async () => {
  const { world, work } = watched(recorded)
  world.away = true
  await expect(work()).rejects.toMatchObject({ kind: 'transient', code: 'CASSANDRA_UNAVAILABLE' })
  world.away = false
  expect(await work()).toBe('done')
  vi.advanceTimersByTime(10_001)
  world.away = true
  await expect(work()).rejects.toMatchObject({ code: 'CASSANDRA_UNAVAILABLE' })
  world.away = false
  expect(await work()).toBe('done')
})

test('a table that is another than the recorded one is refused when trust runs out, and by whoever looks first', async () => {
  const { world, work } = watched(recorded)
  await work()
  world.state = { ...asDeclared, id: 'second' }
  expect(await work()).toBe('done')
  vi.advanceTimersByTime(10_001)
  for (const _ of [1, 2])
    await expect(work()).rejects.toMatchObject({
      kind: 'refused',
      code: 'VIEW_LOST',
      message: expect.stringContaining('shop.carts_v1'),
    })
  const fresh = watched(recorded)
  fresh.world.state = world.state
  await expect(fresh.work()).rejects.toMatchObject({ code: 'VIEW_LOST' })
})

test('a version that is recorded later is compared from then on', async () => {
  const { world, work } = watched()
  await work()
  world.recorded = { carts_v1: 'another', stock_v1: 'not watched here' }
  vi.advanceTimersByTime(10_001)
  await expect(work()).rejects.toMatchObject({ code: 'VIEW_LOST' })
})

test('a table that is missing holds the work until it is there again as it was', async () => {
  const { world, work } = watched(recorded)
  world.state = { ...asDeclared, id: undefined }
  await expect(work()).rejects.toMatchObject({ kind: 'transient', message: 'table carts_v1 does not exist' })
  world.state = asDeclared
  expect(await work()).toBe('done')
})

test('when the work hears about the schema, the table is looked at and says what it is', async () => {
  const { world, watch, work } = watched(recorded)
  await work()
  const refused = new TidemarkError('CASSANDRA_SCHEMA', 'no such column')
  const failing = () => watch.guard(() => Promise.reject(refused))
  await expect(failing()).rejects.toBe(refused)
  expect(world.looks).toBe(2)
  world.state = { ...asDeclared, faults: ['column id is missing'] }
  await expect(failing()).rejects.toMatchObject({ kind: 'transient', message: expect.stringContaining('column id is') })
  world.state = { ...asDeclared, faults: ['column note is missing'], dropped }
  await expect(failing()).rejects.toMatchObject({ kind: 'refused', code: 'TABLE_MISMATCH' })
})

test('a dropped column is beyond repair from the first, not only when somebody has added it again', async () => {
  const { world, work } = watched(recorded)
  world.state = { ...asDeclared, faults: ['column note is missing'], dropped }
  await expect(work()).rejects.toMatchObject({ kind: 'refused', code: 'TABLE_MISMATCH' })
  world.state = { ...asDeclared, dropped }
  await expect(work()).rejects.toMatchObject({ code: 'TABLE_MISMATCH' })
})
