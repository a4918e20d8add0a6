import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchEnds } from './ends.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('every reader of a topic learns its ends from one question, until the signal', async () => {
  const asked: string[] = []
  const told: string[] = []
  const log = {
    async bounds(topic: string) {
      asked.push(topic)
      if (topic === 'gone') throw new Error('Kafka is away')
      return new Map([[3, { begin: 0n, end: 7n }]])
    },
  }
  const reads = (name: string, ...topics: string[]) => ({
    projection: { topics: topics.map((topic) => ({ name: topic })) },
    observer: {
      end: ({ topic, partition }: { topic: string; partition: number }, end: bigint) =>
        void told.push(`${name} ${topic}/${partition} ${end}`),
    },
  })
  const ending = new AbortController()
  watchEnds([reads('a', 'gone', 'carts'), reads('b', 'carts')] as never, log as never, ending.signal)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(asked).toEqual(['gone', 'carts'])
  expect(told).toEqual(['a carts/3 7', 'b carts/3 7'])
  await vi.advanceTimersByTimeAsync(5_000)
  expect(asked).toHaveLength(4)
  ending.abort()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(asked).toHaveLength(4)
})
