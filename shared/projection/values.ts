import { inspect } from 'node:util'
import { FrozenDate, FrozenMap, FrozenSet } from './frozen.ts'
import { compare } from './order.ts'
import type { ColumnType, Scalar } from './types.ts'

export { compare }

/**
 * Values in their one canonical form. A row must look the same whether its handler returned it a moment ago or Cassandra
 * did after a crash; otherwise a fold would depend on when the worker was last restarted. Nothing of it is shared with `value`
 * unless it can't be changed, and what is made can't be changed either: except bytes, which JavaScript can't freeze.
 */
export function canonical(type: ColumnType, value: unknown): unknown {
  switch (type.kind) {
    case 'scalar':
      return scalars[type.name](value)
    case 'list':
      if (!Array.isArray(value)) throw wrong('an array', value)
      return Object.freeze(Array.from(value, (element) => canonical(type.of, element)))
    case 'set': {
      if (!(value instanceof Set)) throw wrong('a Set', value)
      return new FrozenSet(
        sorted(
          Array.from(value, (element) => [canonical(type.of, element)] as const),
          type.of,
        ).map(([element]) => element),
      )
    }
    case 'map': {
      if (!(value instanceof Map)) throw wrong('a Map', value)
      return new FrozenMap(
        sorted(
          Array.from(value, ([key, of]) => [canonical(type.key, key), canonical(type.of, of)] as const),
          type.key,
        ),
      )
    }
  }
}

/**
 * In Cassandra's order. Two members that are one to Cassandra (two equal Dates, the decimals `1.5` and `1.50`) are a fault:
 * which of them it keeps would be chance.
 */
function sorted<Entry extends readonly [unknown, ...unknown[]]>(entries: Entry[], type: ColumnType): Entry[] {
  entries.sort(([a], [b]) => compare(type, a, b))
  if (entries.some(([element], index) => index > 0 && compare(type, entries[index - 1]![0], element) === 0))
    throw new TypeError('has the same element twice')
  return entries
}

const INT64 = 1n << 63n
const DECIMAL = /^-?(0|[1-9]\d*)(\.\d+)?$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const DATE = /^\d{4}-\d\d-\d\d$/

const scalars: Record<Scalar, (value: unknown) => unknown> = {
  text: (value) => {
    if (typeof value !== 'string') throw wrong('a string', value)
    if (!value.isWellFormed()) throw new TypeError('contains half a surrogate pair, which UTF-8 cannot store')
    return value
  },
  int: (value) => {
    if (typeof value !== 'number' || (value | 0) !== value) throw wrong('a whole number of 32 bits', value)
    return value | 0
  },
  bigint: (value) => {
    if (typeof value !== 'bigint' || value >= INT64 || value < -INT64) throw wrong('a bigint of 64 bits', value)
    return value
  },
  double: (value) => {
    if (typeof value !== 'number') throw wrong('a number', value)
    return value
  },
  decimal: (value) => {
    if (typeof value !== 'string' || !DECIMAL.test(value)) throw wrong('a decimal as a string, like "-12.50"', value)
    return /^-[0.]+$/.test(value) ? value.slice(1) : value
  },
  boolean: (value) => {
    if (typeof value !== 'boolean') throw wrong('a boolean', value)
    return value
  },
  uuid: (value) => {
    const lower = typeof value === 'string' ? value.toLowerCase() : ''
    if (!UUID.test(lower)) throw wrong('a UUID as a string', value)
    return lower
  },
  timestamp: (value) => {
    if (value instanceof FrozenDate) return value
    if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw wrong('a valid Date', value)
    return new FrozenDate(value.getTime())
  },
  date: (value) => {
    if (typeof value !== 'string' || !DATE.test(value) || !realDay(value))
      throw wrong('a day as a string, like "2026-01-31"', value)
    return value
  },
  blob: (value) => {
    if (!(value instanceof Uint8Array)) throw wrong('a Uint8Array', value)
    // A Buffer has other methods, and a view of a larger buffer would keep all of it in memory.
    return Uint8Array.from(value)
  },
}

function realDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

function wrong(expected: string, value: unknown): TypeError {
  return new TypeError(
    `must be ${expected}, not ${value instanceof Promise ? 'a Promise (handlers must be synchronous)' : shown(value)}`,
  )
}

/** A value for an error message, cut short. */
export function shown(value: unknown): string {
  const text = inspect(value, {
    depth: 2,
    breakLength: Number.POSITIVE_INFINITY,
    customInspect: false,
    maxStringLength: 80,
    maxArrayLength: 8,
  })
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

/** A canonical value as text: equal exactly if the values are. */
export function valueText(type: ColumnType, value: unknown): string {
  switch (type.kind) {
    case 'list':
    case 'set':
      return framed([...(value as Iterable<unknown>)].map((element) => valueText(type.of, element)))
    case 'map':
      return framed(
        [...(value as ReadonlyMap<unknown, unknown>)].flatMap(([key, of]) => [
          valueText(type.key, key),
          valueText(type.of, of),
        ]),
      )
    case 'scalar':
      switch (type.name) {
        case 'text':
        case 'uuid':
        case 'date':
        case 'decimal':
          return value as string
        case 'timestamp':
          return String((value as Date).getTime())
        case 'blob':
          return Buffer.from(value as Uint8Array).toString('hex')
        case 'double':
          return Object.is(value, -0) ? '-0' : String(value)
        default:
          return String(value)
      }
  }
}

/** Joins texts so that no other list of texts looks the same. */
export function framed(parts: readonly string[]): string {
  return parts.map((part) => `${part.length}:${part}`).join('')
}

/** About how many bytes a canonical value takes on the wire; never less than it does. */
export function valueBytes(type: ColumnType, value: unknown): number {
  switch (type.kind) {
    case 'list':
    case 'set': {
      let bytes = 4
      for (const element of value as Iterable<unknown>) bytes += 4 + valueBytes(type.of, element)
      return bytes
    }
    case 'map': {
      let bytes = 4
      for (const [key, of] of value as ReadonlyMap<unknown, unknown>)
        bytes += 8 + valueBytes(type.key, key) + valueBytes(type.of, of)
      return bytes
    }
    case 'scalar':
      if (type.name === 'text') return Buffer.byteLength(value as string)
      if (type.name === 'decimal') return (value as string).length + 4
      if (type.name === 'uuid') return 16
      return type.name === 'blob' ? (value as Uint8Array).byteLength : 8
  }
}
