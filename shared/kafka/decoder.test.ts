import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LogRecord } from '../events/event.ts'
import { codecOf } from './codecs.ts'
import { type AbortedTransaction, decodeRecordSet } from './decoder.ts'

/** kafkajs' own encoder and decoder of record sets: what ours is compared with. */
interface Theirs {
  encode(batch: object): Promise<{ readonly buffer: Buffer }>
  decode(decoder: unknown): Promise<
    readonly {
      offset: string
      timestamp: string
      key: Buffer | null
      value: Buffer | null
      headers: object
      isControlRecord: boolean
    }[]
  >
  decoder(bytes: Buffer): unknown
  filter(set: {
    messages: readonly unknown[]
    abortedTransactions: readonly { producerId: string; firstOffset: string }[]
  }): readonly { offset: string }[]
}

const require = createRequire(import.meta.url)
const recordBatch: { RecordBatch: Theirs['encode'] } = require('kafkajs/src/protocol/recordBatch/v0/index.js')
const decode: Theirs['decode'] = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js')
const Encoder: new () => Writer = require('kafkajs/src/protocol/encoder.js')
const Decoder: new (bytes: Buffer) => unknown = require('kafkajs/src/protocol/decoder.js')
const filter: Theirs['filter'] = require('kafkajs/src/consumer/filterAbortedMessages.js')

interface Writer {
  readonly buffer: Buffer
  writeInt8(value: number): Writer
  writeVarInt(value: number): Writer
  writeVarLong(value: number): Writer
  writeVarIntString(value: string): Writer
  writeVarIntBytes(value: Buffer | null): Writer
  writeEncoder(value: Writer): Writer
}

/** One record; kafkajs' own encoder of records fails on a header without a value, which other clients may send. */
function record({
  key,
  value,
  headers,
  offsetDelta,
  timestampDelta,
}: {
  key: Buffer | null
  value: Buffer | null
  headers: Batch['records'][number]['headers']
  offsetDelta: number
  timestampDelta: number
}): Writer {
  const list = Object.entries(headers).flatMap(([name, one]) =>
    (Array.isArray(one) ? one : [one]).map((bytes) => [name, bytes] as const),
  )
  const body = new Encoder()
    .writeInt8(0)
    .writeVarLong(timestampDelta)
    .writeVarInt(offsetDelta)
    .writeVarIntBytes(key)
    .writeVarIntBytes(value)
    .writeVarInt(list.length)
  for (const [name, bytes] of list) body.writeVarIntString(name).writeVarIntBytes(bytes)
  return new Encoder().writeVarInt(body.buffer.length).writeEncoder(body)
}

interface Batch {
  readonly firstOffset: number
  readonly compression: number
  readonly transactional: boolean
  readonly producerId: number
  readonly times: readonly number[]
  readonly records: readonly {
    readonly key: Buffer | null
    readonly value: Buffer | null
    readonly headers: Record<string, Buffer | null | (Buffer | null)[]>
    readonly gap: number
  }[]
}

async function encode({ firstOffset, compression, transactional, producerId, times, records }: Batch): Promise<Buffer> {
  const firstTimestamp = 1_700_000_000_000
  let delta = -1
  const next = (gap: number) => {
    delta += gap
    return delta
  }
  const encoded = records.map(({ key, value, headers, gap }, index) =>
    record({ key, value, headers, offsetDelta: next(gap), timestampDelta: times[index % times.length]! }),
  )
  const { buffer } = await recordBatch.RecordBatch({
    firstOffset,
    compression,
    transactional,
    producerId,
    producerEpoch: 0,
    firstSequence: 0,
    firstTimestamp,
    maxTimestamp: firstTimestamp + Math.max(...times),
    lastOffsetDelta: delta,
    records: encoded,
  })
  return buffer
}

/** A record with all that it makes when asked. */
const plain = ({ offset, timestamp, key, value, headers }: LogRecord) => ({ offset, timestamp, key, value, headers })

const bytes = fc.option(fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)))
const headerName = fc
  .oneof(fc.constantFrom('ce_id', 'ce_type', 'größe'), fc.string({ minLength: 1, maxLength: 8 }))
  // Under these names kafkajs finds what every object inherits, and takes it for the first of two headers.
  .filter((name) => !(name in {}))
const headers = fc.dictionary(headerName, fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 4 })), {
  maxKeys: 5,
})
const records = fc.array(fc.record({ key: bytes, value: bytes, headers, gap: fc.integer({ min: 1, max: 3 }) }), {
  minLength: 1,
  maxLength: 40,
})
const batch = fc.record({
  compression: fc.constantFrom(0, 1),
  transactional: fc.boolean(),
  producerId: fc.integer({ min: 0, max: 2 }),
  times: fc.array(fc.integer({ min: -1_000, max: 2 ** 40 }), { minLength: 1, maxLength: 5 }),
  records,
  jump: fc.integer({ min: 0, max: 100 }),
})
const log = fc.record({
  start: fc.nat({ max: 2 ** 45 }),
  batches: fc.array(batch, { maxLength: 6 }),
  skip: fc.integer({ min: 0, max: 60 }),
  cut: fc.nat({ max: 40 }),
})

test('reads what kafkajs reads: gzip, nulls, repeated headers, gaps, a fetch from the middle and a batch that is cut off', async () => {
  await fc.assert(
    fc.asyncProperty(log, async ({ start, batches, skip, cut }) => {
      let offset = start
      const encoded: Buffer[] = []
      for (const { jump, ...one } of batches) {
        offset += jump
        encoded.push(await encode({ ...one, firstOffset: offset }))
        offset += one.records.reduce((sum, { gap }) => sum + gap, 0)
      }
      const all = Buffer.concat(encoded)
      const set = all.subarray(0, Math.max(0, all.length - cut))
      const from = start + skip
      const size = Buffer.alloc(4)
      size.writeInt32BE(set.length)
      const theirs = set.length < 61 ? [] : await decode(new Decoder(Buffer.concat([size, set])))
      const expected = theirs
        .filter(({ offset: text, isControlRecord }) => !isControlRecord && Number(text) >= from)
        .map(({ offset: text, timestamp, key, value, headers: own }) => ({
          offset: Number(text),
          timestamp: Number(timestamp),
          key,
          value,
          headers: own,
        }))
      const ours = await decodeRecordSet(set, from)
      expect(ours.records.map(plain)).toEqual(expected)
      if (cut === 0 && offset > from) expect(ours.next).toBe(offset)
    }),
    { numRuns: 300 },
  )
})

/** A marker that ends a producer's transaction: 0 aborts, 1 commits. */
async function marker(firstOffset: number, producerId: number, type: 0 | 1): Promise<Buffer> {
  const bytes = await encode({
    firstOffset,
    compression: 0,
    transactional: true,
    producerId,
    times: [0],
    records: [{ key: Buffer.from([0, 0, 0, type]), value: Buffer.alloc(6), headers: {}, gap: 1 }],
  })
  bytes.writeInt16BE(bytes.readInt16BE(21) | 32, 21)
  return bytes
}

test('a header may be called what every object inherits', async () => {
  const headers = { toString: Buffer.from('x'), constructor: [null, Buffer.from('y')] }
  const records = [{ key: null, value: null, headers, gap: 1 }]
  const set = await encode({ firstOffset: 0, compression: 0, transactional: false, producerId: 0, times: [0], records })
  const [record] = (await decodeRecordSet(set, 0, [])).records
  expect(Object.entries(record!.headers)).toEqual(Object.entries(headers))
})

test('delivers nothing of an aborted transaction and no control records, and counts both in `next`', async () => {
  const value = (text: string) => [{ key: null, value: Buffer.from(text), headers: {}, gap: 1 }]
  const one = (firstOffset: number, producerId: number, transactional: boolean, text: string) =>
    encode({ firstOffset, compression: 0, transactional, producerId, times: [0], records: value(text) })
  const set = Buffer.concat([
    await one(10, 1, true, 'aborted'),
    await one(11, 2, true, 'committed'),
    await one(12, 1, false, 'plain'),
    await marker(13, 1, 0),
    await one(14, 1, true, 'next transaction of the same producer'),
    await marker(15, 2, 1),
    await marker(16, 1, 1),
  ])
  const aborted: AbortedTransaction[] = [{ producerId: 1, firstOffset: 10 }]
  const { records: read, next } = await decodeRecordSet(set, 10, aborted)
  expect(read.map(({ value }) => String(value))).toEqual([
    'committed',
    'plain',
    'next transaction of the same producer',
  ])
  expect(next).toBe(17)
  const size = Buffer.alloc(4)
  size.writeInt32BE(set.length)
  const theirs = filter({
    messages: await decode(new Decoder(Buffer.concat([size, set]))),
    abortedTransactions: [{ producerId: '1', firstOffset: '10' }],
  })
  expect(theirs.map(({ offset }) => Number(offset)).filter((offset) => ![13, 15, 16].includes(offset))).toEqual(
    read.map(({ offset }) => offset),
  )
})

test('zstd is read; a codec that nobody knows is CODEC_MISSING, with its number', async () => {
  const zlib = await import('node:zlib')
  expect(String(await codecOf(4)!(zlib.zstdCompressSync(Buffer.from('compressed'))))).toBe('compressed')
  expect(codecOf(0)).toBeNull()
  await expect(codecOf(7)!(Buffer.from('compressed'))).rejects.toMatchObject({
    code: 'CODEC_MISSING',
    message: expect.stringContaining('codec 7'),
  })
})

test('what lies before a batch that can not be read is delivered, and the batch is left for the next fetch, which rejects', async () => {
  const one = (firstOffset: number, text: string) =>
    encode({
      firstOffset,
      compression: 0,
      transactional: false,
      producerId: 0,
      times: [0],
      records: [{ key: null, value: Buffer.from(text), headers: {}, gap: 1 }],
    })
  const damaged = await one(11, 'damaged')
  damaged.writeInt32BE(2, 57) // two records, it says
  const set = Buffer.concat([await one(10, 'whole'), damaged, await one(12, 'behind it')])
  const { records, next } = await decodeRecordSet(set, 10)
  expect(records.map(({ value }) => String(value))).toEqual(['whole'])
  expect(next).toBe(11)
  await expect(decodeRecordSet(set, 11)).rejects.toThrow('runs out of its batch')
})

test('damaged bytes are an error or an early end, never an endless loop', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 61, maxLength: 300 }), async (noise) => {
      const set = Buffer.from(noise)
      set.writeInt8(2, 16)
      set.writeInt32BE(set.length - 12, 8)
      set.writeInt16BE(0, 21)
      set.writeInt32BE(Math.abs(set.readInt32BE(57)) % 1_000, 57)
      await decodeRecordSet(set, 0).catch(() => {})
    }),
  )
})
