import { setTimeout as sleep } from 'node:timers/promises'
import { Client, types } from 'cassandra-driver'
import { patchDriver } from '../../shared/cassandra/driver-patches.ts'
import type { Endpoint } from '../../shared/testing/fault-proxy.ts'
import { contentOf, headersIn } from './content.ts'
import type { Folded, Letter } from './fold.ts'
import type { Account, Shop } from './oracle.ts'

/** Half seconds. */
const PATIENCE = 120

/** A dead letter as its table has it. */
export interface StoredLetter extends Letter {
  readonly source: string
  readonly scope: string
  readonly offset: number
  readonly state: string
}

/** What lies in Cassandra, read with plain CQL and without any of Tidemark's code. */
export class Stored {
  readonly #client: Client
  readonly #world: string

  constructor(nodes: readonly Endpoint[], world: string) {
    this.#world = world
    // The suite must survive what it does to Cassandra.
    patchDriver()
    this.#client = new Client({
      contactPoints: nodes.map(({ host, port }) => `${host}:${port}`),
      localDataCenter: 'dc1',
      keyspace: 'tidemark',
      queryOptions: { consistency: types.consistencies.quorum, fetchSize: 5_000, isIdempotent: true },
      socketOptions: { readTimeout: 20_000 },
    })
  }

  async accounts(): Promise<Map<string, Folded<Account>>> {
    const rows = new Map<string, Folded<Account>>()
    for (const row of await this.#read(`SELECT * FROM accounts_${this.#world}_v1`)) rows.set(row.id, accountIn(row))
    return rows
  }

  async shops(): Promise<Map<string, Folded<Shop>>> {
    const rows = new Map<string, Folded<Shop>>()
    for (const row of await this.#read(`SELECT * FROM shops_${this.#world}_v1`)) {
      const part = folded(row, { cents: BigInt(String(row.cents ?? 0)), events: Number(row.events) })
      rows.set(`${row.shop}/${row.till} ${part.source}`, part)
    }
    return rows
  }

  async letters(projection: string, sources: readonly string[]): Promise<readonly StoredLetter[]> {
    const query =
      'SELECT offset, scope, state, code, key, value, headers, timestamp FROM tm_dead_letters WHERE projection = ? AND version = 1 AND topic = ? AND partition = ?'
    const of = sources.map(async (source) => {
      const [topic, partition] = source.split('/')
      const rows = await this.#read(query, [projection, topic, Number(partition)])
      return rows.map(({ offset, scope, state, code, key, value, headers, timestamp }) => ({
        ...{ source, scope, offset: Number(offset), state, code, timestamp: Number(timestamp) },
        content: contentOf(key, value, headersIn(headers)),
      }))
    })
    return (await Promise.all(of)).flat()
  }

  /** By projection, then by `<source> <scope>`: the offsets kept there. */
  async waiting(projections: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>> {
    const waiting = new Map(projections.map((projection) => [projection, new Map<string, number[]>()]))
    for (const row of await this.#read('SELECT projection, topic, partition, scope, offset FROM tm_parked_events')) {
      const of = waiting.get(row.projection)
      const name = `${row.topic}/${row.partition} ${row.scope}`
      const offsets = of?.get(name)
      if (offsets) offsets.push(Number(row.offset))
      else of?.set(name, [Number(row.offset)])
    }
    return waiting
  }

  /** The positions of accounts, those that are there, as things stand at this moment. Rejects while Cassandra does not answer. */
  async positions(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const query = `SELECT id, tm_position FROM accounts_${this.#world}_v1 WHERE id IN ?`
    const { rows } = await this.#client.execute(query, [ids], { prepare: true, readTimeout: 2_000 })
    return new Map(rows.map(({ id, tm_position }) => [id, Number(tm_position)]))
  }

  /** Makes room for the next world: nothing of any is left. To be called when no worker runs. */
  async clear(): Promise<void> {
    const beside = ['dead_letters', 'parked_events', 'parked_scopes', 'requests', 'progress']
    for (const table of beside) await this.#read(`TRUNCATE tm_${table}`)
    for (const view of ['accounts', 'shops']) await this.#read(`DROP TABLE IF EXISTS ${view}_${this.#world}_v1`)
  }

  close(): Promise<void> {
    return this.#client.shutdown()
  }

  /** Waits out that Cassandra has just been mistreated. */
  async #read(query: string, params: unknown[] = []): Promise<readonly types.Row[]> {
    for (let tries = 1; ; tries++) {
      try {
        const rows: types.Row[] = []
        const result = await this.#client.execute(query, params, { prepare: params.length > 0 })
        for await (const row of result) rows.push(row)
        return rows
      } catch (error) {
        if (tries === PATIENCE) throw error
        await sleep(500)
      }
    }
  }
}

/** A row of accounts. */
export function accountIn(row: types.Row): Folded<Account> {
  return folded(row, {
    cents: BigInt(String(row.cents ?? 0)),
    balance: String(row.balance),
    latest: row.latest,
    events: row.events,
    chain: row.chain,
    seenAt: Number(row.seen_at),
    note: row.note,
  })
}

function folded<Value>(row: types.Row, value: Value): Folded<Value> {
  const deleted = row.tm_deleted_at !== null && String(row.tm_deleted_at) === String(row.tm_position)
  return { value: deleted ? null : value, position: Number(row.tm_position), source: row.tm_source }
}
