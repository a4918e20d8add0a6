import { expect, test } from 'vitest'
import { z } from 'zod'
import { carts } from './carts.ts'
import { inventory } from './inventory.ts'
import { describeIssues } from './schema.ts'
import { defineTopic, topicFaults } from './topic.ts'

test('the topics of the shop have no faults', () => {
  expect([...topicFaults(carts), ...topicFaults(inventory)]).toEqual([])
})

test('every fault of a topic is found', () => {
  const faults = topicFaults({
    name: 'my topic',
    partitions: 0,
    events: { '': z.string(), Said: {} },
    upcast: { Old: 1 },
    decode: 'json',
  } as never)
  expect(faults).toEqual([
    expect.stringContaining('name must be'),
    expect.stringContaining('partitions must be'),
    expect.stringContaining('an event type has no name'),
    expect.stringContaining('events.Said is not a Standard Schema'),
    expect.stringContaining('upcast.Old must be a function'),
    expect.stringContaining('decode must be a function'),
  ])
})

test.each([undefined, null, 'carts', 7, {}, { name: Symbol('s'), partitions: 1n }])(
  '%s is no topic, and says so instead of failing',
  (value) => {
    expect(topicFaults(value as never).length).toBeGreaterThan(1)
  },
)

test.each(['.', '..', 'a/b', '', 'x'.repeat(250)])('Kafka would refuse the name %j', (name) => {
  expect(topicFaults(defineTopic({ name, partitions: 1, events: { Said: z.string() } }))).toHaveLength(1)
})

test('issues say where', () => {
  expect(
    describeIssues([{ message: 'too small', path: ['items', { key: 0 }, 'quantity'] }, { message: 'required' }]),
  ).toBe('items.0.quantity: too small; required')
  expect(describeIssues(Array.from({ length: 99 }, () => ({ message: 'no' }))).length).toBeLessThan(50)
})
