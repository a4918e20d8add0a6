import type { types } from 'cassandra-driver'
import type { VersionRecord, VersionStore } from '../engine/ports.ts'
import { slot, stamp } from '../engine/stamp.ts'
import { bookkeeping, type Version, versionParams, WHERE_VERSION } from './bookkeeping.ts'
import { encodeText, encodeWhole } from './cells.ts'
import { one, pages, type Session } from './session.ts'

/**
 * The versions known in a keyspace. A record is one cell at one stamp: saving it again changes nothing, and where two
 * processes create one version differently at the same time, one of the two records wins as a whole, and the other process
 * refuses to run when it compares.
 */
export class CassandraVersions implements VersionStore {
  readonly #session: Session
  readonly #table: string

  constructor(session: Session) {
    this.#session = session
    this.#table = session.table(bookkeeping.versions.name)
  }

  async load(version: Version): Promise<VersionRecord | undefined> {
    const query = `SELECT projection, version, record FROM ${this.#table} WHERE ${WHERE_VERSION}`
    const row = await one(this.#session, query, versionParams(version), `reading ${this.#table}`)
    return row && record(row)
  }

  async list(): Promise<readonly VersionRecord[]> {
    const query = `SELECT projection, version, record FROM ${this.#table}`
    const all: VersionRecord[] = []
    for await (const rows of pages(this.#session, query, [], `reading ${this.#table}`, 1000))
      all.push(...rows.map(record))
    return all.sort((a, b) =>
      a.projection === b.projection ? a.version - b.version : a.projection < b.projection ? -1 : 1,
    )
  }

  async save({ projection, version, definition, partitions, table }: VersionRecord): Promise<void> {
    const query = `INSERT INTO ${this.#table} (projection, version, record) VALUES (?, ?, ?) USING TIMESTAMP ?`
    // The topics in one order, so that the same record is the same bytes.
    const sorted = Object.fromEntries(Object.entries(partitions).sort(([a], [b]) => (a < b ? -1 : 1)))
    const params = [
      ...versionParams({ name: projection, version }),
      encodeText(JSON.stringify({ definition, partitions: sorted, table })),
      encodeWhole(stamp(0, slot.write)),
    ]
    await this.#session.write([{ query, params }], `writing to ${this.#table}`)
  }
}

function record(row: types.Row): VersionRecord {
  const { definition, partitions, table }: Pick<VersionRecord, 'definition' | 'partitions' | 'table'> = JSON.parse(
    row.record,
  )
  return { projection: row.projection, version: row.version, definition, partitions, table }
}
