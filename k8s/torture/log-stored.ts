import { Client, types } from 'cassandra-driver'
import type { Endpoint } from '../../shared/testing/fault-proxy.ts'
import type { Folded } from './fold.ts'
import type { Account } from './oracle.ts'
import { accountIn } from './stored.ts'

/** What one world keeps in Cassandra. */
export interface Books {
  readonly rows: ReadonlyMap<string, Folded<Account>>
  /** By `<source> <scope> <offset>`: their state. */
  readonly letters: ReadonlyMap<string, string>
  /** By `<source> <scope>`: the offsets that wait, the dead letter first. */
  readonly waiting: ReadonlyMap<string, readonly number[]>
}

/** The keyspace of one world, read with plain CQL and without any of Tidemark's code, past every proxy. */
export class LogStored {
  readonly #client: Client
  readonly #world: string
  readonly #keyspace: string

  constructor({ host, port }: Endpoint, world: string) {
    this.#world = world
    this.#keyspace = `log_${world}`
    this.#client = new Client({
      contactPoints: [`${host}:${port}`],
      localDataCenter: 'dc1',
      queryOptions: { consistency: types.consistencies.quorum, fetchSize: 5_000, isIdempotent: true },
      socketOptions: { readTimeout: 60_000 },
    })
  }

  async cql(query: string, params: readonly unknown[] = []): Promise<readonly types.Row[]> {
    const rows: types.Row[] = []
    const result = await this.#client.execute(query, [...params], { prepare: params.length > 0 })
    for await (const row of result) rows.push(row)
    return rows
  }

  async books(topic: string, sources: readonly string[]): Promise<Books> {
    const rows = new Map<string, Folded<Account>>()
    for (const row of await this.cql(`SELECT * FROM ${this.#keyspace}.accounts_${this.#world}_v1`))
      rows.set(row.id, accountIn(row))
    const letters = new Map<string, string>()
    for (const row of await this.cql(
      `SELECT topic, partition, scope, offset, state FROM ${this.#keyspace}.tm_dead_letters`,
    ))
      letters.set(`${row.topic}/${row.partition} ${row.scope} ${row.offset}`, row.state)
    const waiting = new Map<string, number[]>()
    for (const row of await this.cql(
      `SELECT topic, partition, scope, offset FROM ${this.#keyspace}.tm_parked_events`,
    )) {
      const name = `${row.topic}/${row.partition} ${row.scope}`
      waiting.set(
        name,
        [...(waiting.get(name) ?? []), Number(row.offset)].sort((a, b) => a - b),
      )
    }
    const strange = [...letters.keys()].filter((name) => !sources.some((source) => name.startsWith(`${source} `)))
    if (strange.length > 0) throw new Error(`dead letters of other topics than ${topic}: ${strange.join(', ')}`)
    return { rows, letters, waiting }
  }

  /** The events that the version says retention has removed, by partition: `[from, to]` pairs. */
  async gaps(): Promise<ReadonlyMap<number, readonly number[]>> {
    const rows = await this.cql(`SELECT partition, gaps FROM ${this.#keyspace}.tm_progress`)
    return new Map(rows.map(({ partition, gaps }) => [partition, (gaps ?? []).map(Number)]))
  }

  close(): Promise<void> {
    return this.#client.shutdown()
  }
}
