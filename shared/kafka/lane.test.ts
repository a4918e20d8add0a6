import { expect, test } from 'vitest'
import type { RecordBatch } from '../engine/ports.ts'
import { Lane } from './lane.ts'

const source = { topic: 't', partition: 0 }
const batch = (offset: number): RecordBatch => ({
  source,
  records: [{ offset, timestamp: 0, key: null, value: null, headers: {} }],
  next: offset + 1,
  end: 9,
})

test('what waits when fetching is turned back is not handled: it comes again, behind what lies before it', async () => {
  const first = Promise.withResolvers<void>()
  const handled: number[] = []
  const lane = new Lane(
    source,
    0,
    async ({ next }) => {
      handled.push(next)
      if (handled.length === 1) await first.promise
    },
    () => {},
  )
  for (const offset of [0, 1, 2]) lane.push(offset, batch(offset))
  lane.rewind(0)
  expect(lane.fetch().offset).toBe(0)
  lane.push(3, batch(3))
  first.resolve()
  await new Promise(setImmediate)
  expect(handled).toEqual([1])
  lane.push(0, batch(0))
  await new Promise(setImmediate)
  expect(handled).toEqual([1, 1])
})
