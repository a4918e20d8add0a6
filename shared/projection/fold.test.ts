import { describe, expect, test } from 'vitest'
import { carts, type Event } from '../events/index.ts'
import { foldOf } from './fold.ts'
import { defineProjection } from './projection.ts'
import { table } from './table.ts'

const base = {
  name: 'seen',
  version: 1,
  topic: carts,
  view: table('seen', { columns: { id: 'text', n: 'int' }, partitionKey: ['id'] }),
  key: (event: Event) => ({ id: event.subject }),
  initial: ({ id }: { id: string }) => ({ id, n: 0 }),
  on: { OrderPlaced: (row: { id: string; n: number }) => ({ ...row, n: row.n + 1 }) },
}
const folding = (changes: object = {}) => foldOf(defineProjection({ ...base, ...changes } as never))
const order: Event = {
  type: 'OrderPlaced',
  data: {},
  id: '1',
  source: 's',
  subject: 'a',
  time: new Date(0),
  position: { topic: 'carts', partition: 3, offset: 7 },
}
const key = { id: 'a' }
const failing = () => {
  throw new Error('broken')
}

test('what is subscribed to is wanted, and nothing that merely every object has', () => {
  const { wanted } = folding()
  expect(['OrderPlaced', 'ItemAddedToCart', 'toString', '__proto__'].map(wanted)).toEqual([true, false, false, false])
})

describe('keys', () => {
  test.each<[string, unknown, string[]]>([
    ['one', { id: 'a' }, ['a']],
    ['none', [], []],
    ['several, each once', [{ id: 'a' }, { id: 'b' }, { id: 'a' }], ['a', 'b']],
  ])('%s', (_, given, ids) => {
    expect(
      folding({ key: () => given })
        .keys(order)
        .map(({ id }) => id),
    ).toEqual(ids)
  })

  test.each<[string, () => unknown]>([
    ['undefined', () => undefined],
    ['null', () => null],
    ['of the wrong type', () => ({ id: 7 })],
    ['with holes', () => new Array(2)],
    ['throwing', failing],
  ])('that are wrong are poison: %s', (_, key) => {
    expect(() => folding({ key }).keys(order)).toThrow(
      expect.objectContaining({
        code: 'KEY_INVALID',
        kind: 'poison',
        message: expect.stringMatching(/^key of projection seen failed on OrderPlaced at carts\/3\/7/),
      }),
    )
  })
})

describe('apply', () => {
  test('begins with the initial row, and goes on from the row there is', () => {
    const { apply } = folding()
    const first = apply(null, key, order)
    expect([first, apply(first, key, order)]).toEqual([
      { id: 'a', n: 1 },
      { id: 'a', n: 2 },
    ])
  })

  test('gives null for a deleted row', () => {
    expect(folding({ on: { OrderPlaced: () => null } }).apply(null, key, order)).toBeNull()
  })

  test('gives the very same row where nothing changed', () => {
    const row = { id: 'a', n: 1 }
    expect(folding({ on: { OrderPlaced: (before: object) => before } }).apply(row, key, order)).toBe(row)
  })

  test('a handler that changes its row half-way and fails leaves it as it was', () => {
    const { apply } = folding()
    const row = apply(null, key, order)
    const careless = folding({
      on: {
        OrderPlaced: (before: { n: number }) => {
          before.n = 99
          throw new Error('broken')
        },
      },
    })
    expect(() => careless.apply(row, key, order)).toThrow(expect.objectContaining({ code: 'HANDLER_FAILED' }))
    expect(row).toEqual({ id: 'a', n: 1 })
  })

  test.each<[string, object, string, RegExp]>([
    [
      'a handler that throws',
      { on: { OrderPlaced: failing } },
      'HANDLER_FAILED',
      /^on.OrderPlaced of projection seen failed on OrderPlaced at carts\/3\/7$/,
    ],
    ['an initial that throws', { initial: failing }, 'HANDLER_FAILED', /^initial of projection seen failed/],
    [
      'an initial that is no row',
      { initial: () => ({ id: 'a' }) },
      'ROW_INVALID',
      /^initial of projection seen .*: column n of view seen is missing/,
    ],
    [
      'nothing returned',
      { on: { OrderPlaced: () => {} } },
      'ROW_INVALID',
      /^on.OrderPlaced of projection seen .* undefined: return the row/,
    ],
    ['a promise returned', { on: { OrderPlaced: () => Promise.reject(new Error('late')) } }, 'ROW_INVALID', /Promise/],
    [
      'a row that fails when looked at',
      {
        on: {
          OrderPlaced: () => ({
            get id() {
              throw null
            },
          }),
        },
      },
      'HANDLER_FAILED',
      /on.OrderPlaced/,
    ],
  ])('%s is poison', (_, changes, code, message) => {
    expect(() => folding(changes).apply(null, key, order)).toThrow(
      expect.objectContaining({ code, kind: 'poison', message: expect.stringMatching(message) }),
    )
  })
})

describe('merge', () => {
  const merge = (a: { n: number }, b: { n: number }) => ({ ...a, n: a.n + b.n })

  test('joins any number of parts, and leaves one as it is', () => {
    const fold = folding({ merge })
    expect(
      fold.merge(
        [1, 2, 3].map((n) => ({ id: 'a', n })),
        key,
      ),
    ).toEqual({ id: 'a', n: 6 })
    expect(fold.merge([{ id: 'a', n: 1 }], key)).toEqual({ id: 'a', n: 1 })
  })

  test('that fails names its row', () => {
    const parts = [
      { id: 'a', n: 1 },
      { id: 'a', n: 2 },
    ]
    expect(() => folding({ merge: failing }).merge(parts, key)).toThrow(
      expect.objectContaining({ code: 'HANDLER_FAILED', message: 'merge of projection seen failed on row a' }),
    )
    expect(() => folding({ merge: () => 7 }).merge(parts, key)).toThrow(
      expect.objectContaining({ code: 'ROW_INVALID' }),
    )
  })
})

test('a handler that fails half-way has not changed the row, or the event would be folded into half of itself when it comes again', () => {
  const projection = defineProjection({
    ...base,
    view: table('seen', {
      columns: { id: 'text', items: 'list<text>', at: 'timestamp', bytes: 'blob' },
      partitionKey: ['id'],
    }),
    initial: ({ id }: { id: string }) => ({ id, items: [], at: new Date(0), bytes: Uint8Array.of(1) }),
    on: {
      OrderPlaced: (row: { items: string[]; at: Date; bytes: Uint8Array }, { data, id, time }: Event) => {
        const { change } = data as { change?: 'items' | 'at' | 'bytes' }
        if (change === 'items') row.items.push(id)
        if (change === 'at') row.at.setTime(7)
        if (change === 'bytes') row.bytes.fill(7)
        if (change) throw new Error('half-way')
        return { ...row, items: [...row.items, id], at: time }
      },
    },
  } as never)
  const fold = foldOf(projection)
  const time = new Date(5)
  const row = fold.apply(null, key, { ...order, time })
  time.setTime(7)
  const expected = { id: 'a', items: ['1'], at: new Date(5), bytes: Uint8Array.of(1) }
  expect(row).toEqual(expected)
  for (const change of ['items', 'at', 'bytes']) {
    expect(() => fold.apply(row, key, { ...order, data: { change } })).toThrow(
      expect.objectContaining({ code: 'HANDLER_FAILED' }),
    )
    expect(row).toEqual(expected)
  }
})

test('what a handler returns as it got it is the row it was, not a copy', () => {
  const fold = folding({
    view: table('seen', { columns: { id: 'text', n: 'int', bytes: 'blob' }, partitionKey: ['id'] }),
    initial: ({ id }: { id: string }) => ({ id, n: 0, bytes: Uint8Array.of(1) }),
    on: { OrderPlaced: (row: object) => row },
  })
  const row = fold.apply(null, key, order)
  expect(fold.apply(row, key, order)).toBe(row)
})
