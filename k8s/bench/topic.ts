import { setTimeout as sleep } from 'node:timers/promises'
import { type Admin, CompressionTypes, Kafka, logLevel, Partitioners } from 'kafkajs'
import type { BenchEvent } from './events.ts'
import { PARTITIONS } from './workload.ts'

export function kafka(clientId: string): Kafka {
  const brokers = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9092').split(',')
  return new Kafka({ brokers, clientId, logLevel: logLevel.ERROR })
}

/** Creates the topic with `count` events unless it has exactly so many already; then the one there is used again. */
export async function filled(
  admin: Admin,
  topic: string,
  count: number,
  event: (seq: number) => BenchEvent,
  partitions = PARTITIONS,
): Promise<void> {
  const there = (await admin.listTopics()).includes(topic)
  if (there && (await events(admin, topic)) === count) return
  if (there) await removed(admin, topic)
  await created(admin, topic, partitions)
  await produce(topic, 0, count, event)
}

export async function created(admin: Admin, topic: string, partitions = PARTITIONS): Promise<void> {
  const configEntries = [{ name: 'retention.ms', value: '-1' }]
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }] })
}

/** Resolves when the topic is gone. */
export async function removed(admin: Admin, topic: string): Promise<void> {
  await admin.deleteTopics({ topics: [topic] })
  while ((await admin.listTopics()).includes(topic)) await sleep(100)
}

/** Appends the events from number `from` up to `to`. */
export async function produce(
  topic: string,
  from: number,
  to: number,
  event: (seq: number) => BenchEvent,
): Promise<void> {
  const producer = kafka('bench-fill').producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  try {
    for (let seq = from; seq < to; seq += 10_000) {
      const messages = Array.from({ length: Math.min(10_000, to - seq) }, (_, index) => event(seq + index))
      await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.None })
    }
  } finally {
    await producer.disconnect()
  }
}

/** Events in the topic, all partitions together. */
export async function events(admin: Admin, topic: string): Promise<number> {
  const offsets = await admin.fetchTopicOffsets(topic)
  return offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0)
}
