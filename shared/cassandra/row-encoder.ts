import type { RowWrite } from '../engine/ports.ts'
import { slot, stamp } from '../engine/stamp.ts'
import type { Projection } from '../projection/projection.ts'
import { type AnyRow, rowShape } from '../projection/row.ts'
import { columnsOf } from '../projection/table.ts'
import { framed, valueText } from '../projection/values.ts'
import { binder, encoder, encodeWhole } from './cells.ts'
import { type Bound, type Statement, unset } from './session.ts'
import type { Mutation } from './writer.ts'

/** The bookkeeping columns. */
const BOOKS_BYTES = 80

/** Turns row writes into statements; compiled once per view. */
export interface RowEncoder {
  /** Has each row a partition of its own? */
  readonly rowPerPartition: boolean
  /** Finds one stored row: `cart_id = ? AND …`. */
  readonly whereRow: string
  /** What `whereRow` is bound to. */
  rowParams(key: AnyRow, source: string): Bound[]
  mutation(write: RowWrite): Mutation & { readonly id: string }
}

/**
 * - A row is one INSERT of all columns at the position's write slot, so it can't be torn: a column that is null is bound as
 *   null if it was `cleared`, else left unset, which costs no tombstone.
 * - A deletion is a DELETE at the delete slot and, at the write slot, the INSERT of a marker that expires. Both are in one
 *   batch of one partition, which each replica applies as one. An older write loses to the DELETE, a later one wins over
 *   the marker; `tm_deleted_at` is never set to null, it is outdated by a higher `tm_position`.
 */
export function rowEncoder(
  projection: Pick<Projection, 'view' | 'merge'>,
  table: string,
  markerSeconds: number,
): RowEncoder {
  const columns = columnsOf(projection.view)
  const keyColumns = columns.filter(({ role }) => role !== 'value')
  const partition = columns.filter(({ role }) => role === 'partition')
  const binders = columns.map(({ type }) => binder(type))
  const partitionEncoders = partition.map(({ name, type }) => ({ name, encode: encoder(type) }))
  const names = columns.map(({ name }) => name)
  const shape = rowShape(projection.view)
  const partIsClustered = projection.merge !== undefined
  const rowPerPartition = keyColumns.length === partition.length

  const insert = statement([...columns.map(({ cql }) => cql), 'tm_position', 'tm_source'], 'USING TIMESTAMP ?')
  const marker = statement(
    [...keyColumns.map(({ cql }) => cql), 'tm_position', 'tm_source', 'tm_deleted_at'],
    `USING TIMESTAMP ? AND TTL ${markerSeconds}`,
  )
  const whereRow = [...keyColumns.map(({ cql }) => cql), ...(partIsClustered ? ['tm_source'] : [])]
    .map((name) => `${name} = ?`)
    .join(' AND ')
  const remove = `DELETE FROM ${table} USING TIMESTAMP ? WHERE ${whereRow}`

  function keyParams(key: AnyRow): Bound[] {
    return keyColumns.map(({ name }, index) => binders[index]!(key[name]))
  }

  function rowParams(key: AnyRow, source: string): Bound[] {
    return partIsClustered ? [...keyParams(key), source] : keyParams(key)
  }

  function rowStatements({ cleared, position, source }: RowWrite, values: AnyRow): readonly Statement[] {
    const params = new Array<Bound>(columns.length + 3)
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!
      const value = values[name]
      if (value === null || value === undefined) {
        params[index] = cleared.length > 0 && cleared.includes(name) ? null : unset
        continue
      }
      params[index] = binders[index]!(value)
    }
    params[columns.length] = encodeWhole(position)
    params[columns.length + 1] = source
    params[columns.length + 2] = encodeWhole(stamp(position, slot.write))
    return [{ query: insert, params }]
  }

  function deletion({ key, position, source }: RowWrite): readonly Statement[] {
    const at = encodeWhole(position)
    return [
      { query: remove, params: [encodeWhole(stamp(position, slot.delete)), ...rowParams(key, source)] },
      { query: marker, params: [...keyParams(key), at, source, at, encodeWhole(stamp(position, slot.write))] },
    ]
  }

  function routingKey(key: AnyRow): Buffer {
    const parts = partitionEncoders.map(({ name, encode }) => encode(key[name]))
    if (parts.length === 1) return parts[0]!
    return Buffer.concat(
      parts.flatMap((part) => [Buffer.from([part.length >> 8, part.length & 0xff]), part, Buffer.from([0])]),
    )
  }

  /** A flush has one for each of its rows until it is durable, so it keeps no more than it must. */
  class RowMutation implements Mutation {
    readonly #write: RowWrite
    readonly bytes: number

    constructor(write: RowWrite) {
      this.#write = write
      this.bytes = BOOKS_BYTES + (write.row === null ? 2 * shape.bytes(write.key) : shape.bytes(write.row))
    }

    get id(): string {
      return this.#write.id
    }

    /** The id is the whole key as text: of a table without clustering key it names the partition already. */
    get partition(): string {
      const { id, key } = this.#write
      return rowPerPartition ? id : framed(partition.map(({ name, type }) => valueText(type, key[name])))
    }

    get count(): number {
      return this.#write.row === null ? 2 : 1
    }

    routingKey(): Buffer {
      return routingKey(this.#write.key)
    }

    statements(): readonly Statement[] {
      const { row } = this.#write
      return row === null ? deletion(this.#write) : rowStatements(this.#write, row)
    }
  }

  return { rowPerPartition, whereRow, rowParams, mutation: (write) => new RowMutation(write) }

  function statement(into: readonly string[], using: string): string {
    return `INSERT INTO ${table} (${into.join(', ')}) VALUES (${into.map(() => '?').join(', ')}) ${using}`
  }
}
