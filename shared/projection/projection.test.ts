import { describe, expect, test } from 'vitest'
import { carts, inventory } from '../events/index.ts'
import { defineProjection, definitionFingerprint, isProjection, tableName, versionName } from './projection.ts'
import { table } from './table.ts'

const view = table('seen', { columns: { id: 'text', n: 'int', m: 'int?' }, partitionKey: ['id'] })
const seen = {
  name: 'seen',
  version: 1,
  topic: carts,
  view,
  key: ({ subject }: { subject: string }) => ({ id: subject }),
  initial: ({ id }: { id: string }) => ({ id, n: 0 }),
  on: { OrderPlaced: (row: { id: string; n: number }) => row },
} as const
const define = (changes: object) => defineProjection({ ...seen, ...changes } as never)

test('what was defined is told apart from everything else a file exports', () => {
  const projection = defineProjection(seen)
  expect(isProjection(projection)).toBe(true)
  for (const other of [seen, carts, null, undefined, 'seen', () => {}]) expect(isProjection(other)).toBe(false)
  expect(projection.topics).toEqual([carts])
  expect([versionName(projection), tableName(projection)]).toEqual(['seen.v1', 'seen_v1'])
})

describe('faults', () => {
  test.each<[string, object, RegExp]>([
    ['a name that is not kebab-case', { name: 'Seen' }, /name 'Seen' must be kebab-case/],
    ['no version', { version: undefined }, /version undefined must be a whole number/],
    ['a version that is a bigint', { version: 1n }, /version 1n must be a whole number/],
    ['no topic', { topic: undefined }, /topic is missing/],
    ['no topics', { topic: [] }, /topic is missing/],
    ['a topic by name only', { topic: 'carts' }, /topic \(no name\): name must be/],
    ['one topic twice', { topic: [carts, carts] }, /names the same topic twice/],
    ['one event type in two topics', { topic: [carts, { ...carts, name: 'baskets' }] }, /OrderPlaced is in two topics/],
    ['no view', { view: undefined }, /make it with table\(\)/],
    ['no key', { key: undefined }, /key must be a function/],
    ['an asynchronous key', { key: async () => ({}) }, /key is async/],
    ['no initial', { initial: {} }, /initial must be a function/],
    ['a merge that is none', { merge: true }, /merge must be a function/],
    ['no handlers', { on: {} }, /on names no event type/],
    ['no on', { on: undefined }, /on names no event type/],
    [
      'a misspelt event',
      { on: { OrderPlacd: () => null } },
      /on.OrderPlacd: no such event; the topic carries ItemAddedToCart, ItemRemovedFromCart, OrderPlaced/,
    ],
    ['an event that every object has', { on: { toString: () => null } }, /on.toString: no such event/],
    ['a handler that is none', { on: { OrderPlaced: null } }, /on.OrderPlaced must be a function/],
    ['an asynchronous handler', { on: { OrderPlaced: async () => null } }, /on.OrderPlaced is async/],
  ])('%s', (_, changes, fault) => {
    expect(() => define(changes)).toThrow(
      expect.objectContaining({ code: 'PROJECTION_INVALID', message: expect.stringMatching(fault) }),
    )
  })

  test('are all told at once', () => {
    const wrong = {
      name: 'X',
      version: 0,
      key: 1,
      view: table('V', { columns: { a: 'text' }, partitionKey: ['a'] }),
      on: { A: 1 },
    }
    expect(() => define(wrong)).toThrow(/projection X has 6 fault\(s\):\n( {2}- .*\n){6}$/)
  })

  test.each([undefined, null, 7, 'seen'])('%j is no definition', (value) => {
    expect(() => defineProjection(value as never)).toThrow(/takes one object/)
  })
})

describe('the fingerprint of a definition', () => {
  const of = (changes: object) => definitionFingerprint(define(changes))
  const usual = of({})

  test('stays while the view means the same', () => {
    expect(of({ on: { OrderPlaced: () => null }, key: () => [], initial: () => ({}) })).toBe(usual)
    expect(of({ version: 2 })).toBe(usual)
    expect(of({ topic: { ...carts, partitions: 3 } })).toBe(usual)
    expect(of({ view: table('seen', { columns: { m: 'int?', n: 'int', id: 'text' }, partitionKey: ['id'] }) })).toBe(
      usual,
    )
  })

  test.each<[string, object]>([
    ['a column', { view: table('seen', { columns: { id: 'text', n: 'int' }, partitionKey: ['id'] }) }],
    ['a type', { view: table('seen', { columns: { id: 'text', n: 'bigint', m: 'int?' }, partitionKey: ['id'] }) }],
    ['the table’s name', { view: { ...view, name: 'met' } }],
    ['the key', { view: table('seen', { columns: { id: 'text', n: 'int', m: 'int?' }, partitionKey: ['id', 'n'] }) }],
    ['the topics', { topic: [carts, inventory] }],
    ['the subscription', { on: { OrderPlaced: () => null, ItemAddedToCart: () => null } }],
    ['merge', { merge: () => ({}) }],
  ])('changes with %s', (_, changes) => {
    expect(of(changes)).not.toBe(usual)
  })
})
