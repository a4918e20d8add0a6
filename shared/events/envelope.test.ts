import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TidemarkError } from '../errors.ts'
import { carts } from './carts.ts'
import { type CloudEvent, encodeBinary, encodeStructured } from './encode.ts'
import type { LogRecord } from './event.ts'
import { asKept, code, json, open, read, said } from './reading.test-data.ts'

const text = fc.string({ unit: 'grapheme', minLength: 1 })
const cloudEvents: fc.Arbitrary<CloudEvent> = fc.record(
  {
    specversion: fc.constant('1.0' as const),
    id: text,
    source: text,
    type: fc.constant('Said'),
    subject: text,
    time: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') })
      .map((date) => date.toISOString()),
    data: fc.jsonValue(),
  },
  { requiredKeys: ['specversion', 'id', 'source', 'type', 'subject'] },
)

describe('what was encoded is decoded', () => {
  test.each([
    ['structured', encodeStructured],
    ['binary', encodeBinary],
  ])('in %s mode', (_, encode) => {
    fc.assert(
      fc.property(cloudEvents, (event) => {
        const through = event.data === undefined ? undefined : JSON.parse(JSON.stringify(event.data))
        expect(read(open, asKept(encode(event)))).toEqual({
          type: 'Said',
          data: through,
          id: event.id,
          source: event.source,
          subject: event.subject,
          time: new Date(event.time ?? 1_000),
          position: { topic: 'open', partition: 3, offset: 7 },
        })
      }),
    )
  })

  test('with the trace context as header and extension', () => {
    const event = { ...said, subject: 'a', traceparent: '00-1-2-03' }
    expect(encodeStructured(event).headers.traceparent).toBe('00-1-2-03')
    expect(encodeBinary(event).headers).toMatchObject({ traceparent: '00-1-2-03', ce_traceparent: '00-1-2-03' })
  })
})

describe('whatever a record holds, it is an event, of no interest or poison', () => {
  const bytes = fc.oneof(
    fc.uint8Array().map((array) => Buffer.from(array)),
    fc.json().map((value) => Buffer.from(value)),
    fc
      .dictionary(
        fc.constantFrom('specversion', 'type', 'id', 'source', 'time', 'subject', 'data', '__proto__'),
        fc.oneof(fc.jsonValue(), fc.constantFrom('1.0', 'Said', 'OrderPlaced')),
      )
      .map(json),
  )
  const header = fc.oneof(
    fc.constantFrom('1.0', 'Said', 'OrderPlaced'),
    fc.string(),
    fc.uint8Array().map((array) => Buffer.from(array)),
    fc.constant(null),
    fc.constant(undefined),
    fc.array(fc.string()),
  )
  const headers = fc.dictionary(
    fc.constantFrom(
      'ce_specversion',
      'ce_type',
      'ce_id',
      'ce_source',
      'ce_time',
      'ce_subject',
      'ce_dataschema',
      'content-type',
    ),
    header,
  )

  test.each([open, carts])('on topic $name', (topic) => {
    fc.assert(
      fc.property(fc.option(bytes), fc.option(bytes), headers, (key, value, headers) => {
        try {
          const event = read(topic, { key, value, headers })
          if (event === null) return
          expect(topic.events).toHaveProperty(event.type)
          expect(event.id).not.toBe('')
          expect(event.time.getTime()).not.toBeNaN()
        } catch (error) {
          expect(error).toBeInstanceOf(TidemarkError)
          expect(error).toMatchObject({ kind: 'poison', message: expect.stringContaining(`${topic.name}/3/7`) })
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a record that is not what it should be says why', () => {
  test.each<[string, string, Partial<LogRecord>]>([
    ['no value', 'EVENT_EMPTY', {}],
    ['no JSON', 'EVENT_NOT_JSON', { value: Buffer.from('{') }],
    [
      'JSON in bytes that are not UTF-8',
      'EVENT_NOT_JSON',
      { value: Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]) },
    ],
    ['a number', 'EVENT_NOT_CLOUDEVENT', { value: json(1) }],
    ['null', 'EVENT_NOT_CLOUDEVENT', { value: json(null) }],
    ['a batch', 'EVENT_NOT_CLOUDEVENT', { value: json([said]) }],
    ['another version', 'EVENT_NOT_CLOUDEVENT', { value: json({ ...said, specversion: '0.3' }) }],
    ['no id', 'EVENT_NOT_CLOUDEVENT', { value: json({ ...said, id: '' }) }],
    ['a subject that is a number', 'EVENT_NOT_CLOUDEVENT', { value: json({ ...said, subject: 1 }) }],
    ['an empty subject', 'EVENT_NOT_CLOUDEVENT', { value: json({ ...said, subject: '' }) }],
    ['a time that is a number', 'EVENT_NOT_CLOUDEVENT', { value: json({ ...said, time: 1 }) }],
    ['a date without a time', 'EVENT_NOT_CLOUDEVENT', { value: json({ ...said, time: '2026-01-01' }) }],
    ['a time without a zone', 'EVENT_NOT_CLOUDEVENT', { value: json({ ...said, time: '2026-01-01T00:00:00' }) }],
    ['a day that never was', 'EVENT_NOT_CLOUDEVENT', { value: json({ ...said, time: '2026-02-30T00:00:00Z' }) }],
    ['an hour that never is', 'EVENT_NOT_CLOUDEVENT', { value: json({ ...said, time: '2026-01-01T24:00:00Z' }) }],
    ['no key', 'EVENT_KEY_MISSING', { key: null, value: json(said) }],
    ['half the headers', 'EVENT_NOT_CLOUDEVENT', { headers: { ce_specversion: '1.0', ce_type: 'Said' } }],
    [
      'a header that is not UTF-8',
      'EVENT_NOT_CLOUDEVENT',
      { headers: { ce_specversion: '1.0', ce_type: 'Said', ce_id: Buffer.from([0xff]), ce_source: 's' } },
    ],
  ])('%s: %s', (_, expected, record) => {
    expect(() => read(open, record)).toThrow(code(expected))
  })

  test('data that does not fit: which field and why', () => {
    const wrong = {
      ...said,
      type: 'ItemAddedToCart',
      data: { cartId: 'c1', productId: 'p', quantity: 0, unitPriceCents: 1 },
    }
    expect(() => read(carts, { value: json(wrong) })).toThrow(code('EVENT_SCHEMA_VIOLATION'))
    expect(() => read(carts, { value: json(wrong) })).toThrow(/ItemAddedToCart at carts\/3\/7 .*quantity: /)
  })
})

describe('times are RFC 3339', () => {
  test.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01t00:00:00.5z', '2026-01-01T00:00:00.500Z'],
    ['2026-01-01 01:00:00+01:00', '2026-01-01T00:00:00.000Z'],
    ['2024-02-29T23:59:59.123456789-11:30', '2024-03-01T11:29:59.123Z'],
  ])('%s', (time, expected) => {
    expect(read(open, { value: json({ ...said, time }) })?.time.toISOString()).toBe(expected)
  })
})
