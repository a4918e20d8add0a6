import { Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  CassandraDeadLetters,
  CassandraProgress,
  CassandraVersions,
  CassandraView,
  CassandraViewReader,
  createTables,
  viewTable,
} from '../../shared/cassandra/index.ts'
import { type TestKeyspace, testKeyspace } from '../../shared/cassandra/test-keyspace.ts'
import { projector, systemClock, type ViewStore } from '../../shared/engine/index.ts'
import { encodeStructured } from '../../shared/events/encode.ts'
import { KafkaAdmin, KafkaLog, KafkaPublisher, KafkaSource } from '../../shared/kafka/index.ts'
import { testSettings } from '../../shared/kafka/testing.ts'
import { createLogger, createMetrics, createObserver, createProgress } from '../../shared/observability/index.ts'
import { defineProjection, defineTopic, type Projection, table, z } from '../../shared/projection/index.ts'
import { versionName } from '../../shared/projection/projection.ts'
import { KEPT_MS, servedVersions } from '../query/served.ts'
import { buildQuery } from '../query/server.ts'
import { tablesOf } from './init.ts'
import { rollbackReaders, type SwitchPorts, switchReaders } from './switch.ts'

const unique = crypto.randomUUID().slice(0, 8)
const sales = defineTopic({
  name: `t_${unique}`,
  partitions: 3,
  events: { Sold: z.object({ shop: z.string(), cents: z.int() }) },
})
/** Version 2 counts what version 1 adds up. */
const shops = (version: number): Projection =>
  defineProjection({
    name: `shops-${unique}`,
    version,
    topic: sales,
    view: table('shops', { columns: { shop: 'text', total: 'int' }, partitionKey: ['shop'] }),
    key: ({ data }) => ({ shop: data.shop }),
    initial: (key) => ({ ...key, total: 0 }),
    on: { Sold: (row, { data }) => ({ ...row, total: row.total + (version === 1 ? data.cents : 1) }) },
  })
const [one, two] = [shops(1), shops(2)]
const NAMES = Array.from({ length: 12 }, (_, n) => `shop-${n}`)

const log = createLogger({ level: 'silent' }, { terminal: false, stream: new Writable() })
const admin = new KafkaAdmin(testSettings())
const kafka = new KafkaLog(testSettings())
const publisher = new KafkaPublisher(testSettings())
let keyspace: TestKeyspace
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  keyspace = await testKeyspace()
  await createTables(keyspace.session, [one, two].map(viewTable))
  await admin.createTopics([{ name: sales.name, partitions: sales.partitions }])
})

afterAll(async () => {
  for (const stop of stops) await stop()
  for (const projection of [one, two]) await admin.deleteGroup(versionName(projection))
  await admin.deleteTopics([sales.name])
  await Promise.all([publisher.close(), kafka.close(), admin.close()])
  await keyspace[Symbol.asyncDispose]()
})

function run(projection: Projection, through: (view: ViewStore) => ViewStore = (view) => view): void {
  const { session } = keyspace
  const running = projector(projection, {
    source: new KafkaSource(testSettings({ sessionTimeoutMs: 6_000 }), versionName(projection), [sales.name]),
    log: kafka,
    view: through(new CassandraView(session, projection)),
    progress: new CassandraProgress(session, projection),
    deadLetters: new CassandraDeadLetters(session, projection),
    versions: new CassandraVersions(session),
    observer: createObserver({
      projection,
      log,
      metrics: createMetrics(),
      progress: createProgress(projection.name),
    }),
    clock: systemClock,
  })
  const ended = running.run()
  stops.push(async () => {
    await running.stop('the test is over')
    await ended
  })
}

function portsOf(): SwitchPorts {
  const { session } = keyspace
  return {
    log: kafka,
    versions: new CassandraVersions(session),
    books: (version) => ({
      progress: new CassandraProgress(session, version),
      deadLetters: new CassandraDeadLetters(session, version),
    }),
    clock: systemClock,
    projections: [one, two],
    tables: async () => (await tablesOf(session)) ?? new Set(),
  }
}

test('while version 2 is filled beside version 1 readers see version 1; switched they see version 2, rolled back version 1', async () => {
  const { session } = keyspace
  const time = { at: 0 }
  const views = [one, two].map((projection) => ({
    projection,
    reader: new CassandraViewReader(session, projection),
    durable: async () => -1,
    freshness: async () => null,
  }))
  const served = servedVersions({ versions: new CassandraVersions(session), now: () => time.at })
  await using query = await buildQuery({
    views,
    served,
    log,
    metrics: createMetrics(),
    verdict: () => ({ ready: true, reasons: [] }),
  })
  /** What readers get after the query process has looked again: versions and totals of all shops; `none` is a row that is not there. */
  const seen = async () => {
    time.at += KEPT_MS
    const answers = await Promise.all(NAMES.map((shop) => query.inject(`/views/shops/${shop}`)))
    return new Set(
      answers.map((answer) =>
        answer.statusCode === 404 ? 'none' : answer.body.replace(/.*"total":(\d+).*"version":(\d+).*/, 'v$2: $1'),
      ),
    )
  }

  const events = NAMES.map((shop) =>
    encodeStructured({
      specversion: '1.0',
      id: shop,
      source: '/test',
      type: 'Sold',
      subject: shop,
      data: { shop, cents: 70 },
    }),
  )
  await publisher.publish(sales.name, events)
  const caughtUp = { ...portsOf(), patienceMs: 60_000 }
  run(one)
  await expect.poll(() => seen(), { timeout: 60_000 }).toEqual(new Set(['v1: 70']))

  // Writes of one partition wait for the test: the table of version 2 is half filled for as long as it likes.
  const filled = Promise.withResolvers<void>()
  const half = Promise.withResolvers<void>()
  run(two, (view) => ({
    read: (...of) => view.read(...of),
    write: async (writes) => {
      if (writes.some(({ source }) => source.endsWith('/0'))) await filled.promise
      const refusals = await view.write(writes)
      half.resolve()
      return refusals
    },
  }))
  await half.promise
  expect(await seen()).toEqual(new Set(['v1: 70']))
  await expect(switchReaders(one.name, 2, { ...portsOf(), patienceMs: 0 })).rejects.toMatchObject({
    code: 'SWITCH_REFUSED',
  })
  expect(await seen()).toEqual(new Set(['v1: 70']))

  filled.resolve()
  expect(await switchReaders(one.name, 2, caughtUp)).toEqual({ before: 1, after: 2, lacking: [] })
  expect(await switchReaders(one.name, 2, caughtUp)).toMatchObject({ before: 2, after: 2 })
  expect(await seen()).toEqual(new Set(['v2: 1']))
  for (const before of [2, 1]) expect(await rollbackReaders(one.name, portsOf())).toMatchObject({ before, after: 1 })
  expect(await seen()).toEqual(new Set(['v1: 70']))
}, 120_000)
