import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { expect, test } from 'vitest'
import { murmur2, partitionOf } from './partitioner.ts'

test('gives the hashes that Java gives', () => {
  const known: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ]
  for (const [key, hash] of known) expect([key, murmur2(Buffer.from(key))]).toEqual([key, hash])
})

test('puts every key where the default partitioner of kafkajs, and of Java, does', () => {
  const theirs = Partitioners.DefaultPartitioner()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 200 }), (bytes, count) => {
      const key = Buffer.from(bytes)
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
        partitionId,
        partitionErrorCode: 0,
        leader: 1,
        replicas: [1],
        isr: [1],
      }))
      expect(partitionOf(key, count)).toBe(theirs({ topic: 't', partitionMetadata, message: { key, value: null } }))
    }),
    { numRuns: 500 },
  )
})
