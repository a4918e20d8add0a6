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
import { projector, systemClock } from '../../shared/engine/index.ts'
import { KafkaAdmin, KafkaLog, KafkaPublisher, KafkaSource } from '../../shared/kafka/index.ts'
import { testSettings } from '../../shared/kafka/testing.ts'
import { createLogger, createMetrics, createObserver, createProgress } from '../../shared/observability/index.ts'
import { defineProjection, defineTopic, table, z } from '../../shared/projection/index.ts'
import { versionName } from '../../shared/projection/projection.ts'
import { buildGateway } from '../gateway/server.ts'
import { durablePositions } from './durable.ts'
import { freshness } from './freshness.ts'
import { buildQuery } from './server.ts'
import type { View } from './view.ts'

const unique = crypto.randomUUID().slice(0, 8)
const meters = defineTopic({
  name: `t_${unique}`,
  partitions: 3,
  events: { Read: z.object({ meter: z.string(), kwh: z.number() }) },
})
const total = defineProjection({
  name: `t-${unique}`,
  version: 1,
  topic: meters,
  view: table('total', { columns: { meter: 'text', kwh: 'double', readings: 'bigint' }, partitionKey: ['meter'] }),
  key: ({ data }) => ({ meter: data.meter }),
  initial: (key) => ({ ...key, kwh: 0, readings: 0n }),
  on: { Read: (row, { data }) => ({ ...row, kwh: row.kwh + data.kwh, readings: row.readings + 1n }) },
})
const history = defineProjection({
  name: 'entity-history',
  version: 1,
  topic: meters,
  view: table('entity_history', {
    columns: {
      topic: 'text',
      entity: 'text',
      offset: 'bigint',
      type: 'text',
      id: 'text',
      time: 'timestamp',
      source: 'text',
      data: 'text',
    },
    partitionKey: ['topic', 'entity'],
    clusteringKey: { offset: 'asc' },
  }),
  key: ({ subject, position }) => ({ topic: position.topic, entity: subject, offset: BigInt(position.offset) }),
  initial: (key) => ({ ...key, type: '', id: '', time: new Date(0), source: '', data: '' }),
  on: {
    Read: (row, { type, id, time, source, data }) => ({ ...row, type, id, time, source, data: JSON.stringify(data) }),
  },
})

const log = createLogger({ level: 'silent' }, { terminal: false, stream: new Writable() })
const metrics = createMetrics()
const readiness = createProgress(total.name)
const ready = () => ({ ready: true, reasons: [] })
const admin = new KafkaAdmin(testSettings())
const kafka = new KafkaLog(testSettings())
const publisher = new KafkaPublisher(testSettings())
let keyspace: TestKeyspace
let stop: () => Promise<void>
let views: View[]

beforeAll(async () => {
  keyspace = await testKeyspace()
  const { session } = keyspace
  await createTables(session, [total, history].map(viewTable))
  await admin.createTopics([{ name: meters.name, partitions: meters.partitions }])
  const groups = [total, history].map((projection) => {
    const observer = createObserver({
      projection,
      log,
      metrics,
      progress: projection === total ? readiness : createProgress(projection.name),
    })
    const running = projector(projection, {
      // The history's own name is fixed, its group must not be.
      source: new KafkaSource(testSettings({ sessionTimeoutMs: 6_000 }), `${versionName(projection)}.${unique}`, [
        meters.name,
      ]),
      log: kafka,
      view: new CassandraView(session, projection),
      progress: new CassandraProgress(session, projection),
      deadLetters: new CassandraDeadLetters(session, projection),
      versions: new CassandraVersions(session),
      observer,
      clock: systemClock,
    })
    return { running, ended: running.run() }
  })
  views = [total, history].map((projection) => {
    const progress = new CassandraProgress(session, projection)
    const group = `${versionName(projection)}.${unique}`
    const durable = durablePositions({ progress, log: kafka, group, now: Date.now })
    const reader = new CassandraViewReader(session, projection)
    return { projection, reader, durable, freshness: freshness({ log: kafka, durable, now: Date.now }) }
  })
  stop = async () => {
    for (const { running } of groups) await running.stop('the test is over')
    await Promise.all(groups.map(({ ended }) => ended))
    for (const projection of [total, history]) await admin.deleteGroup(`${versionName(projection)}.${unique}`)
  }
})

afterAll(async () => {
  await stop()
  await admin.deleteTopics([meters.name])
  await Promise.all([publisher.close(), kafka.close(), admin.close()])
  await keyspace[Symbol.asyncDispose]()
})

test('what the gateway answers can be waited for in the views, and the history tells how it came about', async () => {
  await using gateway = await buildGateway({
    topics: [meters],
    publisher,
    log,
    metrics: createMetrics(),
    verdict: ready,
  })
  await using query = await buildQuery({ views, log, metrics: createMetrics(), verdict: ready })
  const read = (id: string, kwh: number, time: string) => ({
    specversion: '1.0',
    id,
    source: '/m',
    type: 'Read',
    subject: 'm/1',
    time,
    data: { meter: 'm/1', kwh },
  })
  const post = (payload: object) =>
    gateway.inject({ method: 'POST', url: '/events', headers: { 'content-type': 'application/json' }, payload })

  const batch = [read('1', 1.5, '2026-01-31T12:00:00Z'), read('2', 2, '2026-01-31T15:00:00Z')]
  const first = await post(batch)
  expect(first.statusCode).toBe(202)
  const [, position] = first.json().positions
  expect((await post(batch)).json()).toEqual(first.json())

  const row = await query.inject(`/views/${total.name}/m%2F1?after=${position}&wait=30000`)
  expect(row.json()).toMatchObject({
    row: { meter: 'm/1', kwh: 3.5, readings: '2' },
    position,
    version: 1,
    stale: false,
  })
  const ahead = position.replace(/\d+$/, (offset: string) => String(Number(offset) + 5))
  expect((await query.inject(`/views/total/m%2F1?after=${ahead}&wait=100`)).json().stale).toMatchObject({
    wanted: ahead,
    holds: position,
    behind: 5,
  })
  const nobody = await query.inject(`/views/${total.name}/nobody?after=${position}&wait=30000`)
  expect([nobody.statusCode, nobody.json().error.stale]).toEqual([404, false])

  const kept = await query.inject(`/views/entity-history/${meters.name}/m%2F1?after=${position}&wait=30000`)
  expect(kept.json().rows).toHaveLength(2)
  const events = (await query.inject(`/entities/${meters.name}/m%2F1/events?limit=1`)).json()
  expect(events.events).toMatchObject([{ id: '1', data: { kwh: 1.5 } }])
  expect(
    (await query.inject(`/entities/${meters.name}/m%2F1/events?limit=1&page=${events.next}`)).json().events,
  ).toMatchObject([{ id: '2' }])
  expect((await query.inject(`/entities/${meters.name}/m%2F1/events?page=beef`)).statusCode).toBe(400)
  const past = (await query.inject(`/entities/${meters.name}/m%2F1/events?at=2026-01-31T13:00:00Z`)).json()
  expect(past).toMatchObject({ events: [{ id: '1' }], state: [{ view: total.name, rows: [{ kwh: 1.5 }] }] })

  expect(readiness.verdict()).toEqual({ ready: true, reasons: [] })
  expect(await metrics.text()).toMatch(
    new RegExp(`tidemark_events_total\\{projection="${total.name}".*outcome="applied"\\} 2`),
  )
})
