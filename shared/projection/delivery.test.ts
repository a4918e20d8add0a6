import { describe, expect, test } from 'vitest'
import { deliveries, placed } from './delivery.ts'
import { notes } from './notes.test-data.ts'
import { event, record } from './spec.ts'

const keys = Array.from({ length: 40 }, (_, index) => `key-${index % 20}`)
const log = placed(
  keys.map((key) => event(notes, 'Said', key, {})),
  () => 4,
)

test('a key has one partition, partitions have many keys, and offsets count up', () => {
  const partitions = Map.groupBy(log, ({ source }) => source.partition)
  expect([...partitions.keys()].sort()).toEqual([0, 1, 2, 3])
  expect(new Set(log.map(({ record, source }) => `${record.key} ${source.partition}`)).size).toBe(20)
  for (const records of partitions.values())
    expect(records.map(({ record }) => record.offset)).toEqual([...records.keys()])
})

test('topics have offsets of their own, and a record without a key has a place', () => {
  const two = [record(notes, null, null), record({ name: 'other' }, null, null)]
  expect(placed(two, () => 4).map(({ source, record }) => [source.topic, source.partition, record.offset])).toEqual([
    ['notes', 0, 0],
    ['other', 0, 0],
  ])
})

describe.each(deliveries(log))('delivered $name', ({ batches }) => {
  test('every record comes, and comes again', () => {
    const times = Map.groupBy(batches.flat(), (one) => one)
    expect(log.filter((one) => (times.get(one)?.length ?? 0) < 2)).toEqual([])
  })

  test('no record comes before all earlier ones of its partition have', () => {
    const next = new Map<number, number>()
    for (const { source, record } of batches.flat()) {
      const reached = next.get(source.partition) ?? 0
      expect(record.offset).toBeLessThanOrEqual(reached)
      next.set(source.partition, Math.max(reached, record.offset + 1))
    }
  })
})

test('deliveries differ from each other and are the same every time', () => {
  const cuts = deliveries(log).map(({ batches }) => batches.map((batch) => batch.length).join(' '))
  expect(new Set(cuts).size).toBe(cuts.length)
  expect(deliveries(log)).toEqual(deliveries(log))
})
