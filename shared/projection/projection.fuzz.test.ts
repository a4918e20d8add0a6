import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { TidemarkError } from '../errors.ts'
import { defineTopic } from '../events/topic.ts'
import { anyText, fuzz } from '../testing/fuzz.ts'
import { foldOf } from './fold.ts'
import { defineProjection, definitionFingerprint } from './projection.ts'
import { table } from './table.ts'

const good = {
  name: 'things',
  version: 1,
  topic: defineTopic({ name: 'things', partitions: 1, events: { Said: z.any() } }),
  view: table('things', { columns: { id: 'text', count: 'int' }, partitionKey: ['id'], clusteringKey: {} }),
  key: () => ({ id: 'a' }),
  initial: () => ({ id: 'a', count: 0 }),
  on: { Said: (row: unknown) => row },
}
const junk = fc.oneof(
  { maxDepth: 3 },
  anyText,
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSet: true }),
  fc.constantFrom(
    Symbol('s'),
    () => 1,
    async () => 1,
    new Proxy({}, {}),
    Number.NaN,
    [null],
    [undefined],
  ),
)
const columns = fc.dictionary(
  fc.oneof(anyText, fc.constantFrom('id', 'tmPosition', 'aB', 'toString')),
  fc.oneof(junk, fc.constantFrom('text', 'int?', 'map<text,int>', 'set<set<int>>', 'decimal', 'list<')),
)
const view = fc.oneof(
  junk,
  fc.record({
    name: fc.oneof(junk, fc.constant('v')),
    columns: fc.oneof(junk, columns),
    partitionKey: junk,
    clusteringKey: junk,
  }),
  fc.record({
    name: fc.constant('v'),
    columns,
    partitionKey: fc.array(fc.oneof(junk, fc.constant('id'))),
    clusteringKey: fc.dictionary(anyText, fc.oneof(junk, fc.constant('asc'))),
  }),
)
const topic = fc.oneof(
  junk,
  fc.record(
    {
      name: fc.oneof(junk, fc.constant('t')),
      partitions: fc.oneof(junk, fc.constant(3)),
      events: fc.oneof(junk, fc.dictionary(anyText, fc.oneof(junk, fc.constant(z.any())))),
      upcast: junk,
      decode: junk,
    },
    { requiredKeys: [] },
  ),
)
const part = fc.oneof(
  fc.record({ topic: fc.oneof(topic, fc.array(topic)) }),
  fc.record({ view }),
  fc.dictionary(fc.constantFrom('name', 'version', 'key', 'initial', 'on', 'merge', 'topic', 'view'), junk),
  fc.record({ on: fc.dictionary(anyText, junk) }),
)

test('any definition is taken and can be folded with, or refused with PROJECTION_INVALID', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        junk,
        fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => Object.assign({}, good, ...parts)),
      ),
      (definition) => {
        let projection: ReturnType<typeof defineProjection>
        try {
          projection = defineProjection(definition as never)
        } catch (error) {
          if (!(error instanceof TidemarkError)) throw error
          expect(error.code).toBe('PROJECTION_INVALID')
          return
        }
        foldOf(projection)
        expect(definitionFingerprint(projection)).toMatch(/^[0-9a-f]{32}$/)
      },
    ),
    fuzz,
  )
}, 900_000)

test('any arguments make a table, or none that a projection takes', () => {
  fc.assert(
    fc.property(
      junk,
      fc.oneof(junk, fc.record({ columns: fc.oneof(junk, columns), partitionKey: junk, clusteringKey: junk })),
      (name, definition) => {
        try {
          defineProjection({ ...good, view: Reflect.apply(table, undefined, [name, definition]) } as never)
        } catch (error) {
          if (!(error instanceof TidemarkError)) throw error
          expect(error.code).toBe('PROJECTION_INVALID')
        }
      },
    ),
    fuzz,
  )
}, 900_000)
