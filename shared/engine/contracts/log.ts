import { expect, test } from 'vitest'
import type { LogRecord } from '../../events/event.ts'
import { code, type LogCluster, numbers, record, sources, suite, unique } from './log-scene.ts'

export { eventSourceContract } from './event-source.ts'
export type { LogCluster } from './log-scene.ts'

/** What every `Publisher` promises. */
export function publisherContract(name: string, makeCluster: () => Promise<LogCluster>): void {
  suite(`${name} is a Publisher`, makeCluster, (scene) => {
    test('gives the position of each record, in their order', async () => {
      const topic = await scene.topic(3)
      const records = numbers(0, 200).map((number) => record(`k${number % 17}`, `v${number}`, { ce_id: `${number}` }))
      const positions = await scene.cluster.publisher.publish(topic, records)
      expect(positions).toHaveLength(200)
      for (const [index, { partition, offset }] of positions.entries()) {
        const [found] = await first(scene.cluster.log.read({ topic, partition }, offset, offset + 1))
        expect(`${found?.key} ${found?.value} ${text(found?.headers.ce_id)}`).toBe(`k${index % 17} v${index} ${index}`)
      }
    })

    test('keeps the order of a key, and a key in its partition', async () => {
      const topic = await scene.topic(4)
      const lists = await Promise.all(
        numbers(0, 5).map((round) =>
          scene.cluster.publisher.publish(
            topic,
            numbers(0, 40).map((number) => record(`k${number % 4}`, `${round}`)),
          ),
        ),
      )
      for (const positions of lists) {
        for (const key of numbers(0, 4)) {
          const own = positions.filter((_, index) => index % 4 === key)
          expect(new Set(own.map(({ partition }) => partition)).size).toBe(1)
          expect(own.map(({ offset }) => offset)).toEqual(own.map(({ offset }) => offset).sort((a, b) => a - b))
        }
      }
      const places = lists.flat().map(({ partition, offset }) => `${partition}/${offset}`)
      expect(new Set(places).size).toBe(200)
    })

    test('publishes a record without a value, and nothing at all', async () => {
      const topic = await scene.topic(1)
      expect(await scene.cluster.publisher.publish(topic, [])).toEqual([])
      const [position] = await scene.cluster.publisher.publish(topic, [record('k', null)])
      const [found] = await first(
        scene.cluster.log.read({ topic, partition: 0 }, position!.offset, position!.offset + 1),
      )
      expect(found?.value).toBeNull()
    })

    test('a missing topic is TOPIC_MISSING, and is not created', async () => {
      const topic = unique('missing')
      expect(await code(scene.cluster.publisher.publish(topic, [record('k', 'v')]))).toBe('TOPIC_MISSING')
      expect(await code(scene.cluster.log.bounds(topic))).toBe('TOPIC_MISSING')
    })
  })
}

/** What every `Log` promises. */
export function logContract(name: string, makeCluster: () => Promise<LogCluster>): void {
  suite(`${name} is a Log`, makeCluster, (scene) => {
    test('knows first and end offset of each partition', async () => {
      const topic = await scene.topic(2)
      expect(await scene.cluster.log.bounds(topic)).toEqual(
        new Map([
          [0, { start: 0, end: 0 }],
          [1, { start: 0, end: 0 }],
        ]),
      )
      const positions = await scene.fill(topic, 2, 5)
      const bounds = await scene.cluster.log.bounds(topic)
      for (const partition of [0, 1]) {
        const last = Math.max(
          ...positions.filter((position) => position.partition === partition).map(({ offset }) => offset),
        )
        expect(bounds.get(partition)).toEqual({ start: 0, end: last + 1 })
      }
    })

    test('reads exactly what was asked for, in order, and ends where the log ends', async () => {
      const topic = await scene.topic(1)
      await scene.cluster.publisher.publish(
        topic,
        numbers(0, 1_000).map((number) => record('k', `${number}`.padStart(500, '0'))),
      )
      const read = async (from: number, to: number) =>
        (await all(scene.cluster.log.read({ topic, partition: 0 }, from, to))).map(({ offset }) => offset)
      expect(await read(0, 1_000)).toEqual(numbers(0, 1_000))
      expect(await read(417, 423)).toEqual(numbers(417, 423))
      expect(await read(995, 5_000)).toEqual(numbers(995, 1_000))
      expect(await read(500, 500)).toEqual([])
      expect(await read(1_000, 2_000)).toEqual([])
    })

    test('stops reading when its signal says so', async () => {
      const topic = await scene.topic(1)
      await scene.fill(topic, 1, 10)
      const stopped = AbortSignal.abort(new Error('enough'))
      await expect(all(scene.cluster.log.read({ topic, partition: 0 }, 0, 10, stopped))).rejects.toThrow('enough')
    })

    test('knows what a group has committed, also of a group that never was', async () => {
      const topic = await scene.topic(2)
      const group = unique('group')
      expect(await scene.cluster.log.committed(group, topic)).toEqual(new Map())
      const { source, listener } = scene.member(group, topic)
      await listener.owns(sources(topic, 2))
      await scene.fill(topic, 2, 3)
      await source.commit({ topic, partition: 1 }, 2)
      expect(await scene.cluster.log.committed(group, topic)).toEqual(new Map([[1, 2]]))
    })
  })
}

async function all(pieces: AsyncIterable<readonly LogRecord[]>): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const piece of pieces) records.push(...piece)
  return records
}

async function first(pieces: AsyncIterable<readonly LogRecord[]>): Promise<readonly LogRecord[]> {
  for await (const piece of pieces) return piece
  return []
}

function text(header: LogRecord['headers'][string]): string {
  return String(Array.isArray(header) ? header[0] : header)
}
