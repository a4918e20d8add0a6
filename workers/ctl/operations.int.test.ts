import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import * as cassandra from '../../shared/cassandra/index.ts'
import { type Config, readConfig } from '../../shared/config.ts'
import { defaultSettings, type Observer, projector, systemClock } from '../../shared/engine/index.ts'
import { encodeStructured } from '../../shared/events/encode.ts'
import { defineTopic } from '../../shared/events/topic.ts'
import { describeCluster } from '../../shared/kafka/cluster.ts'
import { KafkaAdmin, KafkaLog, KafkaPublisher, KafkaSource } from '../../shared/kafka/index.ts'
import { defineProjection, type Projection, versionName } from '../../shared/projection/projection.ts'
import { table } from '../../shared/projection/table.ts'
import { cassandraSettings, kafkaSettings } from '../connections.ts'
import { doctorCommand } from './doctor/command.ts'
import type { DoctorTools } from './doctor/doctor.ts'
import { initCommand } from './init.ts'
import { statusCommand } from './status-command.ts'
import { verifyCommand } from './verify/command.ts'
import { verify } from './verify/verify.ts'

const id = crypto.randomUUID().replaceAll('-', '').slice(0, 12)

const sales = defineTopic({
  name: `sales-${id}`,
  partitions: 3,
  events: {
    Sold: z.object({ shop: z.string(), item: z.string(), cents: z.int() }),
    Closed: z.object({ shop: z.string() }),
  },
})

const shops = defineProjection({
  name: `shops-${id}`,
  version: 1,
  topic: sales,
  view: table(`shops_${id}`, {
    columns: { shop: 'text', sold: 'int', cents: 'bigint', last: 'text?' },
    partitionKey: ['shop'],
  }),
  key: ({ data }) => ({ shop: data.shop }),
  initial: ({ shop }) => ({ shop, sold: 0, cents: 0n }),
  on: {
    Sold: (row, { data }) => {
      if (data.cents < 0) throw new Error('cents below zero')
      return { ...row, sold: row.sold + 1, cents: row.cents + BigInt(data.cents), last: data.item }
    },
    Closed: () => null,
  },
})

const items = defineProjection({
  name: `items-${id}`,
  version: 1,
  topic: sales,
  view: table(`items_${id}`, { columns: { item: 'text', sold: 'int' }, partitionKey: ['item'] }),
  key: (event) => (event.type === 'Sold' ? { item: event.data.item } : []),
  initial: ({ item }) => ({ item, sold: 0 }),
  on: { Sold: (row) => ({ ...row, sold: row.sold + 1 }) },
  merge: (a, b) => ({ item: a.item, sold: a.sold + b.sold }),
})

const projections: readonly Projection[] = [shops, items]
const config: Config = readConfig({ ...process.env, CASSANDRA_KEYSPACE: `t_${id}` })
const kafka = kafkaSettings(config, 'tidemark-test')
const connect = () => cassandra.connect(cassandraSettings(config.cassandra))
const admin = new KafkaAdmin(kafka)
const log = new KafkaLog(kafka)
const publisher = new KafkaPublisher(kafka)
let session: cassandra.Session

beforeAll(async () => {
  session = await connect()
})

afterAll(async () => {
  await session.define(`DROP KEYSPACE IF EXISTS t_${id}`, 'dropping the keyspace of a test')
  await admin.deleteTopics([sales.name])
  for (const projection of projections) await admin.deleteGroup(versionName(projection))
  await Promise.all([admin.close(), log.close(), publisher.close(), session.close()])
})

function paper() {
  const printed: string[] = []
  return {
    columns: 100,
    write: (text: string) => printed.push(text),
    get text() {
      return printed.join('')
    },
  }
}

const silent: Observer = {
  tracing: false,
  assigned() {},
  folded() {},
  flushed() {},
  dead() {},
  parked() {},
  held() {},
  gap() {},
  draining() {},
}

/** Runs a projection until the callback has ended. */
async function running<T>(projection: Projection, during: () => Promise<T>): Promise<T> {
  const worker = projector(
    projection,
    {
      source: new KafkaSource(kafka, versionName(projection), [sales.name]),
      log,
      view: new cassandra.CassandraView(session, projection),
      progress: new cassandra.CassandraProgress(session, projection),
      deadLetters: new cassandra.CassandraDeadLetters(session, projection),
      versions: new cassandra.CassandraVersions(session),
      observer: silent,
      clock: systemClock,
    },
    defaultSettings,
  )
  const ended = worker.run()
  try {
    return await Promise.race([during(), ended.then(() => Promise.reject(new Error('the worker has ended')))])
  } finally {
    await worker.stop('the test is over')
    await ended
  }
}

const verifyPorts = (projection: Projection) => ({
  log,
  reader: new cassandra.CassandraViewReader(session, projection),
  deadLetters: new cassandra.CassandraDeadLetters(session, projection),
  progress: new cassandra.CassandraProgress(session, projection),
  clock: systemClock,
})

const statusPorts = {
  log,
  versions: {
    list: () => new cassandra.CassandraVersions(session).list(),
    served: (projection: string) => new cassandra.CassandraVersions(session).served(projection),
    tables: (of: Projection) => new cassandra.CassandraVersions(session).tables(of),
  },
  describeGroup: (group: string) => admin.describeGroup(group),
  books: (version: Pick<Projection, 'name' | 'version'>) => ({
    progress: new cassandra.CassandraProgress(session, version),
    deadLetters: new cassandra.CassandraDeadLetters(session, version),
  }),
  clock: systemClock,
  now: Date.now,
}

async function status() {
  const out = paper()
  await statusCommand(projections, statusPorts, { json: true }, out, out)
  return JSON.parse(out.text)
}

function sold(shop: string, item: string, cents: number) {
  return encodeStructured({
    specversion: '1.0',
    id: crypto.randomUUID(),
    source: 'test',
    type: 'Sold',
    subject: shop,
    data: { shop, item, cents },
  })
}

const tools: DoctorTools = {
  schema: cassandra,
  readConfig: () => config,
  loadProjections: async () => projections,
  describeCluster: () => describeCluster(kafka),
  admin: () => new KafkaAdmin(kafka),
  sleep: async () => undefined,
  connect: async () => {
    const own = await connect()
    return { session: own, versions: new cassandra.CassandraVersions(own) }
  },
}

test('doctor says what is missing, init creates it from several processes at once, and doctor is content', async () => {
  const before = paper()
  expect(await doctorCommand(tools, {}, before)).toBe(1)
  expect(before.text).toContain(`topic ${sales.name}: does not exist`)
  expect(before.text).toContain(`keyspace t_${id}: does not exist`)

  const ports = { session, schema: cassandra, admin, clock: systemClock }
  const options = { replication: { [config.cassandra.localDatacenter]: 1 } }
  const [one, two] = [paper(), paper()]
  expect(
    await Promise.all([
      initCommand(projections, ports, options, one, one),
      initCommand(projections, ports, options, two, two),
    ]),
  ).toEqual([0, 0])
  const again = paper()
  expect(await initCommand(projections, ports, options, again, again)).toBe(0)
  expect(again.text).toContain('init: 0 created')

  const idle = paper()
  const running = [versionName(shops), 'nobody.v1']
  expect(await doctorCommand(tools, { running }, idle)).toBe(1)
  expect(idle.text).toMatch(/version nobody\.v1: is to run, but is not loaded here/)
  expect(idle.text).toMatch(/workers of shops-\S+: are to run, and there are none/)
  expect(idle.text).toMatch(/version shops-\S+: is to run, and has not begun/)
  expect(idle.text).toMatch(/, 3 failures\n$/)

  const after = paper()
  const code = await doctorCommand(tools, {}, after)
  expect(after.text).toMatch(/, 0 failures\n$/)
  expect(code).toBe(0)

  const member = (view: string) => ({ id: view, clientId: 'tidemark-projector', host: '/10.0.0.1', view })
  const crowded = Object.assign(new KafkaAdmin(kafka), {
    describeGroup: async () => ({ state: 'Stable', members: [member('another')] }),
  })
  const shared = paper()
  expect(await doctorCommand({ ...tools, admin: () => crowded }, {}, shared)).toBe(1)
  expect(shared.text).toMatch(/share their consumer group\s+with\s+1 member/)
}, 120_000)

test('init leaves a topic with another partition count alone, and says so loudly', async () => {
  const other = { ...shops, topics: [{ ...sales, partitions: 5 }] }
  const [out, errors] = [paper(), paper()]
  await initCommand([other], { session, schema: cassandra, admin, clock: systemClock }, {}, out, errors)
  expect(errors.text).toMatch(/WARNING: topic .* has 3 partitions, but 5 are declared/)
})

test('status tells the states of a version, and verify proves it on a live system', async () => {
  expect((await status()).map(({ state, lag }: { state: string; lag: number }) => [state, lag])).toEqual([
    ['never-started', 0],
    ['never-started', 0],
  ])
  const records = Array.from({ length: 2_000 }, (_, n) => sold(`shop-${n % 97}`, `item-${n % 13}`, n === 500 ? -1 : n))
  await publisher.publish(sales.name, records)
  await publisher.publish(sales.name, [{ key: 'shop-1', value: '{', headers: {} }])

  for (const projection of projections) {
    await running(projection, async () => {
      let live = true
      const traffic = (async () => {
        for (let n = 0; live; n++) await publisher.publish(sales.name, [sold(`shop-${n % 97}`, `item-${n % 13}`, n)])
      })()
      const result = await verify(projection, verifyPorts(projection), { catchUpMs: 30_000, limits: { rows: 30 } })
      live = false
      await traffic
      expect(result.differences).toEqual([])
      expect(result.events).toBeGreaterThan(2_000)
    })
  }

  const out = paper()
  await running(shops, () => verify(shops, verifyPorts(shops), { catchUpMs: 30_000 }))
  expect(await verifyCommand(shops, verifyPorts(shops), {}, out, out)).toBe(0)
  await statusCommand(projections, statusPorts, {}, out, out)
  const [, shop] = await status()
  expect(shop).toMatchObject({ projection: shops.name, state: 'caught-up', lag: 0, ageSeconds: 0, deadLetters: 2 })
  await publisher.publish(sales.name, [sold('late', 'late', 1)])
  expect((await status())[1]).toMatchObject({ state: 'stopped', lag: 1 })
  expect(await verifyCommand(shops, verifyPorts(shops), { catchUpMs: 100 }, out, out)).toBe(1)
  await statusCommand(projections, statusPorts, {}, out, out)
}, 120_000)

test('a cell that was changed behind the back of the projection is found', async () => {
  await running(shops, () => verify(shops, verifyPorts(shops), { catchUpMs: 30_000 }))
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(7n)
  await session.write(
    [
      {
        query: `UPDATE t_${id}.shops_${id}_v1 USING TIMESTAMP 1800000000000000 SET cents = ? WHERE shop = ?`,
        params: [bytes, Buffer.from('shop-5')],
      },
    ],
    'damaging a row',
  )
  const out = paper()
  expect(await verifyCommand(shops, verifyPorts(shops), {}, out, out)).toBe(1)
  expect(out.text).toMatch(/row \{ shop: 'shop-5' \} differs at sales-.*: cents is 7n, should be \d+n/)
}, 60_000)
