import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { isKind } from '../errors.ts'
import { anyJson, anyText, fuzz, nearly, prototypeName } from '../testing/fuzz.ts'
import { decoder } from './decode.ts'
import { encodeBinary, encodeStructured } from './encode.ts'
import type { LogRecord, RecordHeaders } from './event.ts'
import { defineTopic } from './topic.ts'

const topic = defineTopic({
  name: 'things',
  partitions: 1,
  events: {
    Said: z.object({ id: z.string(), count: z.number(), any: z.unknown(), by: z.record(z.string(), z.unknown()) }),
    Kept: z.any(),
  },
  upcast: { Told: ({ data }) => ({ type: 'Kept', data }) },
})
const decode = decoder(topic, (type) => Object.hasOwn(topic.events, type))

const event = {
  specversion: '1.0',
  id: 'e1',
  source: '/fuzz',
  type: 'Said',
  subject: 's1',
  time: '2026-01-31T12:00:00Z',
  data: { id: 'i', count: 1, any: [null], by: { a: 1 } },
} as const
const structured = encodeStructured(event)
const binary = encodeBinary(event)

const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
const value = fc.oneof(
  fc.uint8Array().map((array) => Buffer.from(array)),
  anyJson.map((json) => Buffer.from(json)),
  nearly(Buffer.from(structured.value!)),
  nearly(Buffer.from(binary.value!)),
  fc
    .record({ type: fc.oneof(fc.constantFrom('Said', 'Kept', 'Told'), prototypeName), data: anyJson, time: anyText })
    .map(({ type, data, time }) =>
      Buffer.from(
        `{"specversion":"1.0","id":"1","source":"f","type":${JSON.stringify(type)},"time":${JSON.stringify(time)},"data":${data}}`,
      ),
    ),
)
const headerValue = fc.oneof(
  anyText.map((text) => Buffer.from(text)),
  fc.uint8Array().map((array) => Buffer.from(array)),
  fc.constantFrom('1.0', 'Said', 'Kept', 'Told', '2026-02-30T00:00:00Z').map((text) => Buffer.from(text)),
  fc.constant(null),
  fc.constant(Buffer.alloc(100_000, 'x')),
  fc.array(anyText.map((text) => Buffer.from(text))),
)
const attributes = ['specversion', 'type', 'id', 'source', 'time', 'subject', 'dataschema']
const headers: fc.Arbitrary<RecordHeaders> = fc.oneof(
  fc.dictionary(
    fc.oneof(fc.constantFrom(...attributes.map((name) => `ce_${name}`)), prototypeName, anyText),
    headerValue,
  ),
  fc
    .dictionary(fc.constantFrom(...attributes.map((name) => `ce_${name}`)), headerValue, { maxKeys: 2 })
    .map((changed) => ({
      ...Object.fromEntries(Object.entries(binary.headers).map(([name, text]) => [name, Buffer.from(text)])),
      ...changed,
    })),
)
const record: fc.Arbitrary<LogRecord> = fc.record({
  offset: fc.nat(),
  timestamp: fc.oneof(fc.nat(), fc.constantFrom(-1, 0, 8.64e15)),
  key: fc.oneof(
    anyText.map(bytes),
    fc.uint8Array().map((array) => Buffer.from(array)),
    fc.constant(null),
  ),
  value: fc.oneof(value, fc.constant(null)),
  headers,
})

test('any record is an event, none of ours, or poison; and always the same', () => {
  fc.assert(
    fc.property(record, (record) => {
      const once = outcome(record)
      expect(outcome(record)).toEqual(once)
      if (typeof once !== 'object' || once === null) return
      expect(Object.hasOwn(topic.events, once.type)).toBe(true)
      expect(Number.isNaN(once.time.getTime())).toBe(false)
      expect(Object.getPrototypeOf({})).toBe(Object.prototype)
    }),
    fuzz,
  )
}, 900_000)

function outcome(record: LogRecord) {
  try {
    return decode(record, 0)
  } catch (error) {
    if (!isKind(error, 'poison')) throw error
    return error.code
  }
}
