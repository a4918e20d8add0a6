import fc from 'fast-check'
import { z } from 'zod'
import { defineTopic } from '../../events/topic.ts'
import { defineProjection } from '../../projection/projection.ts'
import { table } from '../../projection/table.ts'
import { type ColumnType, parseType, type Scalar } from '../../projection/types.ts'
import { canonical, compare } from '../../projection/values.ts'

const topic = defineTopic({ name: 'contract', partitions: 3, events: { Happened: z.object({}) } })
const idle = { topic, version: 1, key: () => [] } as const

/** Every column type there is, nested ones, and one that may be absent. */
export const everyType = defineProjection({
  ...idle,
  name: 'every-type',
  view: table('every_type', {
    columns: {
      someKey: 'uuid',
      someText: 'text?',
      someInt: 'int?',
      someBigint: 'bigint?',
      someDouble: 'double?',
      someDecimal: 'decimal?',
      someBoolean: 'boolean?',
      someUuid: 'uuid?',
      someTimestamp: 'timestamp?',
      someDate: 'date?',
      someBlob: 'blob?',
      textList: 'list<text>?',
      doubleList: 'list<double>?',
      blobList: 'list<blob>?',
      textSet: 'set<text>?',
      intSet: 'set<int>?',
      uuidSet: 'set<uuid>?',
      decimalSet: 'set<decimal>?',
      doubleSet: 'set<double>?',
      dateSet: 'set<date>?',
      textMap: 'map<text,bigint>?',
      timestampMap: 'map<timestamp,boolean>?',
      nested: 'map<int,list<set<text>>>?',
      lists: 'list<list<int>>?',
    },
    partitionKey: ['someKey'],
  }),
  on: { Happened: (row) => row },
  initial: ({ someKey }) => ({ someKey }),
})

/** Rows in order inside partitions of two columns. */
export const shelves = defineProjection({
  ...idle,
  name: 'shelves',
  view: table('shelves', {
    columns: { room: 'text', shelf: 'int', place: 'int', part: 'text', title: 'text', note: 'text?', count: 'bigint?' },
    partitionKey: ['room', 'shelf'],
    clusteringKey: { place: 'desc', part: 'asc' },
  }),
  on: { Happened: (row) => row },
  initial: (key) => ({ ...key, title: '' }),
})

/** One row in each partition, the commonest kind. */
export const single = defineProjection({
  ...idle,
  name: 'single',
  view: table('single', {
    columns: { id: 'text', title: 'text', note: 'text?', tags: 'set<text>?' },
    partitionKey: ['id'],
  }),
  on: { Happened: (row) => row },
  initial: ({ id }) => ({ id, title: '' }),
})

/** Rows that several sources feed. */
export const merged = defineProjection({
  ...idle,
  name: 'merged',
  view: table('merged', {
    columns: { id: 'text', place: 'int', title: 'text', note: 'text?' },
    partitionKey: ['id'],
    clusteringKey: { place: 'asc' },
  }),
  on: { Happened: (row) => row },
  initial: (key) => ({ ...key, title: '' }),
  merge: (a) => a,
})

/** Values of a type in canonical form. */
export function valuesOf(type: ColumnType): fc.Arbitrary<unknown> {
  if (type.kind === 'scalar') return scalars[type.name].map((value) => canonical(type, value))
  if (type.kind === 'list') return fc.array(valuesOf(type.of), { maxLength: 4 })
  if (type.kind !== 'map') return distinct(type.of).map((elements) => canonical(type, new Set(elements)))
  const { key, of } = type
  const entries = (keys: readonly unknown[]) =>
    fc.tuple(...keys.map((name) => valuesOf(of).map((value) => [name, value] as const)))
  return distinct(key)
    .chain(entries)
    .map((all) => canonical(type, new Map(all)))
}

/** Values of which Cassandra takes no two for one. */
function distinct(type: ColumnType): fc.Arbitrary<unknown[]> {
  return fc.uniqueArray(valuesOf(type), { maxLength: 5, comparator: (a, b) => compare(type, a, b) === 0 })
}

export function typeOf(text: string): ColumnType {
  return parseType(text.replace('?', ''))!
}

const decimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.integer({ min: 0, max: 30 }))
  .map(([unscaled, scale]) => {
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
    const sign = unscaled < 0n ? '-' : ''
    return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  })

const scalars: Record<Scalar, fc.Arbitrary<unknown>> = {
  text: fc.string({ unit: 'binary', maxLength: 12 }),
  int: fc.integer(),
  bigint: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  double: fc.double(),
  decimal: decimals,
  boolean: fc.boolean(),
  uuid: fc.uuid(),
  timestamp: fc.date({ noInvalidDate: true }),
  date: fc
    .date({ noInvalidDate: true, min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z') })
    .map((date) => date.toISOString().slice(0, 10)),
  blob: fc.uint8Array({ maxLength: 12 }),
}
