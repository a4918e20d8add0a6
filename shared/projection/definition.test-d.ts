import { expectTypeOf, test } from 'vitest'
import { carts, inventory } from '../events/index.ts'
import { defineProjection, type Key, type Row, table, type Written, z } from './index.ts'
import { event } from './spec.ts'

/** What must not compile. Each `@ts-expect-error` fails the type check if the mistake below it goes through. */

const view = table('cart', {
  columns: { cartId: 'text', at: 'timestamp', total: 'bigint', note: 'text?' },
  partitionKey: ['cartId'],
  clusteringKey: { at: 'desc' },
})

const cart = {
  name: 'cart',
  version: 1,
  topic: carts,
  view,
} as const

test('rows, keys and what handlers return follow the columns', () => {
  expectTypeOf<Row<typeof view>>().toEqualTypeOf<{
    readonly cartId: string
    readonly at: Date
    readonly total: bigint
    readonly note: string | null
  }>()
  expectTypeOf<Key<typeof view>>().toEqualTypeOf<{ readonly cartId: string; readonly at: Date }>()
  expectTypeOf<Written<typeof view>>().toEqualTypeOf<{
    readonly cartId: string
    readonly at: Date
    readonly total: bigint
    readonly note?: string | null | undefined
  }>()
})

test('every column type has its TypeScript type', () => {
  const all = table('all', {
    columns: {
      a: 'text',
      b: 'int',
      c: 'bigint',
      d: 'double',
      e: 'decimal',
      f: 'boolean',
      g: 'uuid',
      h: 'timestamp',
      i: 'date',
      j: 'blob',
      k: 'list<int>',
      l: 'set<text>',
      m: 'map<text, list<bigint>>',
      n: 'map<uuid,set<date>>?',
    },
    partitionKey: ['a', 'g'],
    clusteringKey: { i: 'asc', j: 'desc' },
  })
  expectTypeOf<Row<typeof all>>().toEqualTypeOf<{
    readonly a: string
    readonly b: number
    readonly c: bigint
    readonly d: number
    readonly e: string
    readonly f: boolean
    readonly g: string
    readonly h: Date
    readonly i: string
    readonly j: Uint8Array
    readonly k: readonly number[]
    readonly l: ReadonlySet<string>
    readonly m: ReadonlyMap<string, readonly bigint[]>
    readonly n: ReadonlyMap<string, ReadonlySet<string>> | null
  }>()
})

test('handlers know their row and their event', () => {
  defineProjection({
    ...cart,
    key: (event) => {
      expectTypeOf(event.type).toEqualTypeOf<'ItemAddedToCart' | 'ItemRemovedFromCart' | 'OrderPlaced'>()
      if (event.type === 'OrderPlaced') expectTypeOf(event.data.customerId).toEqualTypeOf<string>()
      // @ts-expect-error only an order has a customer
      else event.data.customerId
      return { cartId: event.data.cartId, at: event.time }
    },
    initial: (key) => {
      expectTypeOf(key).toEqualTypeOf<{ readonly cartId: string; readonly at: Date }>()
      return { ...key, total: 0n }
    },
    on: {
      ItemAddedToCart: (row, { data, time, type }) => {
        expectTypeOf(row).toEqualTypeOf<Row<typeof view>>()
        expectTypeOf(data).toEqualTypeOf<{
          cartId: string
          productId: string
          quantity: number
          unitPriceCents: number
        }>()
        expectTypeOf(time).toEqualTypeOf<Date>()
        expectTypeOf(type).toEqualTypeOf<'ItemAddedToCart'>()
        return row
      },
    },
  })
})

test('several topics give one union, which narrows by type', () => {
  defineProjection({
    ...cart,
    topic: [carts, inventory],
    key: (event) => (event.type === 'StockReceived' ? { cartId: event.data.warehouse, at: event.time } : []),
    initial: (key) => ({ ...key, total: 0n }),
    on: { StockReceived: (row, { data }) => ({ ...row, total: BigInt(data.quantity) }), OrderPlaced: () => null },
  })
})

test('an optional column may be absent, undefined or null', () => {
  const maybe = (): string | undefined => undefined
  defineProjection({
    ...cart,
    key: ({ data, time }) => ({ cartId: data.cartId, at: time }),
    initial: (key) => ({ ...key, total: 0n, note: null }),
    on: {
      ItemAddedToCart: ({ note, ...row }) => row,
      ItemRemovedFromCart: (row) => ({ ...row, note: maybe() }),
      OrderPlaced: (row) => ({ ...row, note: row.note?.trim() }),
    },
  })
})

test('wrong tables', () => {
  // @ts-expect-error there is no such type
  table('t', { columns: { a: 'string' }, partitionKey: ['a'] })
  // @ts-expect-error there is no such element type
  table('t', { columns: { a: 'text', b: 'list<string>' }, partitionKey: ['a'] })
  // @ts-expect-error there is no such value type
  table('t', { columns: { a: 'text', b: 'map<text,number>' }, partitionKey: ['a'] })
  // @ts-expect-error elements can't be optional
  table('t', { columns: { a: 'text', b: 'set<text?>' }, partitionKey: ['a'] })
  // @ts-expect-error not a type
  table('t', { columns: { a: 'text', b: '?' }, partitionKey: ['a'] })
  // @ts-expect-error not a column
  table('t', { columns: { a: 'text' }, partitionKey: ['b'] })
  // @ts-expect-error not a column
  table('t', { columns: { a: 'text' }, partitionKey: ['a'], clusteringKey: { b: 'asc' } })
  // @ts-expect-error not an order
  table('t', { columns: { a: 'text', b: 'int' }, partitionKey: ['a'], clusteringKey: { b: 'up' } })
  // @ts-expect-error a key can't be optional
  table('t', { columns: { a: 'text?' }, partitionKey: ['a'] })
  // @ts-expect-error a key can't be a collection
  table('t', { columns: { a: 'list<text>' }, partitionKey: ['a'] })
  // @ts-expect-error a key can't be a decimal
  table('t', { columns: { a: 'text', b: 'decimal' }, partitionKey: ['a'], clusteringKey: { b: 'asc' } })
  // @ts-expect-error a table has a partition key
  table('t', { columns: { a: 'text' } })
})

test('wrong projections', () => {
  const key = ({ data, time }: { data: { cartId: string }; time: Date }) => ({ cartId: data.cartId, at: time })
  const initial = (key: Key<typeof view>) => ({ ...key, total: 0n })
  const right = { ...cart, key, initial }
  defineProjection({ ...right, on: { OrderPlaced: (row) => row } })

  // @ts-expect-error a misspelt event
  defineProjection({ ...right, on: { OrderPlacd: (row) => row } })
  // @ts-expect-error an event of another topic
  defineProjection({ ...right, on: { StockReceived: (row) => row } })
  // @ts-expect-error a column of the wrong type
  defineProjection({ ...right, on: { OrderPlaced: (row) => ({ ...row, total: 1 }) } })
  // @ts-expect-error null in a column that is not optional
  defineProjection({ ...right, on: { OrderPlaced: (row) => ({ ...row, total: null }) } })
  // @ts-expect-error a column is missing
  defineProjection({ ...right, on: { OrderPlaced: ({ total, ...row }) => row } })
  // @ts-expect-error nothing is returned
  defineProjection({ ...right, on: { OrderPlaced: () => {} } })
  // @ts-expect-error a promise is returned
  defineProjection({ ...right, on: { OrderPlaced: async (row) => row } })
  // @ts-expect-error the row has no such column
  defineProjection({ ...right, on: { OrderPlaced: (row) => ({ ...row, total: row.sum }) } })
  // @ts-expect-error the event has no such field
  defineProjection({ ...right, on: { OrderPlaced: (row, { data }) => ({ ...row, note: data.comment }) } })
  // @ts-expect-error the handler takes another row
  defineProjection({ ...right, on: { OrderPlaced: (row: { cartId: number }) => (row ? null : null) } })
  defineProjection({
    ...right,
    on: {
      OrderPlaced: (row) => {
        // @ts-expect-error rows can't be changed
        row.total = 1n
        return row
      },
    },
  })
  // @ts-expect-error the key lacks a clustering column
  defineProjection({ ...right, key: ({ data }) => ({ cartId: data.cartId }), on: { OrderPlaced: () => null } })
  // @ts-expect-error the key has the wrong type
  defineProjection({ ...right, key: ({ time }) => ({ cartId: 7, at: time }), on: { OrderPlaced: () => null } })
  defineProjection({
    ...right,
    // @ts-expect-error a field that not all events have
    key: ({ data, time }) => ({ cartId: data.orderId, at: time }),
    on: { OrderPlaced: () => null },
  })
  // @ts-expect-error initial lacks a column
  defineProjection({ ...right, initial: (key) => ({ ...key }), on: { OrderPlaced: () => null } })
  // @ts-expect-error merge gives no row
  defineProjection({ ...right, on: { OrderPlaced: () => null }, merge: (a, b) => a.total + b.total })
  // @ts-expect-error there is no such option
  defineProjection({ ...right, on: { OrderPlaced: () => null }, batchSize: 10 })
})

test('events of a spec are typed by their topic, as producers write them', () => {
  const meters = {
    name: 'meters',
    partitions: 1,
    events: { Read: z.object({ at: z.string().transform((text) => new Date(text)), kwh: z.number().default(0) }) },
  }
  event(meters, 'Read', 'm1', { at: '2026-01-01' })
  // @ts-expect-error that is what handlers see
  event(meters, 'Read', 'm1', { at: new Date() })
  // @ts-expect-error no such event
  event(carts, 'OrderPlacd', 'c1', {})
  // @ts-expect-error a field is missing
  event(carts, 'ItemAddedToCart', 'c1', { cartId: 'c1' })
})
