import { TidemarkError } from '../errors.ts'
import { type TableDefinition, tableState } from './schema.ts'
import type { Session } from './session.ts'

/** Milliseconds for which a table is trusted to be the one it was. */
const TRUSTED_MS = 10_000

/**
 * Sees to it that a view's table stays the one that is being filled. A table that is dropped and made again takes writes without
 * an error, since the driver prepares statements anew, and lacks everything before; a column that is dropped and added again
 * swallows all of ours. It is looked at every 10 seconds while it is used, and after every error that speaks of the schema.
 */
export class TableWatch {
  readonly #session: Session
  readonly #table: TableDefinition
  #id: string | undefined
  #lookedAt = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined

  constructor(session: Session, table: TableDefinition) {
    this.#session = session
    this.#table = table
  }

  /**
   * Does `work` with the table. Rejects with VIEW_LOST or TABLE_MISMATCH where it is beyond repair, with CASSANDRA_SCHEMA while it
   * can be put right.
   */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    if (performance.now() - this.#lookedAt > TRUSTED_MS) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined
      })
      await this.#looking
    }
    try {
      return await work()
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'CASSANDRA_SCHEMA') this.#lookedAt = Number.NEGATIVE_INFINITY
      throw error
    }
  }

  async #look(): Promise<void> {
    const name = this.#session.table(this.#table.name)
    const { id, faults, dropped } = await tableState(this.#session, this.#table)
    if (id === undefined) throw new TidemarkError('CASSANDRA_SCHEMA', `table ${name} does not exist`)
    this.#id ??= id
    if (this.#id !== id)
      throw new TidemarkError('VIEW_LOST', `table ${name} was dropped and made again while it was filled`)
    if (faults.length > 0)
      throw new TidemarkError('CASSANDRA_SCHEMA', `table ${name} is not the one declared: ${faults.join('; ')}`)
    if (dropped.length > 0) throw new TidemarkError('TABLE_MISMATCH', `table ${name}: ${dropped.join('; ')}`)
    this.#lookedAt = performance.now()
  }
}
