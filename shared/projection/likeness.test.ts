import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copy, difference } from './likeness.ts'

const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true })

test('a copy is alike and shares nothing that could be changed', () => {
  fc.assert(
    fc.property(anything, (value) => {
      expect(difference(value, copy(value))).toBeUndefined()
      if (Array.isArray(value) || value instanceof Map || value instanceof Date) expect(copy(value)).not.toBe(value)
    }),
  )
})

test.each<[string, unknown, unknown, string]>([
  ['a number', { a: [1, 2] }, { a: [1, 3] }, '.a.1: 2 became 3'],
  ['a missing part', { a: 1 }, {}, '{ a: 1 } became {}'],
  ['zero', -0, 0, '-0 became 0'],
  ['a date', { at: new Date(0) }, { at: new Date(1) }, '.at: 1970-01-01T00:00:00.000Z became 1970-01-01T00:00:00.001Z'],
  ['bytes', Buffer.from('a'), Buffer.from('b'), '[ 97 ] became Buffer(1)'],
  ['the class of bytes', Buffer.from('a'), Uint8Array.from([97]), 'became Uint8Array'],
  ['a map', new Map([['a', 1]]), new Map([['a', 2]]), '.a: 1 became 2'],
  [
    'the order of a map',
    new Map([
      ['a', 1],
      ['b', 1],
    ]),
    new Map([
      ['b', 1],
      ['a', 1],
    ]),
    "'a' became 'b'",
  ],
  ['a set', new Set([1]), new Set([2]), '.0: 1 became 2'],
])('%s that differs is found', (_, before, after, found) => {
  expect(difference(before, after)).toContain(found)
})

test('one object in two places is looked at twice', () => {
  const at = new Date(0)
  expect(difference({ a: at, b: at }, { a: new Date(0), b: new Date(1) })).toMatch(/^.b: /)
  const list = [1]
  expect(difference({ a: list, b: list }, { a: [1], b: [2] })).toBe('.b.0: 1 became 2')
})

test('what contains itself is compared all the same', () => {
  const circle = (n: number) => {
    const all: unknown[] = [n]
    all.push(all)
    return all
  }
  expect(difference(circle(1), circle(1))).toBeUndefined()
  expect(difference(circle(1), circle(2))).toBe('.0: 1 became 2')
})
