import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as cassandra from '../../shared/cassandra/index.ts'
import { type TestKeyspace, testKeyspace } from '../../shared/cassandra/test-keyspace.ts'
import { systemClock } from '../../shared/engine/index.ts'
import { defineProjection, defineTopic, type Projection, table, z } from '../../shared/projection/index.ts'
import { tableName } from '../../shared/projection/projection.ts'
import { initialise } from './init.ts'

const sales = defineTopic({ name: 'sales', partitions: 3, events: { Sold: z.object({ shop: z.string() }) } })
const shops = (version: number): Projection =>
  defineProjection({
    name: 'shops',
    version,
    topic: sales,
    view: table('shops', { columns: { shop: 'text', count: 'int' }, partitionKey: ['shop'] }),
    key: ({ data }) => ({ shop: data.shop }),
    initial: (key) => ({ ...key, count: 0 }),
    on: { Sold: (row) => ({ ...row, count: row.count + 1 }) },
  })
const [one, two, three] = [shops(1), shops(2), shops(3)]
const admin = { topics: async () => [], createTopics: async () => [], describe: async () => undefined }

let keyspace: TestKeyspace
beforeAll(async () => {
  keyspace = await testKeyspace()
  const versions = new cassandra.CassandraVersions(keyspace.session)
  for (const projection of [one, two]) {
    await cassandra.createView(keyspace.session, projection)
    const [tables, table] = [await versions.tables(projection), tableName(projection)]
    const { name, version } = projection
    await versions.save({ projection: name, version, definition: 'd', partitions: {}, table, tables })
  }
})
afterAll(() => keyspace[Symbol.asyncDispose]())

/** What init tells about, up to where it ends. */
async function init(projections: readonly Projection[]) {
  const told: string[] = []
  const ports = { session: keyspace.session, schema: cassandra, admin, clock: systemClock }
  const end = (async () => {
    for await (const { kind, name, created, warning } of initialise(projections, ports))
      if (created || kind === 'topic') told.push([kind, name, warning].filter(Boolean).join(' '))
  })()
  return { told, error: await end.catch((error: unknown) => error) }
}

test('init makes everything but the tables that versions were kept in, and ends with what it did not make', async () => {
  const { session } = keyspace
  expect(await init([one, two])).toEqual({ told: ['topic sales'], error: undefined })
  for (const projection of [one, two]) await cassandra.dropTable(session, tableName(projection))
  const { told, error } = await init([one, two, three])
  expect(told).toEqual(['table shops_v3', 'topic sales'])
  expect(error).toMatchObject({ code: 'VIEW_LOST', message: expect.stringMatching(/shops_v1 .*shops_v2 /) })
})

test('the command makes nothing where what is to run could not', async () => {
  const name = `refused_${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}`
  const env = { ...process.env, CASSANDRA_KEYSPACE: name }
  const args = ['workers/ctl/main.ts', 'init', '--serves={"name":"stok","run":"stok.v1"}']
  const ended = await promisify(execFile)(process.execPath, args, { env }).catch((error: unknown) => error)
  expect(ended).toMatchObject({ code: 78, stderr: expect.stringContaining('did you mean stock.v1?') })
  const query = `SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = '${name}'`
  expect((await keyspace.session.read(query, [], 'looking for the keyspace')).rows).toEqual([])
})

test('a table of what was set aside is made anew, and init names the versions that lost theirs', async () => {
  await cassandra.dropTable(keyspace.session, 'tm_parked_events')
  const { told } = await init([three])
  expect(told).toEqual([expect.stringMatching(/^table tm_parked_events .*shops\.v1, shops\.v2 refuse/), 'topic sales'])
  expect((await init([three])).told).toEqual(['topic sales'])
})
