import type { AnyRow, RowShape } from '../../shared/projection/row.ts'
import type { ColumnType } from '../../shared/projection/types.ts'

/**
 * A row as JSON. What JSON numbers would damage is text: `bigint` (above 2^53), `decimal`; timestamps are RFC 3339, blobs base64, a set
 * is an array and a map an object, both in Cassandra's order; NaN and the infinities are text too.
 */
export function rowJson({ columns }: Pick<RowShape, 'columns'>, row: AnyRow): Record<string, unknown> {
  return Object.fromEntries(columns.map(({ name, type }) => [name, valueJson(type, row[name])]))
}

function valueJson(type: ColumnType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return value.map((element) => valueJson(elementOf(type), element))
  if (value instanceof Set) return [...value].map((element) => valueJson(elementOf(type), element))
  if (value instanceof Map && type.kind === 'map')
    return Object.fromEntries([...value].map(([key, of]) => [String(valueJson(type.key, key)), valueJson(type.of, of)]))
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return String(value)
  return value
}

function elementOf(type: ColumnType): ColumnType {
  return type.kind === 'list' || type.kind === 'set' ? type.of : type
}
