import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { LogRecord } from './event.ts'
import { anything, code, json, open, read, said } from './reading.test-data.ts'
import { defineTopic } from './topic.ts'

describe('what is of no interest costs nothing and breaks nothing', () => {
  const broken = {
    headers: { ce_specversion: '1.0', ce_type: 'Shouted', ce_id: '1', ce_source: 's' },
    value: Buffer.from('{'),
  }

  test('an unwanted type in binary mode is not even parsed', () => {
    expect(read(open, broken, (type) => type === 'Said')).toBeNull()
  })

  test('nor does it need a key', () => {
    expect(read(open, { key: null, value: json({ ...said, type: 'Shouted' }) }, (type) => type === 'Said')).toBeNull()
  })

  test('a type the topic does not define is no event', () => {
    expect(read(open, { value: json({ ...said, type: 'toString' }) })).toBeNull()
  })
})

test('an event without a subject is about its key, as base64 where that is not text', () => {
  expect(read(open, { value: json(said) })?.subject).toBe('k')
  expect(read(open, { key: Buffer.from([0xff, 0]), value: json(said) })?.subject).toBe('/wA=')
  expect(read(open, { key: Buffer.from('\ufffd'), value: json(said) })?.subject).toBe('\ufffd')
})

test('of a header given twice the first counts', () => {
  const headers = { ce_specversion: '1.0', ce_type: 'Said', ce_id: ['1', '2'], ce_source: Buffer.from('s') }
  expect(read(open, { headers })?.id).toBe('1')
})

describe('schemas', () => {
  const topic = (validate: (value: unknown) => never) =>
    defineTopic({
      name: 'odd',
      partitions: 1,
      events: { Said: { '~standard': { version: 1, vendor: 'test', validate } } },
    })

  test('may transform', () => {
    const dated = defineTopic({
      name: 'dated',
      partitions: 1,
      events: { Said: z.object({ on: z.string().transform((text) => new Date(text)) }) },
    })
    expect(read(dated, { value: json({ ...said, data: { on: '2026-01-01' } }) })?.data).toEqual({
      on: new Date('2026-01-01'),
    })
  })

  test('that throw make poison', () => {
    const throwing = topic(() => {
      throw 'anything'
    })
    expect(() => read(throwing, { value: json(said) })).toThrow(code('EVENT_SCHEMA_VIOLATION'))
  })

  test('that are asynchronous make poison, and their failure ends no process', () => {
    const failing = topic(() => Promise.reject(new Error('late')) as never)
    expect(() => read(failing, { value: json({ ...said, data: 'x' }) })).toThrow(
      /answered with a promise for odd\/3\/7: it is asynchronous/,
    )
  })
})

describe('old events', () => {
  const topic = defineTopic({
    name: 'upcast',
    partitions: 1,
    events: { Added: z.object({ n: z.number(), unit: z.string() }) },
    upcast: {
      Add: ({ data }) => ({ type: 'Plus', data }),
      Plus: ({ data }) => ({ type: 'Added', data: { n: data } }),
      Added: ({ data }) => ({ type: 'Added', data: { unit: 'piece', ...Object(data) } }),
      Lost: () => ({ type: 'Nowhere', data: 1 }),
      Ping: ({ data }) => ({ type: 'Pong', data }),
      Pong: ({ data }) => ({ type: 'Ping', data }),
      Broken: () => JSON.parse('{"data":1}'),
      Thrown: () => {
        throw new Error('no')
      },
    },
  })

  test('are today’s after as many steps as it takes', () => {
    expect(read(topic, { value: json({ ...said, type: 'Add', data: 2 }) })).toMatchObject({
      type: 'Added',
      data: { n: 2, unit: 'piece' },
    })
    expect(read(topic, { value: json({ ...said, type: 'Added', data: { n: 1, unit: 'box' } }) })?.data).toEqual({
      n: 1,
      unit: 'box',
    })
  })

  test('are passed over if what they became is not wanted', () => {
    expect(read(topic, { value: json({ ...said, type: 'Add', data: 2 }) }, () => false)).toBeNull()
  })

  test.each(['Lost', 'Ping', 'Broken', 'Thrown'])('that an upcaster gets wrong are poison: %s', (type) => {
    expect(() => read(topic, { value: json({ ...said, type }) })).toThrow(code('EVENT_DECODE_FAILED'))
  })
})

describe('topics with their own format', () => {
  const topic = (decode: (record: LogRecord) => never) =>
    defineTopic({ name: 'own', partitions: 1, events: { Said: anything }, decode })

  test('are read by their own function, with or without a key', () => {
    const csv = defineTopic({
      name: 'csv',
      partitions: 1,
      events: { Said: z.string() },
      decode: ({ value }) => {
        const [type, data] = (value?.toString() ?? '').split(',')
        return type ? { type, data } : null
      },
    })
    expect(read(csv, { key: null, value: Buffer.from('Said,hello') })).toEqual({
      type: 'Said',
      data: 'hello',
      id: 'csv/3/7',
      source: 'csv',
      subject: '',
      time: new Date(1_000),
      position: { topic: 'csv', partition: 3, offset: 7 },
    })
    expect(read(csv, { value: null })).toBeNull()
  })

  test.each([
    undefined,
    {},
    'Said',
    Promise.resolve(null),
    { type: 1 },
    { type: 'Said', id: 1 },
    { type: 'Said', subject: null },
    { type: 'Said', time: '2026-01-01' },
    { type: 'Said', time: new Date(Number.NaN) },
  ])('whose function gives %j make poison', (answer) => {
    expect(() =>
      read(
        topic(() => answer as never),
        {},
      ),
    ).toThrow(code('EVENT_DECODE_FAILED'))
  })

  test('whose function throws make poison', () => {
    const throwing = topic(() => {
      throw null
    })
    expect(() => read(throwing, {})).toThrow(code('EVENT_DECODE_FAILED'))
  })
})
