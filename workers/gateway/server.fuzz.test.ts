import { Writable } from 'node:stream'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { memoryLog } from '../../shared/engine/memory/log.ts'
import { carts, inventory } from '../../shared/events/index.ts'
import { createLogger, createMetrics } from '../../shared/observability/index.ts'
import { anyJson, anyText, fuzz, nearly } from '../../shared/testing/fuzz.ts'
import { buildGateway } from './server.ts'

const event = {
  specversion: '1.0',
  id: '1',
  source: '/f',
  type: 'StockReceived',
  subject: 'p',
  time: '2026-01-31T12:00:00Z',
  data: { productId: 'p', quantity: 1, warehouse: 'w' },
}
const good = Buffer.from(JSON.stringify(event))
const changed = fc
  .dictionary(
    fc.oneof(fc.constantFrom(...Object.keys(event), 'datacontenttype', 'traceparent'), anyText),
    fc.oneof(anyText, fc.jsonValue()),
  )
  .map((over) => ({ ...event, ...over }))
const payload = fc.oneof(
  nearly(good),
  fc.uint8Array().map((array) => Buffer.from(array)),
  anyJson.map((json) => Buffer.from(json)),
  changed.map((one) => Buffer.from(JSON.stringify(one))),
  fc.array(fc.oneof(changed, fc.jsonValue()), { maxLength: 5 }).map((many) => Buffer.from(JSON.stringify(many))),
)
const headerText = anyText.map((text) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ''))
const contentType = fc.oneof(
  fc.constantFrom('application/cloudevents+json', 'application/cloudevents-batch+json', 'application/json'),
  fc.constantFrom('application/json; charset=latin1', 'text/plain', ';', 'application/json;;='),
  headerText,
)
const attributes = fc.dictionary(
  fc.constantFrom(
    'ce-specversion',
    'ce-id',
    'ce-type',
    'ce-source',
    'ce-subject',
    'ce-time',
    'ce-__proto__',
    'traceparent',
  ),
  fc.oneof(headerText, fc.constantFrom('1.0', 'StockReceived', '%', '%ff', 'p')),
)

test("any request is taken, or refused by its client's own fault, and what is taken is published", async () => {
  const memory = memoryLog()
  for (const { name, partitions } of [carts, inventory]) memory.createTopic(name, partitions)
  const app = await buildGateway({
    topics: [carts, inventory],
    publisher: memory.publisher,
    log: createLogger({ level: 'silent' }, { terminal: false, stream: new Writable() }),
    metrics: createMetrics(),
    verdict: () => ({ ready: true, reasons: [] }),
    windowSize: 10,
  })
  onTestFinished(() => app.close())
  await fc.assert(
    fc.asyncProperty(payload, contentType, attributes, async (payload, type, attributes) => {
      const headers = { ...attributes, 'content-type': type }
      const { statusCode, body } = await app.inject({ method: 'POST', url: '/events', headers, payload })
      expect(statusCode === 202 || (statusCode >= 400 && statusCode < 500), `${statusCode} ${body}`).toBe(true)
      const said = JSON.parse(body)
      if (statusCode === 202) expect(said.positions).toBeInstanceOf(Array)
      else
        expect(said.error).toMatchObject({
          code: expect.any(String),
          message: expect.any(String),
          remedy: expect.any(String),
        })
    }),
    fuzz,
  )
}, 900_000)
