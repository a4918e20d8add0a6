import errors from 'kafkajs/src/protocol/error.js'
import { TidemarkError } from '../errors.ts'
import type { OutgoingRecord } from '../events/encode.ts'
import type { Position } from '../events/position.ts'
import type { KafkaConnection } from './connection.ts'
import { asTidemark, isTransient } from './failure.ts'
import { partitionOf } from './partitioner.ts'
import { type ProduceBatch, type Produced, type ProducerSession, produce } from './produce.ts'
import { persist } from './retry.ts'

/** What a request carries at most. Kafka takes 1 MiB per partition and request by default; and kafkajs can't encode hundreds of thousands of records. */
export const MOST_BYTES = 1_000_000
const MOST_RECORDS = 4_000
/** Milliseconds an outage is waited out before KAFKA_UNAVAILABLE. */
const PATIENCE = 30_000

const MESSAGE_TOO_LARGE = 10
const RECORD_LIST_TOO_LARGE = 18

export interface Item {
  readonly record: OutgoingRecord
  readonly bytes: number
  readonly done: (outcome: Position | Error) => void
}

/**
 * Writes one topic: one request at a time, so that order is kept and a repeated request is recognised by its sequence numbers;
 * what comes meanwhile goes together in the next. After a failure whose outcome is unknown the session is thrown away: going on
 * with its sequence numbers, Kafka would take new records for repeated ones and drop them.
 */
export class TopicWriter {
  readonly #connection: KafkaConnection
  readonly #topic: string
  #queue: Item[] = []
  #session: ProducerSession | undefined
  #writing: Promise<void> | undefined

  constructor(connection: KafkaConnection, topic: string) {
    this.#connection = connection
    this.#topic = topic
  }

  add(items: readonly Item[]): void {
    if (items.length === 0) return
    for (const item of items) this.#queue.push(item)
    this.#writing ??= this.#write()
  }

  /** Resolves when nothing is left to write. */
  async settled(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    while (this.#queue.length > 0) {
      const items = this.#next()
      try {
        await this.#send(items)
      } catch (error) {
        this.#session = undefined
        const failure = asTidemark(error, `publishing to topic ${this.#topic}`)
        // Those that were written have been told so before; telling again changes nothing.
        for (const { done } of items) done(failure instanceof Error ? failure : new Error(String(failure)))
      }
    }
    this.#writing = undefined
  }

  #next(): Item[] {
    let bytes = 0
    const over = this.#queue.findIndex((item, index) => {
      bytes += item.bytes
      return index > 0 && (bytes > MOST_BYTES || index >= MOST_RECORDS)
    })
    return this.#queue.splice(0, over < 0 ? this.#queue.length : over)
  }

  async #send(items: readonly Item[]): Promise<void> {
    const { logger } = this.#connection
    await persist(`topic ${this.#topic}`, () => this.#connection.know([this.#topic]), { logger, deadline: PATIENCE })
    const count = this.#connection.partitions(this.#topic).length
    const shares = Map.groupBy(items, ({ record }) => partitionOf(Buffer.from(record.key), count))
    this.#session ??= await persist(`producer for topic ${this.#topic}`, () => this.#begin(), {
      logger,
      deadline: PATIENCE,
    })
    const session = this.#session
    const outcomes = await Promise.allSettled(
      [...shares].map(([partition, share]) => this.#append(partition, share, session)),
    )
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
  }

  async #begin(): Promise<ProducerSession> {
    const broker = await this.#connection.controller()
    const { producerId, producerEpoch } = await broker.initProducerId({ transactionTimeout: 60_000 })
    return { producerId, producerEpoch, sequences: new Map() }
  }

  /** Appends records of one partition, in as few pieces as the topic's size limit takes. */
  async #append(partition: number, items: readonly Item[], session: ProducerSession): Promise<void> {
    const firstSequence = session.sequences.get(partition) ?? 0
    const batch = { partition, session, firstSequence, records: items.map(({ record }) => record) }
    const { errorCode, baseOffset } = await persist(
      `publishing to ${this.#topic}/${partition}`,
      () => this.#attempt(batch),
      { logger: this.#connection.logger, deadline: PATIENCE },
    )
    if (errorCode === 0) {
      session.sequences.set(partition, firstSequence + items.length)
      for (const [index, { done }] of items.entries())
        done({ topic: this.#topic, partition, offset: baseOffset + index })
      return
    }
    if (items.length === 1) {
      items[0]!.done(
        new TidemarkError(
          'EVENT_TOO_LARGE',
          `the event with key ${JSON.stringify(items[0]!.record.key)} (${items[0]!.bytes} bytes) is larger than topic ${this.#topic} takes (max.message.bytes)`,
        ),
      )
      return
    }
    // Refused for its size, so nothing was appended and the sequence numbers are free.
    const half = Math.ceil(items.length / 2)
    await this.#append(partition, items.slice(0, half), session)
    await this.#append(partition, items.slice(half), session)
  }

  async #attempt(batch: ProduceBatch): Promise<Produced> {
    const source = { topic: this.#topic, partition: batch.partition }
    try {
      const leader = this.#connection.leader(source)
      if (leader === undefined) throw errors.createErrorFromCode(5) // LEADER_NOT_AVAILABLE
      const [produced] = await this.#connection.ask(leader, (broker) =>
        produce(broker, this.#topic, [batch], this.#connection.settings.requestTimeoutMs),
      )
      if (!produced) throw errors.createErrorFromCode(5)
      const { errorCode } = produced
      if (errorCode === 0 || errorCode === MESSAGE_TOO_LARGE || errorCode === RECORD_LIST_TOO_LARGE) return produced
      throw errors.createErrorFromCode(errorCode)
    } catch (error) {
      if (isTransient(error)) await this.#connection.refresh([this.#topic])
      throw error
    }
  }
}
