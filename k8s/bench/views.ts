import { Client } from 'cassandra-driver'
import type { Workload } from './workload.ts'

const STATE = 'seq int, status text, amount_cents bigint, currency text, customer text, updated_at timestamp'

/** What the table should hold and doesn't. */
export interface Faults {
  /** Rows that are not there. */
  readonly missing: number
  /** Rows that are not of the last event on them. */
  readonly stale: number
}

export async function cassandra(): Promise<Client> {
  const client = new Client({
    contactPoints: (process.env.CASSANDRA_CONTACT_POINTS ?? '127.0.0.1:9042').split(','),
    localDataCenter: process.env.CASSANDRA_LOCAL_DATACENTER ?? 'dc1',
    socketOptions: { readTimeout: 60_000 },
  })
  await client.connect()
  return client
}

export async function createKeyspace(client: Client, keyspace: string): Promise<void> {
  const datacenter = process.env.CASSANDRA_LOCAL_DATACENTER ?? 'dc1'
  const replicas = Math.min(3, client.hosts.length)
  await client.execute(
    `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', '${datacenter}': ${replicas}}`,
  )
}

/** The table of the compared: Tidemark makes its own, with its bookkeeping. */
export async function createTable(client: Client, keyspace: string, { view, table }: Workload): Promise<void> {
  const key = view === 'w1' ? 'id text PRIMARY KEY, order_id text' : 'order_id text PRIMARY KEY'
  await client.execute(`CREATE TABLE IF NOT EXISTS ${keyspace}.${table} (${key}, ${STATE})`)
}

/** Reads the whole table with plain CQL and compares it with the rows there must be. */
export async function faults(client: Client, keyspace: string, work: Workload): Promise<Faults> {
  const expected = work.rows?.() ?? new Map<string, number>()
  const rows = expected.size
  let [found, stale] = [0, 0]
  const key = work.view === 'w1' ? 'id' : 'order_id'
  let pageState: string | undefined
  do {
    const page = await client.execute(`SELECT ${key} AS key, seq FROM ${keyspace}.${work.table}`, [], {
      prepare: true,
      fetchSize: 5_000,
      ...(pageState === undefined ? {} : { pageState }),
    })
    for (const row of page.rows) {
      found++
      if (expected.get(row.key) !== row.seq) stale++
    }
    pageState = page.pageState
  } while (pageState)
  return { missing: rows - found, stale }
}
