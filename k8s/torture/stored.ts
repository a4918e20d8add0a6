import { setTimeout as sleep } from 'node:timers/promises'
import { Client, types } from 'cassandra-driver'
import { patchDriver } from '../../shared/cassandra/driver-patches.ts'
import type { Endpoint } from '../../shared/testing/fault-proxy.ts'
import type { Account, Folded } from './oracle.ts'

/** Half seconds. */
const PATIENCE = 120

/** A dead letter as its table has it. */
export interface StoredLetter {
  readonly source: string
  readonly scope: string
  readonly offset: number
  readonly state: string
  readonly code: string
}

/** What lies in Cassandra, read with plain CQL and without any of Tidemark's code. */
export class Stored {
  readonly #client: Client
  readonly #world: string

  constructor({ host, port }: Endpoint, world: string) {
    this.#world = world
    // The suite must survive what it does to Cassandra.
    patchDriver()
    this.#client = new Client({
      contactPoints: [`${host}:${port}`],
      localDataCenter: 'dc1',
      keyspace: 'tidemark',
      queryOptions: { consistency: types.consistencies.quorum, fetchSize: 2_000 },
      socketOptions: { readTimeout: 20_000 },
    })
  }

  async accounts(): Promise<Map<string, Folded<Account>>> {
    const rows = new Map<string, Folded<Account>>()
    for (const row of await this.#read(`SELECT * FROM accounts_${this.#world}_v1`)) {
      const value: Account = {
        cents: BigInt(String(row.cents ?? 0)),
        events: row.events,
        chain: row.chain,
        note: row.note,
      }
      rows.set(row.id, folded(row, value))
    }
    return rows
  }

  async shops(): Promise<Map<string, Folded<{ cents: bigint; events: number }>>> {
    const rows = new Map<string, Folded<{ cents: bigint; events: number }>>()
    for (const row of await this.#read(`SELECT * FROM shops_${this.#world}_v1`)) {
      const part = folded(row, { cents: BigInt(String(row.cents ?? 0)), events: Number(row.events) })
      rows.set(`${row.shop} ${part.source}`, part)
    }
    return rows
  }

  async letters(projection: string): Promise<readonly StoredLetter[]> {
    const letters: StoredLetter[] = []
    const query = 'SELECT projection, topic, partition, offset, scope, state, code FROM tm_dead_letters'
    for (const row of await this.#read(query)) {
      if (row.projection !== projection) continue
      const { scope, state, code } = row
      letters.push({ source: `${row.topic}/${row.partition}`, scope, offset: Number(row.offset), state, code })
    }
    return letters
  }

  /** By `<source> <scope>`: the offsets kept there. */
  async waiting(projection: string): Promise<ReadonlyMap<string, readonly number[]>> {
    const waiting = new Map<string, number[]>()
    for (const row of await this.#read('SELECT projection, topic, partition, scope, offset FROM tm_parked_events')) {
      if (row.projection !== projection) continue
      const name = `${row.topic}/${row.partition} ${row.scope}`
      waiting.set(name, [...(waiting.get(name) ?? []), Number(row.offset)])
    }
    return waiting
  }

  close(): Promise<void> {
    return this.#client.shutdown()
  }

  /** Waits out that Cassandra has just been mistreated. */
  async #read(query: string): Promise<readonly types.Row[]> {
    for (let tries = 1; ; tries++) {
      try {
        const rows: types.Row[] = []
        const result = await this.#client.execute(query, [], { prepare: true })
        for await (const row of result) rows.push(row)
        return rows
      } catch (error) {
        if (tries === PATIENCE) throw error
        await sleep(500)
      }
    }
  }
}

function folded<Value>(row: types.Row, value: Value): Folded<Value> {
  const deleted = row.tm_deleted_at !== null && String(row.tm_deleted_at) === String(row.tm_position)
  return { value: deleted ? null : value, position: Number(row.tm_position), source: row.tm_source }
}
