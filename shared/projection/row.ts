import { TidemarkError } from '../errors.ts'
import { type Column, columnsOf, type Table } from './table.ts'
import type { ColumnType } from './types.ts'
import { canonical, framed, shown, valueBytes, valueText } from './values.ts'

/** A row or key when the table is only known at run time. */
export type AnyRow = Readonly<Record<string, unknown>>

/** What a table's rows go through: made once per projection, used for every event. */
export interface RowShape {
  readonly columns: readonly Column[]
  readonly keyColumns: readonly Column[]
  /** The key in canonical form; throws KEY_INVALID. */
  key(value: unknown): AnyRow
  /**
   * The row in canonical form: exactly the table's columns, absent ones null. It shares nothing with `value` that could be
   * changed, and is frozen at any depth, bytes excepted. Throws ROW_INVALID; `key` must not have changed.
   */
  row(value: unknown, key: AnyRow): AnyRow
  /**
   * A canonical row as a handler gets it: whatever the handler does, and wherever it fails, the row itself stays as it is.
   * The row itself where there are no bytes in it.
   */
  lent(row: AnyRow): AnyRow
  /** A canonical key (or row) as text: equal exactly if the keys are. Names the row in logs, and in the working set. */
  id(key: AnyRow): string
  /** About how many bytes the row takes in Cassandra. */
  bytes(row: AnyRow): number
  /** The names of the columns in which two canonical rows differ. */
  differences(a: AnyRow, b: AnyRow): string[]
}

/** Cassandra takes 65,535 bytes of partition key, framing included, and as much per clustering column. */
const KEY_BYTES = 65_000

export function rowShape(table: Table): RowShape {
  const columns = columnsOf(table)
  const keyColumns = columns.filter(({ role }) => role !== 'value')
  const names = new Set(columns.map(({ name }) => name))
  const withBytes = columns.filter(({ type }) => holdsBytes(type))
  const [first] = keyColumns
  const onlyPartitionKey = table.partitionKey.length === 1 ? table.partitionKey[0] : undefined
  const single = keyColumns.length === 1 ? first : undefined

  function absent({ name, optional }: Column): null {
    if (!optional) throw new TypeError(`is missing and not optional (declare it '${table.columns[name]}?')`)
    return null
  }

  function unchanged({ type }: Column, before: unknown, after: unknown): void {
    if (before === after || valueText(type, before) === valueText(type, after)) return
    throw new TypeError(`was changed: ${shown(before)} became ${shown(after)}`)
  }

  function inOrder(given: AnyRow): AnyRow {
    return Object.fromEntries(columns.map(({ name }) => [name, given[name]]))
  }

  function id(key: AnyRow): string {
    if (single) return valueText(single.type, key[single.name])
    return framed(keyColumns.map(({ name, type }) => valueText(type, key[name])))
  }

  return {
    columns,
    keyColumns,
    id,

    key(value) {
      if (typeof value !== 'object' || value === null)
        throw new TidemarkError('KEY_INVALID', `a key of view ${table.name} must be an object, not ${shown(value)}`)
      const key: Record<string, unknown> = {}
      let bytes = 0
      let column = keyColumns[0]!
      try {
        for (column of keyColumns) {
          const { name, type } = column
          const part = canonical(type, (value as AnyRow)[name])
          const size = valueBytes(type, part)
          if (onlyPartitionKey === name && size === 0)
            throw new TypeError('must not be empty: Cassandra refuses an empty partition key')
          bytes += size
          if (bytes > KEY_BYTES) throw new TypeError('makes the key longer than 65,000 bytes: Cassandra refuses it')
          key[name] = part
        }
      } catch (cause) {
        throw new TidemarkError('KEY_INVALID', `key column ${column.name} of view ${table.name} ${reason(cause)}`)
      }
      return key
    },

    row(value, key) {
      if (typeof value !== 'object' || value === null || value instanceof Promise || Array.isArray(value)) {
        throw new TidemarkError('ROW_INVALID', `a row of view ${table.name} must be an object, not ${notARow(value)}`)
      }
      // Taken once and whole: what is looked at below is what is kept, whatever the handler does with its object.
      const given: Record<string, unknown> = { ...value }
      let whole = true
      let column = columns[0]!
      try {
        for (column of columns) {
          const cell = given[column.name]
          const made = cell === undefined || cell === null ? absent(column) : canonical(column.type, cell)
          // Mostly they are canonical already; -0 is not 0 here.
          if (!Object.is(made, cell)) given[column.name] = made
          if (cell === undefined) whole = false
          if (column.role === 'value') continue
          unchanged(column, key[column.name], made)
          // The key's own text lives as long as the row: the event's can go.
          if (typeof made === 'string') given[column.name] = key[column.name]
        }
      } catch (cause) {
        const what = column.role === 'value' ? 'column' : 'key column'
        throw new TidemarkError('ROW_INVALID', `${what} ${column.name} of view ${table.name} ${reason(cause)}`)
      }
      for (const name in value)
        if (!names.has(name)) throw new TidemarkError('ROW_INVALID', `${name} is not a column of view ${table.name}`)
      return Object.freeze(whole ? given : inOrder(given))
    },

    lent(row) {
      if (withBytes.length === 0) return row
      const copy: Record<string, unknown> = { ...row }
      for (const { name, type } of withBytes) if (copy[name] != null) copy[name] = canonical(type, copy[name])
      return Object.freeze(copy)
    },

    bytes(row) {
      let bytes = 40
      for (const { name, type } of columns) {
        const cell = row[name]
        bytes += cell === null || cell === undefined ? 4 : 12 + valueBytes(type, cell)
      }
      return bytes
    },

    differences(a, b) {
      return columns
        .filter(({ name, type }) => {
          const [left, right] = [a[name] ?? null, b[name] ?? null]
          if (left === null || right === null) return left !== right
          return valueText(type, left) !== valueText(type, right)
        })
        .map(({ name }) => name)
    },
  }
}

function holdsBytes(type: ColumnType): boolean {
  if (type.kind === 'scalar') return type.name === 'blob'
  return holdsBytes(type.of) || (type.kind === 'map' && holdsBytes(type.key))
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : shown(cause)
}

function notARow(value: unknown): string {
  if (value === undefined) return 'undefined: return the row, or null to delete it'
  if (!(value instanceof Promise)) return shown(value)
  value.catch(() => {}) // Its failure would end the process, although the event is set aside already.
  return 'a Promise: handlers must be synchronous'
}
