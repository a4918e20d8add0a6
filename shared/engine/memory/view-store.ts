import { TidemarkError } from '../../errors.ts'
import type { Projection } from '../../projection/projection.ts'
import { type AnyRow, rowShape } from '../../projection/row.ts'
import { compare } from '../../projection/values.ts'
import type { ReadRow, Refusal, RowWrite, StoredRow, ViewReader, ViewStore } from '../ports.ts'
import { slot, stamp } from '../stamp.ts'
import { CellTable } from './cell-table.ts'
import type { Effect, Faults } from './store-faults.ts'

/** One part of a row: the whole row, unless the projection has `merge`. */
type Part = StoredRow & { readonly key: AnyRow }

/** The view of one version in memory, with the books kept in the same `tm_` columns. */
export class MemoryView implements ViewStore, ViewReader {
  readonly #table = new CellTable()
  /** Where each part that was ever written belongs. */
  readonly #keys = new Map<string, { readonly id: string; readonly key: AnyRow; readonly source: string }>()
  readonly #refused = new Set<string>()
  readonly #projection: Projection
  readonly #shape: ReturnType<typeof rowShape>
  readonly #faults: Faults

  constructor(projection: Projection, faults: Faults) {
    this.#projection = projection
    this.#shape = rowShape(projection.view)
    this.#faults = faults
  }

  /** Refuses the row for good, as Cassandra would one too large. */
  refuse(id: string): void {
    this.#refused.add(id)
  }

  /** Lets the markers of deleted rows expire. */
  expireMarkers(): void {
    this.#table.expire()
  }

  /** The stored parts by row id, deleted ones included. */
  get rows(): ReadonlyMap<string, readonly StoredRow[]> {
    const rows = new Map<string, StoredRow[]>()
    for (const name of this.#table.names()) {
      const { id } = this.#keys.get(name)!
      const part = this.#part(name)
      if (part) rows.set(id, [...(rows.get(id) ?? []), { row: part.row, position: part.position, source: part.source }])
    }
    return rows
  }

  /** WRITETIME of a column (its name in TypeScript, or `tm_position`, `tm_source`, `tm_deleted_at`); `source` names the part where the view has `merge`. */
  writeTime(id: string, column: string, source = ''): number | undefined {
    return this.#table.writeTime(this.#name(id, source), column)
  }

  /** Whether a column of a part was written with a TTL. */
  expires(id: string, column: string, source = ''): boolean {
    return this.#table.expires(this.#name(id, source), column)
  }

  read(
    keys: readonly { readonly id: string; readonly key: AnyRow }[],
    source: string,
  ): Promise<ReadonlyMap<string, StoredRow>> {
    return this.#faults.run('view.read', [], () => {
      const found = new Map<string, StoredRow>()
      for (const { id } of keys) {
        const part = this.#part(this.#name(id, source))
        if (part) found.set(id, { row: part.row, position: part.position, source: part.source })
      }
      return found
    })
  }

  write(writes: readonly RowWrite[]): Promise<readonly Refusal[]> {
    const effects: Effect[] = writes
      .filter(({ id }) => !this.#refused.has(id))
      .map((write) => ({
        apply: () => this.#write(write),
        entry: { operation: 'view.write', source: write.source, offset: write.position, id: write.id },
      }))
    return this.#faults.run('view.write', effects, () =>
      writes
        .filter(({ id }) => this.#refused.has(id))
        .map(({ id }) => ({
          id,
          cause: new TidemarkError(
            'WRITE_REFUSED',
            `row ${id} of view ${this.#projection.view.name} is refused because a test wants it so`,
          ),
        })),
    )
  }

  get(key: AnyRow): Promise<ReadRow | undefined> {
    const id = this.#shape.id(key)
    return this.#faults.run('view.get', [], () => this.#readRows().find((row) => this.#shape.id(row.key) === id))
  }

  list(
    partitionKey: AnyRow,
    limit: number,
    page?: string,
  ): Promise<{ readonly rows: readonly ReadRow[]; readonly page: string | undefined }> {
    const partition = this.#shape.keyColumns.filter(({ role }) => role === 'partition')
    return this.#faults.run('view.list', [], () => {
      const rows = this.#readRows().filter(({ key }) =>
        partition.every(({ name, type }) => compare(type, key[name], partitionKey[name]) === 0),
      )
      const from = page === undefined ? 0 : Number(page)
      return {
        rows: rows.slice(from, from + limit),
        page: from + limit < rows.length ? String(from + limit) : undefined,
      }
    })
  }

  async *scan(signal?: AbortSignal): AsyncIterable<readonly Part[]> {
    const parts = await this.#faults.run('view.scan', [], () =>
      [...this.#table.names()].flatMap((name) => this.#part(name) ?? []),
    )
    for (let from = 0; from < parts.length; from += 100) {
      signal?.throwIfAborted()
      yield parts.slice(from, from + 100)
    }
  }

  #write({ id, key, row, cleared, position, source }: RowWrite): void {
    const name = this.#name(id, source)
    this.#keys.set(name, { id, key, source })
    const books = { tm_position: position, tm_source: source }
    if (row === null) {
      this.#table.delete(name, stamp(position, slot.delete))
      this.#table.insert(name, { ...books, tm_deleted_at: position }, stamp(position, slot.write), true)
      return
    }
    const cells: Record<string, unknown> = { ...books }
    for (const { name: column, role } of this.#shape.columns) {
      if (role === 'value') cells[column] = row[column] ?? (cleared.includes(column) ? null : undefined)
    }
    this.#table.insert(name, cells, stamp(position, slot.write))
  }

  #part(name: string): Part | undefined {
    const cells = this.#table.read(name)
    const position = cells?.tm_position
    if (cells === undefined || typeof position !== 'number') return undefined
    const { key } = this.#keys.get(name)!
    const row =
      cells.tm_deleted_at === position
        ? null
        : Object.fromEntries(
            this.#shape.columns.map(({ name: column, role }) => [
              column,
              role === 'value' ? (cells[column] ?? null) : key[column],
            ]),
          )
    return { key, row, position, source: String(cells.tm_source) }
  }

  /** Of a view with `merge` each source has a row of its own. */
  #name(id: string, source: string): string {
    return this.#projection.merge ? `${source} ${id}` : id
  }

  /** All rows with their parts by source, in the order of the whole key. */
  #readRows(): ReadRow[] {
    const rows = new Map<string, { key: AnyRow; parts: StoredRow[] }>()
    for (const name of this.#table.names()) {
      const part = this.#part(name)
      if (!part) continue
      const { id, key } = this.#keys.get(name)!
      const row = rows.get(id) ?? { key, parts: [] }
      row.parts.push({ row: part.row, position: part.position, source: part.source })
      rows.set(id, row)
    }
    for (const { parts } of rows.values()) parts.sort((a, b) => (a.source < b.source ? -1 : 1))
    return [...rows.values()].sort((a, b) => this.#order(a.key, b.key))
  }

  #order(a: AnyRow, b: AnyRow): number {
    for (const { name, type } of this.#shape.keyColumns) {
      const order = compare(type, a[name], b[name])
      if (order !== 0) return this.#projection.view.clusteringKey[name] === 'desc' ? -order : order
    }
    return 0
  }
}
