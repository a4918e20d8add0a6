import { expect, test } from 'vitest'
import { arena, swiftClock } from '../testing/arena.ts'

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
