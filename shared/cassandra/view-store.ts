import type { Refusal, RowWrite, StoredRow, ViewStore } from '../engine/ports.ts'
import { TidemarkError } from '../errors.ts'
import { type Projection, tableName } from '../projection/projection.ts'
import type { AnyRow } from '../projection/row.ts'
import { type RowEncoder, rowEncoder } from './row-encoder.ts'
import { one, type Session } from './session.ts'
import { type TableWatch, tableWatch } from './table-watch.ts'
import { type PartReader, partReader, viewTable } from './view-table.ts'
import { type Mutation, Writer, type WriterOptions } from './writer.ts'

export interface ViewOptions extends Pick<WriterOptions, 'partitionsPerBatch'> {
  /** Seconds for which a deleted row's marker holds its place. Default 7 days: longer than any redelivery. */
  readonly markerSeconds?: number
  /** Rows above are refused with ROW_TOO_LARGE before anything is sent. Default 1 MiB, never above 15 MiB. */
  readonly maxRowBytes?: number
}

/** Cassandra leaves requests far above its 16 MiB a frame without an answer, so that they look like a node that is down. */
const FRAME_BYTES = 15 * 1024 * 1024

interface RowMutation extends Mutation {
  readonly id: string
}

/** A version's view in Cassandra. */
export class CassandraView implements ViewStore {
  readonly #session: Session
  readonly #encoder: RowEncoder
  readonly #reader: PartReader
  readonly #writer: Writer
  readonly #watch: TableWatch
  readonly #select: string
  readonly #maxRowBytes: number
  readonly #reading: string
  readonly #writing: string

  constructor(connected: Session, projection: Projection, options: ViewOptions = {}) {
    const { markerSeconds = 7 * 86_400, maxRowBytes = 1024 * 1024 } = options
    const session = connected.of(projection)
    const table = session.table(tableName(projection))
    this.#session = session
    this.#encoder = rowEncoder(projection, table, markerSeconds)
    this.#reader = partReader(projection)
    this.#writer = new Writer(session, { ...options, rowPerPartition: this.#encoder.rowPerPartition })
    this.#watch = tableWatch(session, projection, [viewTable(projection)])
    this.#select = `SELECT ${this.#reader.columns} FROM ${table} WHERE ${this.#encoder.whereRow}`
    this.#maxRowBytes = Math.min(maxRowBytes, FRAME_BYTES)
    this.#reading = `reading a row of ${table}`
    this.#writing = `writing to ${table}`
  }

  async read(
    keys: readonly { readonly id: string; readonly key: AnyRow }[],
    source: string,
  ): Promise<ReadonlyMap<string, StoredRow>> {
    const found = new Map<string, StoredRow>()
    await this.#watch.guard(() =>
      Promise.all(
        keys.map(async ({ id, key }) => {
          const row = await one(this.#session, this.#select, this.#encoder.rowParams(key, source), this.#reading)
          const part = row && this.#reader.read(row)
          if (part) found.set(id, { row: part.row, position: part.position, source: part.source })
        }),
      ),
    )
    return found
  }

  async write(writes: readonly RowWrite[]): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = []
    const mutations: RowMutation[] = []
    for (const write of writes) {
      const mutation = this.#encoder.mutation(write)
      if (mutation.bytes > this.#maxRowBytes)
        refusals.push({ id: write.id, cause: this.#tooLarge(write, mutation.bytes) })
      else mutations.push(mutation)
    }
    const refused = await this.#watch.guard(() => this.#writer.write(mutations, this.#writing))
    for (const { mutation, cause } of refused) refusals.push({ id: mutation.id, cause })
    return refusals
  }

  #tooLarge({ id, source, position }: RowWrite, bytes: number): TidemarkError {
    return new TidemarkError(
      'ROW_TOO_LARGE',
      `${this.#writing}: row ${id.slice(0, 200)} has ${bytes} bytes at ${source}/${position}, above the limit of ${this.#maxRowBytes}`,
    )
  }
}
