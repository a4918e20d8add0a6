import type { Publisher } from '../engine/ports.ts'
import { TidemarkError } from '../errors.ts'
import type { OutgoingRecord } from '../events/encode.ts'
import type { Position } from '../events/position.ts'
import { KafkaConnection } from './connection.ts'
import { type KafkaLogger, type KafkaSettings, silent } from './settings.ts'
import { type Item, MOST_BYTES, TopicWriter } from './writer.ts'

/** What a record takes beside its key, value and headers, at most. */
const OVERHEAD = 60

/**
 * Publishes idempotently: a request that is repeated because its answer was lost is appended once. Kafka is given 30 s to come
 * back before a call rejects with KAFKA_UNAVAILABLE; then it is unknown whether the records were written. The partition of a
 * record is that of its key, as Java's default partitioner has it. Topics are never created.
 */
export class KafkaPublisher implements Publisher {
  readonly #connection: KafkaConnection
  readonly #writers = new Map<string, TopicWriter>()
  #closed = false

  constructor(settings: KafkaSettings, logger: KafkaLogger = silent) {
    this.#connection = new KafkaConnection(settings, logger)
  }

  /** Rejects with TOPIC_MISSING, EVENT_TOO_LARGE (of the whole call, nothing is written, where this side sees it), KAFKA_UNAVAILABLE or KAFKA_DENIED. */
  async publish(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Position[]> {
    if (this.#closed)
      throw new TidemarkError('KAFKA_UNAVAILABLE', `publishing to topic ${topic}: the publisher is closed`)
    const sized = records.map((record) => ({ record, bytes: sizeOf(record) }))
    const large = sized.find(({ bytes }) => bytes > MOST_BYTES)
    if (large)
      throw new TidemarkError(
        'EVENT_TOO_LARGE',
        `the event with key ${JSON.stringify(large.record.key)} for topic ${topic} takes ${large.bytes} bytes, more than ${MOST_BYTES}`,
      )
    const waiting = sized.map(({ record, bytes }) => {
      const { promise, resolve, reject } = Promise.withResolvers<Position>()
      const item: Item = {
        record,
        bytes,
        done: (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)),
      }
      return { promise, item }
    })
    this.#writer(topic).add(waiting.map(({ item }) => item))
    const outcomes = await Promise.allSettled(waiting.map(({ promise }) => promise))
    return outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason
      return outcome.value
    })
  }

  /** Writes what was handed over, then closes the connections. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#writers.values()].map((writer) => writer.settled()))
    await this.#connection.close()
  }

  #writer(topic: string): TopicWriter {
    const writer = this.#writers.get(topic) ?? new TopicWriter(this.#connection, topic)
    this.#writers.set(topic, writer)
    return writer
  }
}

function sizeOf({ key, value, headers }: OutgoingRecord): number {
  let bytes = OVERHEAD + Buffer.byteLength(key) + (value === null ? 0 : Buffer.byteLength(value))
  for (const [name, text] of Object.entries(headers)) bytes += Buffer.byteLength(name) + Buffer.byteLength(text) + 10
  return bytes
}
