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

test('a table of what was set aside is made anew, and init names the versions that lost theirs', async () => {
  await cassandra.dropTable(keyspace.session, 'tm_parked_events')
  const { told } = await init([three])
  expect(told).toEqual([expect.stringMatching(/^table tm_parked_events .*shops\.v1, shops\.v2 refuse/), 'topic sales'])
  expect((await init([three])).told).toEqual(['topic sales'])
})
