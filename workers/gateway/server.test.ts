import { Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { memoryLog } from '../../shared/engine/memory/log.ts'
import type { Publisher } from '../../shared/engine/ports.ts'
import { TidemarkError } from '../../shared/errors.ts'
import { carts, defineTopic, inventory, type OutgoingRecord } from '../../shared/events/index.ts'
import { createLogger, createMetrics } from '../../shared/observability/index.ts'
import { buildGateway, type GatewayParts } from './server.ts'

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const ONE = 'application/cloudevents+json'
const BATCH = 'application/cloudevents-batch+json'

const item = { cartId: 'c1', productId: 'p1', quantity: 1, unitPriceCents: 100 }
const added = (id: string, more: object = {}) => ({
  specversion: '1.0',
  id,
  source: '/shop',
  type: 'ItemAddedToCart',
  subject: 'c1',
  time: '2026-01-31T12:00:00Z',
  data: item,
  ...more,
})
const received = (id: string) => ({
  specversion: '1.0',
  id,
  source: '/stock',
  type: 'StockReceived',
  subject: 'p1',
  data: { productId: 'p1', quantity: 3, warehouse: 'w' },
})

async function gateway(parts: Partial<GatewayParts> = {}) {
  const memory = memoryLog()
  for (const { name, partitions } of [carts, inventory]) memory.createTopic(name, partitions)
  const published: (OutgoingRecord & { topic: string })[] = []
  const publisher: Pick<Publisher, 'publish'> = {
    publish(topic, records) {
      published.push(...records.map((record) => ({ ...record, topic })))
      return memory.publish(topic, records)
    },
  }
  const log = createLogger({ level: 'silent' }, { terminal: false, stream: new Writable() })
  const app = await buildGateway({
    topics: [carts, inventory],
    publisher,
    log,
    metrics: createMetrics(),
    verdict: () => ({ ready: true, reasons: [] }),
    ...parts,
  })
  onTestFinished(() => app.close())
  return { app, published, memory }
}

function post(app: FastifyInstance, payload: unknown, contentType = ONE, headers: Record<string, string> = {}) {
  return app.inject({
    method: 'POST',
    url: '/events',
    headers: { 'content-type': contentType, ...headers },
    payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
  })
}

test('an event is published under its subject and answered with its position', async () => {
  const { app, published } = await gateway()
  const answer = await post(app, added('1'))
  expect(answer.statusCode).toBe(202)
  expect(answer.json()).toEqual({ positions: [expect.stringMatching(/^carts\/\d+\/0$/)] })
  expect(published).toHaveLength(1)
  expect(published[0]).toMatchObject({
    topic: 'carts',
    key: 'c1',
    headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
  })
  expect(JSON.parse(published[0]?.value ?? '')).toEqual(added('1'))
})

test('a batch goes to the topics of its types, and the positions are in its order', async () => {
  const { app, published } = await gateway()
  const answer = await post(app, [added('1'), received('2'), added('3')], BATCH)
  expect(answer.json().positions).toEqual([
    expect.stringMatching(/^carts\/\d+\/0$/),
    expect.stringMatching(/^inventory\/\d+\/0$/),
    expect.stringMatching(/^carts\/\d+\/1$/),
  ])
  expect(published.map(({ topic }) => topic).sort()).toEqual(['carts', 'carts', 'inventory'])
})

test('application/json is taken for one event and for a list; an empty batch is no fault', async () => {
  const { app } = await gateway()
  expect((await post(app, added('1'), 'application/json; charset=utf-8')).statusCode).toBe(202)
  expect((await post(app, [added('2')], 'Application/JSON')).statusCode).toBe(202)
  expect((await post(app, [], BATCH)).json()).toEqual({ positions: [] })
})

test('binary mode: attributes in ce- headers, data as the body', async () => {
  const { app, published } = await gateway()
  const headers = {
    'ce-specversion': '1.0',
    'ce-id': '1',
    'ce-source': '/shop',
    'ce-type': 'ItemAddedToCart',
    'ce-subject': 'caf%C3%A9',
  }
  expect((await post(app, item, 'application/json', headers)).statusCode).toBe(202)
  expect(JSON.parse(published[0]?.value ?? '')).toMatchObject({ subject: 'café', data: item })
  expect((await post(app, 'x', ONE, headers)).statusCode).toBe(415)
  expect((await post(app, item, 'application/json', { ...headers, 'ce-subject': '%ff' })).statusCode).toBe(400)
})

test('of a request with a fault nothing is published, and every event with a fault is named', async () => {
  const { app, published } = await gateway()
  const answer = await post(
    app,
    [
      added('1'),
      added('2', { data: { ...item, quantity: 0 } }),
      added('3', { type: 'ItemAdedToCart' }),
      added('4', { subject: undefined }),
    ],
    BATCH,
  )
  expect(answer.statusCode).toBe(400)
  expect(answer.json().error).toMatchObject({
    code: 'EVENTS_REFUSED',
    events: [
      { index: 1, id: '2', code: 'EVENT_SCHEMA_VIOLATION', message: expect.stringContaining('quantity') },
      {
        index: 2,
        id: '3',
        code: 'EVENT_TYPE_UNKNOWN',
        message: expect.stringContaining('did you mean ItemAddedToCart?'),
      },
      { index: 3, id: '4', code: 'EVENT_NOT_CLOUDEVENT', message: expect.stringContaining('subject is missing') },
    ],
  })
  expect(answer.json().error.events[0].message).not.toContain('carts/0')
  expect(published).toEqual([])
})

test.each([
  ['no JSON', '{', ONE, 400],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), ONE, 400],
  ['an empty body', '', ONE, 400],
  ['null', 'null', ONE, 400],
  ['a number', '7', ONE, 400],
  ['a list as one event', [added('1')], ONE, 400],
  ['one event as a batch', added('1'), BATCH, 400],
  ['a list in a list', [[added('1')]], BATCH, 400],
  ['another specversion', added('1', { specversion: '0.3' }), ONE, 400],
  ['an empty subject', added('1', { subject: '' }), ONE, 400],
  ['a subject that is a number', added('1', { subject: 7 }), ONE, 400],
  ['a subject of half a character', `${JSON.stringify(added('1')).replace('"c1"', '"\\ud800"')}`, ONE, 400],
  ['an id too long to remember', added('x'.repeat(3_000)), ONE, 400],
  ['a date instead of a time', added('1', { time: '2026-01-31' }), ONE, 400],
  ['base64 data', added('1', { data: undefined, data_base64: 'eA==' }), ONE, 400],
  ['XML data', added('1', { datacontenttype: 'text/xml' }), ONE, 400],
  ['an attribute with a capital letter', added('1', { myAttribute: 'x' }), ONE, 400],
  ['an attribute that is an object', added('1', { extension: {} }), ONE, 400],
  ['no data', added('1', { data: undefined }), ONE, 400],
  ['a type of every object', added('1', { type: 'constructor' }), ONE, 400],
  ['text', 'x', 'text/plain', 415],
  ['a form', 'a=b', 'application/x-www-form-urlencoded', 415],
])('%s is refused with a code and a remedy, and nothing is published', async (_, payload, contentType, status) => {
  const { app, published } = await gateway()
  const answer = await post(app, payload, contentType)
  expect(answer.statusCode).toBe(status)
  expect(answer.json().error).toMatchObject({
    code: expect.any(String),
    message: expect.any(String),
    remedy: expect.any(String),
  })
  expect(published).toEqual([])
})

test('a request above the limit is 413', async () => {
  const { app } = await gateway({ bodyLimit: 1_000 })
  const answer = await post(app, added('1', { data: { ...item, note: 'x'.repeat(1_000) } }))
  expect([answer.statusCode, answer.json().error.code]).toEqual([413, 'BODY_TOO_LARGE'])
})

test('an event sent again, alone, in a batch or while it is being published, is one event with one position', async () => {
  const { app, published } = await gateway()
  const [first, second] = await Promise.all([post(app, added('1')), post(app, added('1'))])
  const third = await post(app, [added('1'), added('2'), added('2')], BATCH)
  expect(second.json()).toEqual(first.json())
  const [again, two, twice] = third.json().positions
  expect([again, two]).toEqual([first.json().positions[0], twice])
  expect(published.map(({ value }) => JSON.parse(value ?? '').id)).toEqual(['1', '2'])
})

test('one id for two different events is refused; another trace does not make it different', async () => {
  const { app, published } = await gateway()
  expect((await post(app, added('1', { traceparent: PARENT }))).statusCode).toBe(202)
  expect((await post(app, added('1'))).statusCode).toBe(202)
  const other = await post(app, added('1', { data: { ...item, quantity: 2 } }))
  expect(other.json().error.events).toMatchObject([{ index: 0, code: 'EVENT_ID_REUSED' }])
  expect((await post(app, [added('2'), added('2', { time: '2027-01-01T00:00:00Z' })], BATCH)).statusCode).toBe(400)
  expect((await post(app, added('1', { source: '/other' }))).statusCode).toBe(202)
  expect(published).toHaveLength(2)
})

test('when Kafka is away the client is told to try again, and trying again publishes', async () => {
  let away = true
  const { app, memory } = await gateway({
    publisher: {
      publish: async (topic, records) => {
        if (away) throw new TidemarkError('KAFKA_UNAVAILABLE', 'no broker answers')
        return memory.publish(topic, records)
      },
    },
  })
  const answer = await post(app, added('1'))
  expect([answer.statusCode, answer.headers['retry-after'], answer.json().error.code]).toEqual([
    503,
    '2',
    'KAFKA_UNAVAILABLE',
  ])
  away = false
  expect((await post(app, added('1'))).statusCode).toBe(202)
})

test('when one of two topics fails, trying again completes the request and makes no event twice', async () => {
  const published: string[] = []
  let away = true
  const { app, memory } = await gateway({
    publisher: {
      publish: async (topic, records) => {
        if (away && topic === 'inventory') throw new TidemarkError('KAFKA_UNAVAILABLE', 'no broker answers')
        published.push(topic)
        return memory.publish(topic, records)
      },
    },
  })
  expect((await post(app, [added('1'), received('2')], BATCH)).statusCode).toBe(503)
  away = false
  expect((await post(app, [added('1'), received('2')], BATCH)).statusCode).toBe(202)
  expect(published).toEqual(['carts', 'inventory'])
})

test('a batch larger than what is remembered is published all the same', async () => {
  const { app, published } = await gateway({ windowSize: 2 })
  const answer = await post(
    app,
    Array.from({ length: 10 }, (_, index) => added(String(index))),
    BATCH,
  )
  expect(answer.json().positions).toHaveLength(10)
  expect(published).toHaveLength(10)
})

test('above what it holds at once the gateway says so instead of queueing', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  const { app, memory } = await gateway({
    inFlightBytes: 300,
    publisher: {
      publish: async (topic, records) => {
        started.resolve()
        await promise
        return memory.publish(topic, records)
      },
    },
  })
  const first = Promise.resolve(post(app, added('1')))
  await started.promise
  const second = await post(app, added('2'))
  expect([second.statusCode, second.headers['retry-after'], second.json().error.code]).toEqual([429, '1', 'OVERLOADED'])
  resolve()
  expect((await first).statusCode).toBe(202)
  expect((await post(app, added('2'))).statusCode).toBe(202)
})

test("a request's trace context goes into the record's headers; what is none does not", async () => {
  const { app, published } = await gateway()
  await post(app, added('1'), ONE, { traceparent: PARENT })
  await post(app, added('2'), ONE, { traceparent: 'rubbish' })
  await post(app, added('3', { traceparent: PARENT }))
  await post(app, added('4', { traceparent: 'rubbish' }))
  expect(published.map(({ headers }) => headers.traceparent)).toEqual([PARENT, undefined, PARENT, undefined])
  expect(published[3]?.value).not.toContain('rubbish')
})

test('a type that two topics carry, and a topic with its own format, are refused with the reason', async () => {
  const other = defineTopic({ ...carts, name: 'other' })
  const own = defineTopic({ ...inventory, decode: () => null })
  const { app } = await gateway({ topics: [carts, other, own] })
  expect((await post(app, added('1'))).json().error.events[0].message).toContain('is in several topics (carts, other)')
  expect((await post(app, received('1'))).json().error.events[0].message).toContain('has its own format')
})

test('an unforeseen failure shows nothing of itself', async () => {
  const { app } = await gateway({ publisher: { publish: () => Promise.reject(new Error('secret')) } })
  const answer = await post(app, added('1'))
  expect(answer.statusCode).toBe(500)
  expect(answer.body).not.toContain('secret')
})

test('probes, metrics and the description of the API are on the same server', async () => {
  const { app } = await gateway({ verdict: () => ({ ready: false, reasons: ['Kafka has not been reached yet'] }) })
  expect((await app.inject('/livez')).statusCode).toBe(200)
  expect((await app.inject('/readyz')).statusCode).toBe(503)
  expect((await app.inject('/metrics')).headers['content-type']).toMatch(/^text\/plain/)
  expect((await app.inject('/docs')).statusCode).toBe(200)
  expect(Object.keys((await app.inject('/openapi.json')).json().paths)).toEqual(['/events'])
  expect((await app.inject('/nothing')).json().error.code).toBe('NOT_FOUND')
  expect((await app.inject('/%ff')).statusCode).toBe(400)
})
