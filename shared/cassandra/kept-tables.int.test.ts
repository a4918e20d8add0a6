import { afterAll, beforeAll, expect, test } from 'vitest'
import { single } from '../engine/contracts/views.ts'
import type { RowWrite } from '../engine/ports.ts'
import { type Projection, tableName } from '../projection/projection.ts'
import { createBookkeeping } from './bookkeeping.ts'
import { CassandraDeadLetters } from './dead-letter-store.ts'
import { checkTables, createTables, dropTable } from './schema.ts'
import { type TestKeyspace, testKeyspace } from './test-keyspace.ts'
import { CassandraVersions } from './version-store.ts'
import { createView, lostVersions } from './view-creation.ts'
import { CassandraView } from './view-store.ts'
import { viewTable } from './view-table.ts'

let keyspace: TestKeyspace
beforeAll(async () => {
  keyspace = await testKeyspace()
})
afterAll(() => keyspace[Symbol.asyncDispose]())

const writes: readonly RowWrite[] = ['a', 'b'].map((id) => ({
  id,
  key: { id },
  row: { id, title: 't', note: null, tags: null },
  cleared: [],
  position: 1,
  source: 'contract/0',
}))
const source = { topic: 'contract', partition: 0 }

/** A version that has begun in a table of its own. */
async function begun(version: number): Promise<{ readonly projection: Projection; readonly view: CassandraView }> {
  const { session } = keyspace
  const projection = { ...single, version }
  const versions = new CassandraVersions(session)
  await createView(session, projection)
  const { name } = projection
  const table = tableName(projection)
  const tables = await versions.tables(projection)
  await versions.save({ projection: name, version, definition: 'd', partitions: {}, table, tables })
  const view = new CassandraView(session, projection)
  await view.write(writes)
  return { projection, view }
}

/** The statement that makes a table under its own id, as the schema.cql of a snapshot has it. */
async function snapshot(table: string): Promise<string> {
  const { session } = keyspace
  const { rows } = await session.read(`DESCRIBE TABLE ${session.table(table)} WITH INTERNALS`, [], 'describing a table')
  return String(rows[0]?.create_statement)
}

test('a table that is gone holds the work, and one that was made again is refused by every process there will be', async () => {
  const { session } = keyspace
  const { projection, view } = await begun(9)
  await dropTable(session, tableName(projection))
  await expect(view.write(writes)).rejects.toMatchObject({ code: 'CASSANDRA_SCHEMA', kind: 'transient' })
  await expect(view.read(writes, 'contract/0')).rejects.toMatchObject({
    code: 'CASSANDRA_SCHEMA',
    remedy: expect.stringContaining('Raise `version`'),
  })
  await createTables(session, [viewTable(projection)])
  for (const one of [view, new CassandraView(session, projection)]) {
    await expect(one.write(writes)).rejects.toMatchObject({ code: 'VIEW_LOST' })
    await expect(one.read(writes, 'contract/0')).rejects.toMatchObject({ code: 'VIEW_LOST' })
  }
})

test('an empty table is not made in the place of one that a version was kept in', async () => {
  const { session } = keyspace
  const { projection } = await begun(10)
  await createView(session, projection)
  await dropTable(session, tableName(projection))
  await expect(createView(session, projection)).rejects.toMatchObject({ code: 'VIEW_LOST' })
  await createView(session, { ...projection, version: 11 })
})

test('a table that was made by the schema of its snapshot is the old one', async () => {
  const { session } = keyspace
  const { projection, view } = await begun(12)
  const table = tableName(projection)
  const statement = await snapshot(table)
  await dropTable(session, table)
  await expect(view.write(writes)).rejects.toMatchObject({ code: 'CASSANDRA_SCHEMA' })
  await session.define(statement, 'restoring a table')
  await view.write(writes)
  expect((await view.read(writes, 'contract/0')).size).toBe(2)
})

test('an undeclared column is left alone, at the start and while writing', async () => {
  const { session } = keyspace
  const { projection, view } = await begun(13)
  await session.define(`ALTER TABLE ${session.table(tableName(projection))} ADD extra text`, 'adding a column')
  await checkTables(session, [viewTable(projection)])
  for (const one of [view, new CassandraView(session, projection)]) await one.write(writes)
  expect(await createView(session, projection)).toEqual(['extra'])
})

test('a dropped column is beyond repair at once', async () => {
  const { session } = keyspace
  const { projection, view } = await begun(14)
  const table = session.table(tableName(projection))
  await session.define(`ALTER TABLE ${table} DROP title`, 'dropping a column')
  await expect(view.write(writes)).rejects.toMatchObject({ code: 'TABLE_MISMATCH' })
})

test.each([
  ['tm_dead_letters', 20],
  ['tm_parked_scopes', 22],
  ['tm_parked_events', 24],
])(
  '%s made again is refused by every version that began before, and by none that begins after',
  async (table, version) => {
    const { session } = keyspace
    const { projection } = await begun(version)
    const running = new CassandraDeadLetters(session, projection)
    await running.load(source)
    await dropTable(session, table)
    await createBookkeeping(session)
    expect((await lostVersions(session)).get(table)).toContain(`${projection.name}.v${version}`)
    await expect(new CassandraDeadLetters(session, projection).requests(source)).rejects.toMatchObject({
      code: 'VIEW_LOST',
    })
    const { projection: next } = await begun(version + 1)
    expect((await lostVersions(session)).get(table)).not.toContain(`${next.name}.v${next.version}`)
    await new CassandraDeadLetters(session, next).load(source)
  },
)
