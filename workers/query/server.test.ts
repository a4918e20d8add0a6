import { Writable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { memoryStores } from '../../shared/engine/memory/store.ts'
import type { Event, LogRecord } from '../../shared/events/index.ts'
import { parsePosition, sourceText } from '../../shared/events/index.ts'
import { createLogger, createMetrics } from '../../shared/observability/index.ts'
import { foldOf } from '../../shared/projection/fold.ts'
import { defineProjection, defineTopic, type Projection, table, z } from '../../shared/projection/index.ts'
import type { AnyRow } from '../../shared/projection/row.ts'
import { durablePositions } from './durable.ts'
import { freshness } from './freshness.ts'
import { buildQuery, type QueryParts } from './server.ts'
import type { View } from './view.ts'

const readings = defineTopic({
  name: 'readings',
  partitions: 2,
  events: { Read: z.object({ meter: z.string(), kwh: z.number() }), Removed: z.object({ meter: z.string() }) },
})

const meter = (version = 1) =>
  defineProjection({
    name: 'meter',
    version,
    topic: readings,
    view: table('meter_view', {
      columns: {
        meter: 'text',
        kwh: 'double',
        seen: 'bigint',
        at: 'timestamp',
        tags: 'set<int>',
        by: 'map<text,bigint>',
        raw: 'blob?',
      },
      partitionKey: ['meter'],
    }),
    key: ({ data }) => ({ meter: data.meter }),
    initial: (key) => ({
      ...key,
      kwh: 0,
      seen: 2n ** 60n,
      at: new Date(0),
      tags: new Set([1, 2]),
      by: new Map([['a', 1n]]),
      raw: Buffer.from('x'),
    }),
    on: {
      Read: (row, { data, time }) => ({ ...row, kwh: row.kwh + data.kwh * version, seen: row.seen + 1n, at: time }),
      Removed: () => null,
    },
  })

const daily = defineProjection({
  name: 'daily',
  version: 1,
  topic: readings,
  view: table('daily', {
    columns: { meter: 'text', day: 'date', slot: 'int', kwh: 'double' },
    partitionKey: ['meter', 'day'],
    clusteringKey: { slot: 'desc' },
  }),
  key: (event) =>
    event.type === 'Read'
      ? { meter: event.data.meter, day: event.time.toISOString().slice(0, 10), slot: event.time.getUTCHours() }
      : [],
  initial: (key) => ({ ...key, kwh: 0 }),
  on: { Read: (row, { data }) => ({ ...row, kwh: row.kwh + data.kwh }) },
})

const total = defineProjection({
  name: 'total',
  version: 1,
  topic: readings,
  view: table('total', { columns: { what: 'text', kwh: 'double' }, partitionKey: ['what'] }),
  key: () => ({ what: 'all' }),
  initial: (key) => ({ ...key, kwh: 0 }),
  on: { Read: (row, { data }) => ({ ...row, kwh: row.kwh + data.kwh }) },
  merge: (a, b) => ({ what: a.what, kwh: a.kwh + b.kwh }),
})

const history = defineProjection({
  name: 'entity-history',
  version: 1,
  topic: readings,
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
    Removed: (row, { type, id, time, source, data }) => ({
      ...row,
      type,
      id,
      time,
      source,
      data: JSON.stringify(data),
    }),
  },
})

function event(
  position: string,
  type: 'Read' | 'Removed',
  data: { meter: string; kwh?: number },
  time = '2026-01-31T12:00:00Z',
): Event {
  const at = parsePosition(position)
  if (!at) throw new Error(position)
  return { type, data, id: position, source: '/m', subject: data.meter, time: new Date(time), position: at }
}

/** A view that holds the fold of some events. */
async function holding(projection: Projection, events: readonly Event[]) {
  const { view, progress, faults } = memoryStores(projection)
  const fold = foldOf(projection)
  const rows = new Map<string, AnyRow | null>()
  async function apply(one: Event) {
    const source = sourceText(one.position)
    for (const { id, key } of fold.wanted(one.type) ? fold.keys(one) : []) {
      const row = fold.apply(rows.get(source + id) ?? null, key, one)
      rows.set(source + id, row)
      await view.write([{ id, key, row, cleared: [], position: one.position.offset, source }])
    }
    await progress.save(one.position, { position: one.position.offset, fingerprint: undefined, gaps: [] })
  }
  for (const one of events) await apply(one)
  const age = { seconds: 0 as number | null }
  const durable: View['durable'] = async (source) => (await progress.load(source))?.position ?? -1
  const served: View = { projection, reader: view, durable, freshness: async () => age.seconds }
  return { view: served, apply, progress, durable, faults, age }
}

async function query(views: readonly View[], parts: Partial<QueryParts> = {}) {
  const log = createLogger({ level: 'silent' }, { terminal: false, stream: new Writable() })
  const app = await buildQuery({
    views,
    log,
    metrics: createMetrics(),
    verdict: () => ({ ready: true, reasons: [] }),
    ...parts,
  })
  onTestFinished(() => app.close())
  return {
    app,
    async get(url: string) {
      const answer = await app.inject(url)
      return { status: answer.statusCode, body: answer.json(), headers: answer.headers }
    },
  }
}

const some = [
  event('readings/1/10', 'Read', { meter: 'm 1/ü', kwh: 1.5 }),
  event('readings/1/11', 'Read', { meter: 'm 1/ü', kwh: 2 }, '2026-01-31T15:00:00Z'),
  event('readings/0/4', 'Read', { meter: 'gone', kwh: 7 }),
  event('readings/0/5', 'Removed', { meter: 'gone' }),
]
const METER = `/views/meter/${encodeURIComponent('m 1/ü')}`

test('a row is answered with its position, its version and its age; what JSON would damage is text', async () => {
  const { view, age } = await holding(meter(), some)
  age.seconds = 1.25
  const { get } = await query([view])
  expect(await get(METER)).toMatchObject({
    status: 200,
    body: {
      row: {
        meter: 'm 1/ü',
        kwh: 3.5,
        seen: String(2n ** 60n + 2n),
        at: '2026-01-31T15:00:00.000Z',
        tags: [1, 2],
        by: { a: '1' },
        raw: 'eA==',
      },
      position: 'readings/1/11',
      version: 1,
      ageSeconds: 1.25,
    },
  })
})

test('a view is found by projection or view, with a version or without; the served one comes first, else the oldest', async () => {
  const [one, two] = [await holding(meter(1), some), await holding(meter(2), some)]
  const { get } = await query([two.view, one.view])
  const key = METER.slice('/views/meter'.length)
  const version = async (name: string, ask = get) => (await ask(`/views/${name}${key}`)).body.version
  expect(
    await Promise.all(['meter', 'meter_view', 'meter.v1', 'meter_view_v1', 'meter.v2'].map((name) => version(name))),
  ).toEqual([1, 1, 1, 1, 2])
  const switched = await query([one.view, two.view], { served: async () => 2 })
  expect(await version('meter', switched.get)).toBe(2)
})

test('a version that readers are to see and that is not loaded is never replaced by another; by its name that one is still read', async () => {
  const { view } = await holding(meter(2), some)
  const { get } = await query([view], { served: async () => 1 })
  expect(await get(METER)).toMatchObject({
    status: 503,
    body: { error: { code: 'VERSION_NOT_LOADED', message: expect.stringContaining('to see version 1') } },
  })
  expect((await get(METER.replace('meter', 'meter.v2'))).body.version).toBe(2)
})

test('a row that never was, a deleted one and an unknown view are 404 that say which', async () => {
  const { view } = await holding(meter(), some)
  const { get } = await query([view])
  for (const url of ['/views/meter/never', '/views/meter/gone']) {
    expect(await get(url)).toMatchObject({
      status: 404,
      body: {
        error: { code: 'NOT_FOUND', message: expect.stringMatching(/view meter\.v1 has no row \["(never|gone)"\]/) },
      },
    })
  }
  expect(await get('/views/metre/x')).toMatchObject({
    status: 404,
    body: { error: { message: expect.stringContaining('did you mean meter?') } },
  })
  expect((await get('/views/constructor/x')).status).toBe(404)
})

test('a view with merge is answered merged, with one position for each part', async () => {
  const { view } = await holding(total, some)
  const { get } = await query([view])
  expect((await get('/views/total/all')).body).toMatchObject({
    row: { what: 'all', kwh: 10.5 },
    position: ['readings/0/4', 'readings/1/11'],
  })
})

test('the partition key alone lists the rows in their order, page by page', async () => {
  const { view } = await holding(daily, some)
  const { get } = await query([view])
  const day = `/views/daily/${encodeURIComponent('m 1/ü')}/2026-01-31`
  const first = await get(`${day}?limit=1`)
  expect(first.body).toMatchObject({ rows: [{ row: { slot: 15, kwh: 2 }, position: 'readings/1/11' }], version: 1 })
  const second = await get(`${day}?limit=1&page=${first.body.next}`)
  expect(second.body).toMatchObject({ rows: [{ row: { slot: 12, kwh: 1.5 } }], next: null })
  expect((await get(`${day}/12`)).body).toMatchObject({ row: { slot: 12 } })
  expect((await get('/views/daily/nobody/2026-01-31')).body).toMatchObject({ rows: [], next: null })
})

test.each([
  ['too few key parts', '/views/daily/a'],
  ['too many key parts', '/views/daily/a/2026-01-31/1/2'],
  ['no key', '/views/meter/'],
  ['a day that is none', '/views/daily/a/2026-02-30/1'],
  ['a number that is none', '/views/daily/a/2026-01-31/x'],
  ['a number that is too large', '/views/daily/a/2026-01-31/2147483648'],
  ['bytes that are no text', '/views/meter/%ff'],
  ['a broken escape', '/views/meter/%zz'],
  ['an unknown parameter', '/views/meter/a?limt=1'],
  ['a limit for one row', '/views/meter/a?limit=1'],
  ['a limit of nothing', '/views/daily/a/2026-01-31?limit=0'],
  ['a limit above the most', '/views/daily/a/2026-01-31?limit=1001'],
  ['a limit given twice', '/views/daily/a/2026-01-31?limit=1&limit=2'],
  ['a position that is none', '/views/meter/a?after=readings/1'],
  ['a position of another topic', '/views/meter/a?after=carts/1/2'],
  ['a wait for nothing', '/views/meter/a?wait=5'],
  ['a wait for ever', '/views/meter/a?after=readings/1/2&wait=999999'],
  ['a moment that is none', '/entities/readings/a/events?at=yesterday'],
])('%s is 400 with a code, a message and a remedy', async (_, url) => {
  const views = await Promise.all([meter(), daily, history].map((projection) => holding(projection, [])))
  const { get } = await query(views.map(({ view }) => view))
  const { status, body } = await get(url)
  expect(status).toBe(400)
  expect(body.error).toMatchObject({ code: 'REQUEST_INVALID', message: expect.any(String), remedy: expect.any(String) })
})

test('`after` says that the view holds the position, by the row or by what the version has recorded', async () => {
  const { view } = await holding(meter(), some)
  const { get } = await query([view])
  expect((await get(`${METER}?after=readings/1/11`)).body.stale).toBe(false)
  expect((await get('/views/meter/never?after=readings/1/9')).body.error.stale).toBe(false)
  expect((await get(METER)).body).not.toHaveProperty('stale')
})

test('`after` beyond what the view holds is answered with how far it is, also for a row that is not there yet', async () => {
  const { view } = await holding(meter(), some)
  const { get } = await query([view])
  expect((await get(`${METER}?after=readings/1/15`)).body.stale).toEqual({
    wanted: 'readings/1/15',
    holds: 'readings/1/11',
    behind: 4,
  })
  expect(await get('/views/meter/new?after=readings/1/15')).toMatchObject({
    status: 404,
    body: { error: { stale: { holds: 'readings/1/11' } } },
  })
  const empty = await holding(meter(), [])
  const other = await query([empty.view])
  expect((await other.get('/views/meter/new?after=readings/1/0')).body.error.stale).toEqual({
    wanted: 'readings/1/0',
    holds: null,
    behind: 1,
  })
})

test('`wait` answers as soon as the view holds the position', async () => {
  const { view, apply, durable } = await holding(meter(), some)
  const asked = Promise.withResolvers<void>()
  const watched: View = {
    ...view,
    durable: (source) => durable(source).finally(() => asked.resolve()),
  }
  const { get } = await query([watched])
  const waiting = get(`${METER}?after=readings/1/12&wait=30000`)
  await asked.promise
  await apply(event('readings/1/12', 'Read', { meter: 'm 1/ü', kwh: 1 }))
  expect((await waiting).body).toMatchObject({ row: { kwh: 4.5 }, position: 'readings/1/12', stale: false })
})

test('`wait` ends at its time, and when the process stops', async () => {
  const { view, durable } = await holding(meter(), some)
  const asked = Promise.withResolvers<void>()
  const watched: View = {
    ...view,
    durable: (source) => durable(source).finally(() => asked.resolve()),
  }
  const { get, app } = await query([watched])
  expect((await get(`${METER}?after=readings/1/12&wait=30`)).body.stale).toMatchObject({ behind: 1 })
  const waiting = get(`${METER}?after=readings/1/12&wait=30000`)
  await asked.promise
  await Promise.all([app.close(), waiting.then(({ body }) => expect(body.stale).toMatchObject({ behind: 1 }))])
})

test('when Cassandra is away the client is told to try again', async () => {
  const { view, faults } = await holding(meter(), some)
  faults.failNext(1)
  const { get } = await query([view])
  expect(await get(METER)).toMatchObject({
    status: 503,
    headers: { 'retry-after': '2' },
    body: { error: { code: 'CASSANDRA_UNAVAILABLE' } },
  })
  expect((await get(METER)).status).toBe(200)
})

test('the events of an entity come in the order of the log, page by page', async () => {
  const { view } = await holding(history, some)
  const { get } = await query([view])
  const url = `/entities/readings/${encodeURIComponent('m 1/ü')}/events`
  const first = await get(`${url}?limit=1`)
  expect(first.body.events).toEqual([
    {
      position: 'readings/1/10',
      type: 'Read',
      id: 'readings/1/10',
      source: '/m',
      time: '2026-01-31T12:00:00.000Z',
      data: { meter: 'm 1/ü', kwh: 1.5 },
    },
  ])
  expect((await get(`${url}?page=${first.body.next}`)).body).toMatchObject({
    events: [{ position: 'readings/1/11' }],
    next: null,
  })
})

test('an entity without events, a topic without history and no history at all are 404', async () => {
  const { view } = await holding(history, some)
  const { get } = await query([view])
  expect(await get('/entities/readings/nobody/events')).toMatchObject({
    status: 404,
    body: { error: { message: expect.stringContaining('no event of readings "nobody"') } },
  })
  expect(await get('/entities/carts/c1/events')).toMatchObject({
    status: 404,
    body: { error: { message: expect.stringContaining('reads readings') } },
  })
  const none = await query([])
  expect((await none.get('/entities/readings/a/events')).body.error.message).toContain('is not loaded')
})

test('`at` gives the events that had happened by then, and what every view without merge had made of them', async () => {
  const views = await Promise.all([meter(), daily, total, history].map((projection) => holding(projection, some)))
  const { get } = await query(views.map(({ view }) => view))
  const url = `/entities/readings/${encodeURIComponent('m 1/ü')}/events`
  const { body } = await get(`${url}?at=2026-01-31T14:00:00Z`)
  expect(body.events).toHaveLength(1)
  expect(body.state).toMatchObject([
    { view: 'daily', version: 1, rows: [{ slot: 12, kwh: 1.5 }] },
    { view: 'meter', version: 1, rows: [{ kwh: 1.5 }] },
  ])
  expect((await get(`${url}?at=0`)).body).toMatchObject({ events: [], state: [{ rows: [] }, { rows: [] }] })
  expect((await get('/entities/readings/gone/events?at=2027-01-01T00:00:00Z')).body.state).toMatchObject([
    {},
    { view: 'meter', rows: [] },
  ])
})

test('probes and the description of the API are on the same server, and nothing can be written', async () => {
  const { view } = await holding(daily, [])
  const { app, get } = await query([view])
  expect(Object.keys((await get('/openapi.json')).body.paths)).toEqual([
    '/views/{view}/{*}',
    '/entities/{topic}/{key}/events',
  ])
  expect((await app.inject('/docs')).statusCode).toBe(200)
  expect((await get('/livez')).status).toBe(200)
  expect((await app.inject({ method: 'DELETE', url: '/views/daily/a' })).statusCode).toBe(404)
})

test('age is the time since the oldest missing event was produced; 0 when none is missing; null when it is not known', async () => {
  let time = 100_000
  const record = (offset: number, timestamp: number): LogRecord => ({
    offset,
    timestamp,
    key: null,
    value: null,
    headers: {},
  })
  const { durable } = await holding(meter(), some)
  let records = [record(12, 90_000), record(13, 95_000)]
  let end = 12
  const log = {
    bounds: async () => new Map([[1, { start: 0, end }]]),
    async *read(_: unknown, from: number) {
      const found = records.filter(({ offset }) => offset >= from)
      if (found.length > 0) yield found
    },
  }
  const age = freshness({ log, durable, now: () => time })
  expect(await age(['readings/1'])).toBe(0)
  end = 14
  expect(await age(['readings/1'])).toBe(0)
  time += 1_000
  expect(await age(['readings/1'])).toBe(11)
  records = []
  time += 1_000
  expect(await age(['readings/1'])).toBe(0)
  expect(await age(['readings/1', 'readings/7'])).toBeNull()
  expect(await age([])).toBe(0)
})

test('durable is the newer of what the version recorded and what its group committed, and does not need Kafka', async () => {
  const { progress } = await holding(meter(), some)
  const committed = { asked: 0, next: 15 }
  let time = 0
  const log = {
    async committed(group: string) {
      expect(group).toBe('meter.v1')
      committed.asked++
      if (committed.next === 0) throw new Error('Kafka is away')
      return new Map([[1, committed.next]])
    },
  }
  const durable = durablePositions({ progress, log, group: 'meter.v1', now: () => time })
  const source = { topic: 'readings', partition: 1 }
  expect([await durable(source), await durable(source), committed.asked]).toEqual([14, 14, 1])
  time += 200
  committed.next = 5
  expect(await durable(source)).toBe(11)
  time += 200
  committed.next = 0
  expect(await durable(source)).toBe(11)
  expect(await durable({ topic: 'readings', partition: 9 })).toBe(-1)
})
