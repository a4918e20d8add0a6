import { afterAll, beforeAll } from 'vitest'
import {
  deadLetterStoreContract,
  progressStoreContract,
  type ViewHarness,
  versionStoreContract,
  viewStoreContract,
} from '../engine/contracts/store.ts'
import { type Projection, tableName } from '../projection/projection.ts'
import { snakeCase } from '../projection/table.ts'
import { CassandraDeadLetters } from './dead-letter-store.ts'
import { CassandraProgress } from './progress-store.ts'
import { rowEncoder } from './row-encoder.ts'
import { createTables } from './schema.ts'
import { one } from './session.ts'
import { type TestKeyspace, testKeyspace } from './test-keyspace.ts'
import { CassandraVersions } from './version-store.ts'
import { CassandraViewReader } from './view-reader.ts'
import { CassandraView } from './view-store.ts'
import { viewTable } from './view-table.ts'

let keyspace: TestKeyspace
beforeAll(async () => {
  keyspace = await testKeyspace()
})
afterAll(() => keyspace[Symbol.asyncDispose]())

/** An empty view in Cassandra, looked into with CQL beside the store under test. */
async function harness(projection: Projection, partitionsPerBatch: number): Promise<ViewHarness> {
  const { session } = keyspace
  await createTables(session, [viewTable(projection)])
  const table = session.table(tableName(projection))
  const encoder = rowEncoder(projection, table, 60)
  const ask = async (what: string, key: Parameters<ViewHarness['writeTime']>[0], source: string): Promise<unknown> => {
    const row = await one(
      session,
      `SELECT ${what} AS answer FROM ${table} WHERE ${encoder.whereRow}`,
      encoder.rowParams(key, source),
      'looking into a test table',
    )
    return row?.answer ?? undefined
  }
  return {
    view: new CassandraView(session, projection, { partitionsPerBatch }),
    reader: new CassandraViewReader(session, projection),
    async writeTime(key, column, source) {
      // A key column has no write time.
      if (column === 'tm_source' && projection.merge) return undefined
      const time = await ask(`WRITETIME(${snakeCase(column)})`, key, source)
      return time === undefined ? undefined : Number(time)
    },
    expires: async (key, column, source) => (await ask(`TTL(${snakeCase(column)})`, key, source)) !== undefined,
    // A partition key above 65,535 bytes is one that Cassandra refuses by itself.
    refuse: () => {},
  }
}

viewStoreContract('Cassandra, partitions sharing batches', (projection) => harness({ ...projection, version: 1 }, 10))
viewStoreContract('Cassandra, a batch for each partition', (projection) => harness({ ...projection, version: 2 }, 1))
progressStoreContract(
  'Cassandra',
  async () => new CassandraProgress(keyspace.session, { name: 'contract', version: 1 }),
)
versionStoreContract('Cassandra', async () => new CassandraVersions(keyspace.session))
deadLetterStoreContract(
  'Cassandra',
  async () => new CassandraDeadLetters(keyspace.session, { name: 'contract', version: 1 }),
)
