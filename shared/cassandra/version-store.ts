import type { types } from 'cassandra-driver'
import type { Served, TableIds, VersionRecord, VersionStore } from '../engine/ports.ts'
import { slot, stamp } from '../engine/stamp.ts'
import { recordStamp } from '../engine/versions.ts'
import { type Projection, tableName } from '../projection/projection.ts'
import { bookkeeping, setAsideTables, type Version, versionParams, WHERE_VERSION } from './bookkeeping.ts'
import { encodeText, encodeWhole } from './cells.ts'
import { missingTable, tableIds } from './schema.ts'
import { one, pages, type Session } from './session.ts'

/**
 * The versions known in a keyspace. A record is one cell at one stamp: saving it again changes nothing, and where two
 * processes create one version differently at the same time, one of the two records wins as a whole, and the other process
 * refuses to run when it compares. One that names the ids of its tables has a higher stamp than one that does not.
 *
 * So is what readers see, at the stamp of its turn. Two people who switch at once take the same turn: one of the two records
 * wins as a whole, and both find out which when they read it back.
 */
export class CassandraVersions implements VersionStore {
  readonly #session: Session
  readonly #table: string
  readonly #readers: string

  constructor(session: Session) {
    this.#session = session
    this.#table = session.table(bookkeeping.versions.name)
    this.#readers = session.table(bookkeeping.served.name)
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

  async tables(projection: Pick<Projection, 'view' | 'version'>): Promise<TableIds> {
    const ids = await tableIds(this.#session)
    return Object.fromEntries(
      [tableName(projection), ...setAsideTables.map(({ name }) => name)].map((name) => {
        const id = ids.get(name)
        if (id === undefined) throw missingTable(this.#session, name)
        return [name, id]
      }),
    )
  }

  /** Readers first: a worker that dies in between finds no version when it starts again, and does both. */
  async save(record: VersionRecord): Promise<void> {
    const { projection, version, definition, partitions, table, tables } = record
    await this.serve((await this.served(projection)) ?? { projection, version, previous: null, undone: null, turn: 0 })
    const query = `INSERT INTO ${this.#table} (projection, version, record) VALUES (?, ?, ?) USING TIMESTAMP ?`
    const params = [
      ...versionParams({ name: projection, version }),
      encodeText(
        JSON.stringify({ definition, partitions: inOrder(partitions), table, tables: tables && inOrder(tables) }),
      ),
      encodeWhole(recordStamp(record)),
    ]
    await this.#session.write([{ query, params }], `writing to ${this.#table}`)
  }

  /** In a keyspace whose versions are older than the record of what readers see, the lowest version is it. */
  async served(projection: string): Promise<Served | undefined> {
    const query = `SELECT record FROM ${this.#readers} WHERE projection = ?`
    const row = await one(this.#session, query, [encodeText(projection)], `reading ${this.#readers}`)
    if (row) return { projection, ...stateOf(row) }
    const lowest = await one(
      this.#session,
      `SELECT version FROM ${this.#table} WHERE projection = ? LIMIT 1`,
      [encodeText(projection)],
      `reading ${this.#table}`,
    )
    return lowest && { projection, version: lowest.version, previous: null, undone: null, turn: 0 }
  }

  async serve({ projection, version, previous, undone, turn }: Served): Promise<void> {
    const query = `INSERT INTO ${this.#readers} (projection, record) VALUES (?, ?) USING TIMESTAMP ?`
    const params = [
      encodeText(projection),
      encodeText(JSON.stringify({ version, previous, undone, turn })),
      encodeWhole(stamp(turn, slot.write)),
    ]
    await this.#session.write([{ query, params }], `writing to ${this.#readers}`)
  }
}

function stateOf(row: types.Row): Omit<Served, 'projection'> {
  return JSON.parse(row.record)
}

/** In one order, so that the same record is the same bytes. */
function inOrder<T>(named: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function record(row: types.Row): VersionRecord {
  const { definition, partitions, table, tables }: Omit<VersionRecord, 'projection' | 'version'> = JSON.parse(
    row.record,
  )
  const { projection, version } = row
  return { projection, version, definition, partitions, table, ...(tables && { tables }) }
}
