import type { ReadRow, StoredRow, ViewReader } from '../engine/ports.ts'
import { TidemarkError } from '../errors.ts'
import { type Projection, tableName } from '../projection/projection.ts'
import { type AnyRow, type RowShape, rowShape } from '../projection/row.ts'
import { columnsOf } from '../projection/table.ts'
import { type Encode, encoder } from './cells.ts'
import { type Bound, pages, type Session } from './session.ts'
import { type Part, type PartReader, partReader } from './view-table.ts'

/** The ring in equal slices, so that a scan of a large table is many small requests and not one long one. */
const SLICES = 32n
const RING_START = -(1n << 63n)
const RING = 1n << 64n
/** Rows per page of a scan: one page is in memory at a time. */
const SCAN_ROWS = 500

interface Listed {
  readonly key: AnyRow
  readonly id: string
  readonly parts: StoredRow[]
}

/** Reads a version's view for queries and proofs. */
export class CassandraViewReader implements ViewReader {
  readonly #session: Session
  readonly #shape: RowShape
  readonly #reader: PartReader
  readonly #merged: boolean
  readonly #partition: readonly { readonly name: string; readonly encode: Encode }[]
  readonly #keys: readonly { readonly name: string; readonly encode: Encode }[]
  readonly #get: string
  readonly #list: string
  readonly #scan: string
  readonly #about: string

  constructor(session: Session, projection: Projection) {
    const columns = columnsOf(projection.view)
    const table = session.table(tableName(projection))
    const partition = columns.filter(({ role }) => role === 'partition')
    const keys = columns.filter(({ role }) => role !== 'value')
    this.#session = session.of(projection)
    this.#shape = rowShape(projection.view)
    this.#reader = partReader(projection)
    this.#merged = projection.merge !== undefined
    this.#partition = partition.map(({ name, type }) => ({ name, encode: encoder(type) }))
    this.#keys = keys.map(({ name, type }) => ({ name, encode: encoder(type) }))
    const select = `SELECT ${this.#reader.columns} FROM ${table} WHERE`
    const token = `token(${partition.map(({ cql }) => cql).join(', ')})`
    this.#get = `${select} ${keys.map(({ cql }) => `${cql} = ?`).join(' AND ')}`
    this.#list = `${select} ${partition.map(({ cql }) => `${cql} = ?`).join(' AND ')}`
    this.#scan = `${select} ${token} >= ? AND ${token} <= ?`
    this.#about = `reading ${table}`
  }

  async get(key: AnyRow): Promise<ReadRow | undefined> {
    const parts: StoredRow[] = []
    for await (const rows of pages(this.#session, this.#get, bind(this.#keys, key), this.#about, SCAN_ROWS)) {
      for (const row of rows) {
        const part = this.#reader.read(row)
        if (part) parts.push(stored(part))
      }
    }
    return parts.length === 0
      ? undefined
      : { key: Object.fromEntries(this.#keys.map(({ name }) => [name, key[name]])), parts }
  }

  /**
   * Never reads past the last row it returns. Of a view with `merge` the parts of that row may go on behind the page, so
   * they are looked for one by one, and the page token is the one from before the first part of the next row.
   */
  async list(
    partitionKey: AnyRow,
    limit: number,
    page?: string,
  ): Promise<{ readonly rows: readonly ReadRow[]; readonly page: string | undefined }> {
    const params = bind(this.#partition, partitionKey)
    const rows: Listed[] = []
    let at = page
    for (;;) {
      const wanted = limit - rows.length
      if (wanted <= 0 && !this.#merged) break
      const read = await this.#page(params, Math.max(wanted, 1), at)
      if (wanted <= 0 && read.parts.some((part) => this.#shape.id(part.key) !== rows.at(-1)?.id)) break
      for (const part of read.parts) {
        const id = this.#shape.id(part.key)
        const last = rows.at(-1)
        if (last?.id === id) last.parts.push(stored(part))
        else rows.push({ key: part.key, id, parts: [stored(part)] })
      }
      at = read.next
      if (at === undefined) break
    }
    return { rows: rows.map(({ key, parts }) => ({ key, parts })), page: at }
  }

  async *scan(signal?: AbortSignal): AsyncIterable<readonly Part[]> {
    for (let slice = 0n; slice < SLICES; slice++) {
      const bounds = [RING_START + (RING * slice) / SLICES, RING_START + (RING * (slice + 1n)) / SLICES - 1n].map(token)
      for await (const rows of pages(this.#session, this.#scan, bounds, this.#about, SCAN_ROWS, signal)) {
        yield rows.flatMap((row) => this.#reader.read(row) ?? [])
      }
    }
  }

  async #page(
    params: readonly Bound[],
    fetchSize: number,
    page: string | undefined,
  ): Promise<{ readonly parts: readonly Part[]; readonly next: string | undefined }> {
    if (page !== undefined && !/^([0-9a-f]{2}){1,4096}$/.test(page)) throw badPage(page)
    try {
      const result = await this.#session.read(this.#list, params, this.#about, { fetchSize, pageState: page })
      return { parts: result.rows.flatMap((row) => this.#reader.read(row) ?? []), next: result.pageState ?? undefined }
    } catch (error) {
      if (page !== undefined && error instanceof TidemarkError && /paging state/i.test(String(error.cause)))
        throw badPage(page, error)
      throw error
    }
  }
}

function bind(columns: readonly { readonly name: string; readonly encode: Encode }[], key: AnyRow): Bound[] {
  return columns.map(({ name, encode }) => encode(key[name]))
}

function token(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

function stored({ row, position, source }: Part): StoredRow {
  return { row, position, source }
}

function badPage(page: string, cause?: unknown): TidemarkError {
  return new TidemarkError('USAGE', `page ${JSON.stringify(page.slice(0, 80))} is not one that an earlier page gave`, {
    cause,
    remedy: 'Pass `page` as it was returned, or leave it out to begin again.',
  })
}
