import { Writable } from 'node:stream'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { memoryStores } from '../../shared/engine/memory/store.ts'
import { createLogger, createMetrics } from '../../shared/observability/index.ts'
import { defineProjection, defineTopic, table, z } from '../../shared/projection/index.ts'
import { anyText, fuzz } from '../../shared/testing/fuzz.ts'
import { buildQuery } from './server.ts'

const things = defineTopic({ name: 'things', partitions: 2, events: { Said: z.object({ id: z.string() }) } })
const everyKey = defineProjection({
  name: 'every-key',
  version: 1,
  topic: things,
  view: table('every_key', {
    columns: {
      id: 'uuid',
      day: 'date',
      at: 'timestamp',
      big: 'bigint',
      small: 'int',
      size: 'double',
      yes: 'boolean',
      raw: 'blob',
      text: 'text',
    },
    partitionKey: ['id', 'day'],
    clusteringKey: { at: 'asc', big: 'asc', small: 'asc', size: 'asc', yes: 'asc', raw: 'asc', text: 'asc' },
  }),
  key: () => [],
  initial: (key) => key,
  on: { Said: (row) => row },
})
const plain = defineProjection({
  name: 'plain',
  version: 1,
  topic: things,
  view: table('plain', { columns: { id: 'text' }, partitionKey: ['id'] }),
  key: ({ data }) => ({ id: data.id }),
  initial: (key) => key,
  on: { Said: (row) => row },
})
const history = defineProjection({
  name: 'entity-history',
  version: 1,
  topic: things,
  view: table('entity_history', {
    columns: { topic: 'text', entity: 'text', offset: 'bigint' },
    partitionKey: ['topic', 'entity'],
    clusteringKey: { offset: 'asc' },
  }),
  key: () => [],
  initial: (key) => key,
  on: { Said: (row) => row },
})

const part = fc.oneof(
  anyText.map(encoded),
  fc.constantFrom(
    '2026-01-31',
    '2026-02-30',
    '00000000-0000-0000-0000-000000000000',
    '-1',
    '9'.repeat(19),
    'NaN',
    'true',
    'eA',
    '%',
    '%ff',
    '%2F',
    '..',
    '0',
  ),
)
const path = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('every-key', 'plain', 'entity-history', 'plain.v1', 'nothing'),
      fc.array(part, { maxLength: 9 }),
    )
    .map(([view, parts]) => `/views/${view}/${parts.join('/')}`),
  fc.tuple(part, part).map((parts) => `/entities/${parts.join('/')}/events`),
  part.map((entity) => `/entities/things/${entity}/events`),
  fc.array(part).map((parts) => `/${parts.join('/')}`),
)
const parameter = fc.tuple(
  fc.oneof(fc.constantFrom('after', 'wait', 'limit', 'page', 'at', '__proto__'), part),
  fc.oneof(
    part,
    fc.constantFrom(
      'things/0/1',
      'things/0/0',
      'things/9/9',
      'other/0/0',
      '0',
      '1',
      '1001',
      '1e3',
      '2026-01-31T12:00:00Z',
      '8640000000000001',
    ),
  ),
)
const query = fc
  .array(parameter, { maxLength: 4 })
  .map((all) =>
    all.map(([name, value]) => (name === 'wait' && /^\d{3,}$/.test(value) ? 'wait=5' : `${name}=${value}`)).join('&'),
  )

test('any address and any parameters are answered, and never with a fault of ours', async () => {
  const views = [everyKey, plain, history].map((projection) => ({
    projection,
    reader: memoryStores(projection).view,
    durable: async () => 0,
    freshness: async () => 0,
  }))
  const app = await buildQuery({
    views,
    log: createLogger({ level: 'silent' }, { terminal: false, stream: new Writable() }),
    metrics: createMetrics(),
    verdict: () => ({ ready: true, reasons: [] }),
  })
  onTestFinished(() => app.close())
  await fc.assert(
    fc.asyncProperty(path, query, async (path, query) => {
      const { statusCode, body } = await app.inject({ method: 'GET', url: `${path}?${query}` })
      expect(statusCode, `${path}?${query}: ${body}`).toBeLessThan(500)
    }),
    fuzz,
  )
}, 900_000)

/** What a URL may hold; lone surrogates can't even be sent. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
