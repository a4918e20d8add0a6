import { expect, test } from 'vitest'
import { arena, swiftClock, type Worker } from '../testing/arena.ts'

test('in the midst of a batch that takes long the process gets to look after its heartbeats', async () => {
  let turns = 0
  const clock = () => {
    const swift = swiftClock()
    const sleep: typeof swift.sleep = (milliseconds, signal) => {
      if (milliseconds === 0) turns++
      return swift.sleep(milliseconds, signal)
    }
    // Each look at it finds that another 10 ms have passed.
    return { now: () => swift.now() * 10, sleep }
  }
  const world = arena({ partitions: 1, batch: 500, clock })
  for (let event = 0; event < 400; event++) await world.publish('Added', { id: `r${event % 7}`, by: 1 })
  const worker = world.start()
  await world.caughtUp()
  // One batch of one piece: without slices there would be no turn at all.
  expect(turns).toBeGreaterThanOrEqual(5)
  await worker.projector.stop('test')
})

test('asked to drain in the midst of such a batch, a worker folds no more of it and the next one goes on from there', async () => {
  let [turns, stopped, worker]: [number, Promise<void> | undefined, Worker | undefined] = [0, undefined, undefined]
  const clock = () => {
    const swift = swiftClock()
    const sleep: typeof swift.sleep = (milliseconds, signal) => {
      if (milliseconds === 0 && ++turns === 5) stopped = worker?.projector.stop('test')
      // The deadline never comes.
      return milliseconds === 60_000 ? new Promise(() => {}) : swift.sleep(milliseconds, signal)
    }
    return { now: () => swift.now() * 10, sleep }
  }
  const world = arena({ partitions: 1, batch: 500, clock, drainDeadline: 60_000 })
  for (let event = 0; event < 400; event++) await world.publish('Added', { id: `r${event % 7}`, by: 1 })
  worker = world.start()
  expect(await worker.ended).toBeUndefined()
  await stopped
  const [committed] = world.committed.values()
  expect(committed).toBeGreaterThan(0)
  expect(committed).toBeLessThan(400)
  await world.finish()
  const sums = [...world.stores.view.rows.values()].flat().map(({ row }) => Number(row?.sum))
  expect(sums.reduce((sum, each) => sum + each, 0)).toBe(400)
})
