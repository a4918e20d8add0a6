import type { TableIds } from '../engine/ports.ts'
import { isKind, TidemarkError } from '../errors.ts'
import type { Version } from './bookkeeping.ts'
import { missingTable, type TableDefinition, type TableState, tableState } from './schema.ts'
import type { Session } from './session.ts'
import { CassandraVersions } from './version-store.ts'

/** Milliseconds for which tables are trusted to be what they were. */
const TRUSTED_MS = 10_000
/** Milliseconds after which they are looked at again while work goes on: nobody then waits for that. */
const AHEAD_MS = 8_000

/** What a watch has to know. Both reject with a `transient` error while Cassandra can't be asked. */
export interface Watched {
  /** The tables that the version was recorded with; undefined while it is not recorded. */
  recorded(): Promise<TableIds | undefined>
  /** What became of the tables. */
  states(): Promise<readonly TableState[]>
  /** The error that says that a table is not there. */
  missing(name: string): TidemarkError
}

/**
 * Sees to it that tables stay those that are being filled. A table that is dropped and made again takes writes without an error,
 * since the driver prepares statements anew, and lacks everything before; a column that is dropped and added again swallows all of
 * ours. They are looked at every 10 seconds while they are used, and after every error that speaks of the schema, and compared
 * with what was recorded when the version began: so a process that was not there when it happened is told as well.
 */
export class TableWatch {
  readonly #watched: Watched
  #recorded: TableIds | undefined
  #lookedAt = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined

  constructor(watched: Watched) {
    this.#watched = watched
  }

  /**
   * Does `work` with the tables, if `trust` says they are the ones. When it hears about the schema meanwhile, they are looked at at
   * once, since what Cassandra says of a missing column does not tell whether it can come back.
   */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    await this.trust()
    try {
      return await work()
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'CASSANDRA_SCHEMA') {
        this.#lookedAt = Number.NEGATIVE_INFINITY
        await this.trust()
      }
      throw error
    }
  }

  /**
   * Resolves if they were what they should be less than 10 seconds ago. Rejects with VIEW_LOST or TABLE_MISMATCH where they are
   * beyond repair, with CASSANDRA_SCHEMA while they can be put right, and with what keeps Cassandra from answering.
   */
  async trust(): Promise<void> {
    const age = performance.now() - this.#lookedAt
    if (age <= AHEAD_MS) return
    const looked = this.#lookedOnce()
    if (age > TRUSTED_MS) return looked
    // What is beyond repair is told to the next who asks, without the rest of the trust; the world being away may pass by then.
    looked.catch((error) => {
      if (!isKind(error, 'transient')) this.#lookedAt = Number.NEGATIVE_INFINITY
    })
  }

  #lookedOnce(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<void> {
    this.#recorded ??= await this.#watched.recorded()
    for (const { name, table, id, faults, dropped } of await this.#watched.states()) {
      if (id === undefined) throw this.#watched.missing(name)
      if ((this.#recorded?.[name] ?? id) !== id)
        throw new TidemarkError('VIEW_LOST', `table ${table} was dropped and made again after it was filled`)
      // Before what is only missing: a column that was dropped is missing too, and adding it back mends nothing.
      if (dropped.length > 0) throw new TidemarkError('TABLE_MISMATCH', `table ${table}: ${dropped.join('; ')}`)
      if (faults.length > 0)
        throw new TidemarkError('CASSANDRA_SCHEMA', `table ${table} is not the one declared: ${faults.join('; ')}`)
    }
    this.#lookedAt = performance.now()
  }
}

/** Watches tables of a version. */
export function tableWatch(session: Session, version: Version, tables: readonly TableDefinition[]): TableWatch {
  const versions = new CassandraVersions(session)
  return new TableWatch({
    recorded: async () => (await versions.load(version))?.tables,
    states: () => Promise.all(tables.map((table) => tableState(session, table))),
    missing: (name) => missingTable(session, name),
  })
}
