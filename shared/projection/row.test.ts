import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TidemarkError } from '../errors.ts'
import { anyType, anyValue, typeText } from './arbitrary.test-data.ts'
import { type AnyRow, rowShape } from './row.ts'
import { columnsOf, table, tableFaults, tableShape } from './table.ts'

const pair = rowShape(
  table('pair', {
    columns: { a: 'text', b: 'text', n: 'int', note: 'text?' },
    partitionKey: ['a'],
    clusteringKey: { b: 'asc' },
  }),
)
const single = rowShape(table('single', { columns: { at: 'timestamp', tags: 'set<text>?' }, partitionKey: ['at'] }))
const key = { a: 'x', b: 'y' }
const row = { ...key, n: 1, note: null }
const refused = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('a row', () => {
  test('has exactly the table’s columns, the absent ones null', () => {
    expect(pair.row({ ...key, n: 1 }, key)).toEqual(row)
    expect(pair.row({ n: 1, note: undefined, ...key }, key)).toEqual(row)
    expect(Object.keys(pair.row({ n: 1, b: 'y', a: 'x' }, key))).toEqual(['a', 'b', 'n', 'note'])
  })

  test('is the same made twice, and frozen', () => {
    const made = pair.row(row, key)
    expect(pair.row(made, key)).toEqual(made)
    expect(Object.isFrozen(made)).toBe(true)
  })

  test('is canonical also where only the sign of a zero or a missing column says it is not', () => {
    expect(Object.is(pair.row({ ...key, n: -0, note: null }, key).n, 0)).toBe(true)
    expect(Object.keys(pair.row({ note: null, n: 1, b: 'y', a: 'x' }, key))).toHaveLength(4)
  })

  test('can not be changed by whoever holds it or what it was made of, at any depth', () => {
    const shape = rowShape(
      table('deep', {
        columns: {
          id: 'text',
          at: 'timestamp',
          list: 'list<list<int>>',
          set: 'set<timestamp>',
          map: 'map<text,list<blob>>',
          bytes: 'blob',
        },
        partitionKey: ['id'],
      }),
    )
    const made = () => ({
      id: 'a',
      at: new Date(1),
      list: [[1]],
      set: new Set([new Date(2)]),
      map: new Map([['a', [Uint8Array.of(3)]]]),
      bytes: Uint8Array.of(4),
    })
    type Row = ReturnType<typeof made>
    const changes: readonly ((row: Row) => unknown)[] = [
      (row) => row.at.setTime(9),
      (row) => row.list.push([9]),
      (row) => row.list[0]?.push(9),
      (row) => row.set.clear(),
      (row) => [...row.set][0]?.setUTCHours(9),
      (row) => row.map.set('b', []),
      (row) => row.map.get('a')?.push(Uint8Array.of(9)),
      (row) => row.map.get('a')?.[0]?.fill(9),
      (row) => row.bytes.fill(9),
    ]
    for (const change of changes) {
      const given = made()
      const row = shape.row(given, { id: 'a' })
      change(given)
      expect(row, `through what was given: ${change}`).toEqual(made())
      const lent = shape.lent(row)
      expect(lent).toEqual(made())
      try {
        change(lent as Row)
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
      expect(row, String(change)).toEqual(made())
    }
  })

  test.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /undefined: return the row, or null/],
    ['a number', 7, /must be an object, not 7/],
    ['an array', [row], /must be an object, not \[/],
    ['a promise', Promise.resolve(row), /Promise: handlers must be synchronous/],
    ['an extra column', { ...row, m: 1 }, /m is not a column of view pair/],
    ['a missing column', key, /column n of view pair is missing and not optional \(declare it 'int\?'\)/],
    ['null in a column that is not optional', { ...row, n: null }, /column n of view pair is missing/],
    ['the wrong type', { ...row, n: '1' }, /column n of view pair must be a whole number of 32 bits, not '1'/],
    ['another key', { ...row, b: 'z' }, /key column b of view pair was changed: 'y' became 'z'/],
  ])('is not %s', (_, value, message) => {
    expect(() => pair.row(value, key)).toThrow(refused('ROW_INVALID', message))
  })

  test('differs in the columns that differ, whatever objects hold them', () => {
    const at = new Date(0)
    const [a, b] = [
      single.row({ at, tags: new Set(['x', 'y']) }, { at }),
      single.row({ at: new Date(0), tags: new Set(['y', 'x']) }, { at }),
    ]
    expect(single.differences(a, b)).toEqual([])
    expect(single.differences(a, { at, tags: null })).toEqual(['tags'])
    expect(pair.differences(row, { ...row, n: 2, note: '' })).toEqual(['n', 'note'])
  })
})

describe('a key', () => {
  test('keeps the key columns only', () => {
    expect(pair.key({ ...row, more: 1 })).toEqual(key)
  })

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /must be an object, not undefined/],
    ['a text', 'x', /must be an object, not 'x'/],
    ['half', { a: 'x' }, /key column b of view pair must be a string, not undefined/],
    ['null', { a: 'x', b: null }, /key column b/],
    ['an empty partition key', { a: '', b: '' }, /key column a of view pair must not be empty/],
    ['longer than Cassandra takes', { a: 'x'.repeat(70_000), b: '' }, /65,000 bytes/],
    ['longer in bytes than in letters', { a: '€'.repeat(25_000), b: '' }, /65,000 bytes/],
    [
      'failing',
      {
        get a() {
          throw null
        },
      },
      /key column a of view pair null/,
    ],
  ])('is not %s', (_, value, message) => {
    expect(() => pair.key(value)).toThrow(refused('KEY_INVALID', message))
  })

  test('may have an empty clustering column', () => {
    expect(pair.key({ a: 'x', b: '' })).toEqual({ a: 'x', b: '' })
  })

  test('has an id of its own: no two keys share one, and equal keys do', () => {
    const part = fc.string({ unit: fc.constantFrom('1', ':', 'a', '2'), minLength: 1 })
    const keys = fc.record({ a: part, b: part })
    fc.assert(
      fc.property(keys, keys, (one, other) => {
        expect(pair.id(one) === pair.id(other)).toBe(one.a === other.a && one.b === other.b)
      }),
      { numRuns: 1_000 },
    )
    expect(single.id({ at: new Date(5) })).toBe(single.id(single.key({ at: new Date(5) })))
  })
})

test('any row of any table settles at once, and its bytes are counted', () => {
  const tables = fc.array(anyType, { minLength: 1, maxLength: 4 }).chain((types) => {
    const columns = {
      key: 'text',
      ...Object.fromEntries(types.map((type, index) => [`c${index}`, `${typeText(type)}?`])),
    }
    const shape = rowShape({ name: 't', columns, partitionKey: ['key'], clusteringKey: {} })
    const rows: fc.Arbitrary<AnyRow> = fc.record(
      Object.fromEntries(types.map((type, index) => [`c${index}`, fc.option(anyValue(type))])),
    )
    return rows.map((values) => ({ shape, row: { key: 'k', ...values } }))
  })
  fc.assert(
    fc.property(tables, ({ shape, row }) => {
      let once: AnyRow
      try {
        once = shape.row(row, { key: 'k' })
      } catch (error) {
        expect(error).toBeInstanceOf(TidemarkError)
        return
      }
      expect(shape.differences(once, shape.row(once, { key: 'k' }))).toEqual([])
      expect(shape.bytes(once)).toBeGreaterThan(40)
    }),
  )
})

describe('a table', () => {
  test('lists partition key, clustering key and values in that order', () => {
    const view = table('t', {
      columns: { n: 'int', lastSeenAt: 'timestamp', id: 'uuid' },
      partitionKey: ['id'],
      clusteringKey: { lastSeenAt: 'desc' },
    })
    expect(columnsOf(view).map(({ cql, role }) => `${cql} ${role}`)).toEqual([
      'id partition',
      'last_seen_at clustering',
      'n value',
    ])
  })

  test('has the shape of its keys and types, in whatever order its values are written', () => {
    const shape = (columns: Record<string, string>, clusteringKey = {}) =>
      tableShape({ name: 't', columns, partitionKey: ['a'], clusteringKey })
    expect(shape({ a: 'text', x: 'int', y: 'list<int>' })).toBe(shape({ y: 'list<int>', x: 'int', a: 'text' }))
    expect(shape({ a: 'text', x: 'int' })).not.toBe(shape({ a: 'text', x: 'int?' }))
    expect(shape({ a: 'text', x: 'int' }, { x: 'asc' })).not.toBe(shape({ a: 'text', x: 'int' }, { x: 'desc' }))
    expect(shape({ a: 'text', x: 'int', y: 'int' }, { x: 'asc', y: 'asc' })).not.toBe(
      shape({ a: 'text', x: 'int', y: 'int' }, { y: 'asc', x: 'asc' }),
    )
  })

  test.each<[string, object, RegExp]>([
    ['a name that is not snake_case', { name: 'Cart' }, /name must be snake_case/],
    ['a name that looks like a version', { name: 'cart_v2' }, /Tidemark's own/],
    ['a column that is not camelCase', { columns: { a: 'text', b_c: 'int' } }, /must be camelCase/],
    ['a column of the bookkeeping', { columns: { a: 'text', tmPosition: 'int' } }, /tm_ is Tidemark's own/],
    ['two columns of one name in CQL', { columns: { a: 'text', aB: 'int', a_b: 'int' } }, /are both a_b in CQL/],
    [
      'a column called like a part of every object',
      { columns: { a: 'text', constructor: 'int?' } },
      /every JavaScript object/,
    ],
    ['an unknown type', { columns: { a: 'text', b: 'string' } }, /type 'string', which is not a column type/],
    ['a type that is no text', { columns: { a: 'text', b: 7n } }, /type 7n/],
    ['no partition key', { partitionKey: [] }, /partitionKey names no column/],
    ['a key that is no column', { partitionKey: ['a', 'toString'] }, /key column toString is not among the columns/],
    ['an optional key', { columns: { a: 'text?' } }, /can't be optional/],
    ['a collection as key', { columns: { a: 'set<text>' } }, /can't be a collection/],
    ['a decimal as key', { columns: { a: 'decimal' } }, /can't be a decimal/],
    ['a column twice in the key', { clusteringKey: { a: 'asc' } }, /twice in the key/],
    [
      'an order that is none',
      { columns: { a: 'text', b: 'int' }, clusteringKey: { b: 'up' } },
      /clusteringKey.b must be asc or desc/,
    ],
  ])('may not have %s', (_, change, fault) => {
    const faults = tableFaults({
      name: 't',
      columns: { a: 'text' },
      partitionKey: ['a'],
      clusteringKey: {},
      ...change,
    } as never)
    expect(faults.join('\n')).toMatch(fault)
  })

  test.each([undefined, null, 7, 'cart', {}, { columns: null }])(
    '%j is none, and says so instead of failing',
    (value) => {
      expect(tableFaults(value as never)).toEqual([expect.stringContaining('make it with table()')])
    },
  )
})
