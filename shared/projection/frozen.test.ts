import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { FrozenDate, FrozenMap, FrozenSet } from './frozen.ts'
import { copy, difference } from './likeness.ts'
import { shown } from './values.ts'

const at = new FrozenDate(5)
const set = new FrozenSet(['a', 'b'])
const map = new FrozenMap([['a', 1]])

describe.each<[string, object, object]>([
  ['a date', at, new Date(5)],
  ['a set', set, new Set(['a', 'b'])],
  ['a map', map, new Map([['a', 1]])],
])('%s', (_, frozen, plain) => {
  test('is a plain one to everybody who only looks', () => {
    expect(frozen).toStrictEqual(plain)
    expect(plain).toStrictEqual(frozen)
    expect(frozen).toBeInstanceOf(plain.constructor)
    expect(isDeepStrictEqual(structuredClone(frozen), plain)).toBe(true)
    expect(shown(frozen)).toBe(shown(plain))
    expect(JSON.stringify(frozen)).toBe(JSON.stringify(plain))
    expect(difference(frozen, plain)).toBeUndefined()
    expect(difference(plain, frozen)).toBeUndefined()
  })

  test('has a copy that may be changed', () => {
    expect(Object.getPrototypeOf(copy(frozen))).toBe(Object.getPrototypeOf(plain))
  })
})

test('whatever changes one is refused, in words', () => {
  const refusal = /part of a row.*return a new value/
  const setters = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set'))
  expect(setters.length).toBeGreaterThan(14)
  for (const name of setters) expect(() => Reflect.get(at, name).call(at, 7), name).toThrow(refusal)
  const changes = [
    () => (set as Set<string>).add('c'),
    () => (set as Set<string>).delete('a'),
    () => (set as Set<string>).clear(),
    () => (map as Map<string, number>).set('a', 2),
    () => (map as Map<string, number>).delete('a'),
    () => (map as Map<string, number>).clear(),
  ]
  for (const change of changes) expect(change).toThrow(refusal)
  expect([at.getTime(), [...set], [...map]]).toEqual([5, ['a', 'b'], [['a', 1]]])
})
