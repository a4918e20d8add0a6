import type { types } from 'cassandra-driver'
import type { StoredRow } from '../engine/ports.ts'
import { type Projection, tableName } from '../projection/projection.ts'
import type { AnyRow } from '../projection/row.ts'
import { type Column, columnsOf } from '../projection/table.ts'
import { cqlType } from '../projection/types.ts'
import { type Decode, decoder } from './cells.ts'
import type { TableDefinition } from './schema.ts'

/**
 * A view's table: the declared columns and three that keep the books. `tm_position` is the offset last folded, `tm_source`
 * where it came from (of a view with `merge` the last clustering column: each source has a part of its own), and
 * `tm_deleted_at` the position at which the row was deleted: it is deleted while both are equal. So a deletion needs no
 * null to be undone.
 */
export function viewTable(projection: Pick<Projection, 'view' | 'version' | 'merge'>): TableDefinition {
  const { view } = projection
  const columns = columnsOf(view)
  const declared = (role: Column['role']) =>
    columns.filter((column) => column.role === role).map(({ cql, type }) => ({ name: cql, type: cqlType(type) }))
  const source = { name: 'tm_source', type: 'text' }
  const orders = columns
    .filter(({ role }) => role === 'clustering')
    .map(({ name }) => view.clusteringKey[name] ?? 'asc')
  return {
    name: tableName(projection),
    partitionKey: declared('partition'),
    clusteringKey: [
      ...declared('clustering').map((column, index) => ({ ...column, order: orders[index]! })),
      ...(projection.merge ? [{ ...source, order: 'asc' as const }] : []),
    ],
    values: [
      ...declared('value'),
      { name: 'tm_position', type: 'bigint' },
      ...(projection.merge ? [] : [source]),
      { name: 'tm_deleted_at', type: 'bigint' },
    ],
  }
}

/** One stored part with its key. */
export type Part = StoredRow & { readonly key: AnyRow }

/** Reads the view's rows as Cassandra returns them for `columns`. */
export interface PartReader {
  /** The select list: all columns, in order. */
  readonly columns: string
  /** Undefined for what is no row of a projection (nothing but expired cells are left). */
  read(row: types.Row): Part | undefined
}

export function partReader(projection: Pick<Projection, 'view'>): PartReader {
  const columns = columnsOf(projection.view)
  const names = columns.map(({ name }) => name)
  const decoders: readonly Decode[] = columns.map(({ type }) => decoder(type))
  const keys = columns.filter(({ role }) => role !== 'value').length
  const cell = (row: types.Row, index: number): unknown => {
    const value: unknown = row.get(index)
    return value === null || value === undefined ? null : decoders[index]!(value)
  }

  return {
    columns: [...columns.map(({ cql }) => cql), 'tm_position', 'tm_source', 'tm_deleted_at'].join(', '),
    read(row) {
      const position: unknown = row.get(columns.length)
      if (typeof position !== 'bigint') return undefined
      const key: Record<string, unknown> = {}
      for (let index = 0; index < keys; index++) key[names[index]!] = cell(row, index)
      const part = { key, position: Number(position), source: String(row.get(columns.length + 1)) }
      if (row.get(columns.length + 2) === position) return { ...part, row: null }
      const values: Record<string, unknown> = { ...key }
      for (let index = keys; index < columns.length; index++) values[names[index]!] = cell(row, index)
      return { ...part, row: Object.freeze(values) }
    },
  }
}
