import { TidemarkError } from '../errors.ts'
import { type Column, columnsOf, type Table } from './table.ts'
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
   * The row in canonical form: exactly the table's columns, absent ones null; frozen, so that a handler that fails half-way
   * can't have changed it. Throws ROW_INVALID; `key` must not have changed.
   */
  row(value: unknown, key: AnyRow): AnyRow
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

  function copied(given: AnyRow): AnyRow {
    const row: Record<string, unknown> = {}
    for (const { name, type } of columns) row[name] = given[name] == null ? null : canonical(type, given[name])
    return row
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
      const given: AnyRow = { ...value }
      // Mostly the columns are exactly these and their values canonical already: then this is the row.
      let fit = true
      let column = columns[0]!
      try {
        for (column of columns) {
          const cell = given[column.name]
          const made = cell === undefined || cell === null ? absent(column) : canonical(column.type, cell)
          if (made !== cell) fit = false
          if (column.role !== 'value') unchanged(column, key[column.name], made)
        }
      } catch (cause) {
        const what = column.role === 'value' ? 'column' : 'key column'
        throw new TidemarkError('ROW_INVALID', `${what} ${column.name} of view ${table.name} ${reason(cause)}`)
      }
      for (const name in value)
        if (!names.has(name)) throw new TidemarkError('ROW_INVALID', `${name} is not a column of view ${table.name}`)
      return Object.freeze(fit ? given : copied(given))
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

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : shown(cause)
}

function notARow(value: unknown): string {
  if (value === undefined) return 'undefined: return the row, or null to delete it'
  if (!(value instanceof Promise)) return shown(value)
  value.catch(() => {}) // Its failure would end the process, although the event is set aside already.
  return 'a Promise: handlers must be synchronous'
}
