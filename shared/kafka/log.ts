import errors from 'kafkajs/src/protocol/error.js'
import type { Log } from '../engine/ports.ts'
import { TidemarkError } from '../errors.ts'
import { type Source, sourceText } from '../events/position.ts'
import { KafkaConnection } from './connection.ts'
import { type Fetched, fetchFrom } from './fetch.ts'
import { boundsOf, committedOf } from './offsets.ts'
import { persist } from './retry.ts'
import { type KafkaLogger, type KafkaSettings, silent } from './settings.ts'

/** Milliseconds an outage is waited out before KAFKA_UNAVAILABLE. */
const PATIENCE = 30_000

/**
 * The log, read straight from the partitions' leaders: no consumer group is touched or made. Reads may run side by side; the
 * records are views into fetched bytes (copy what you keep).
 */
export class KafkaLog implements Log {
  readonly #connection: KafkaConnection
  readonly #closing = new AbortController()

  constructor(settings: KafkaSettings, logger: KafkaLogger = silent) {
    this.#connection = new KafkaConnection(settings, logger)
  }

  async bounds(topic: string): Promise<ReadonlyMap<number, { readonly start: number; readonly end: number }>> {
    await this.#known(topic)
    const bounds = await this.#persist(`bounds of topic ${topic}`, () =>
      boundsOf(this.#connection, this.#sources(topic)),
    )
    return new Map(bounds.map(({ source, start, end }) => [source.partition, { start, end }]))
  }

  async *read(source: Source, from: number, to: number, signal?: AbortSignal) {
    const ended = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal
    await this.#known(source.topic, ended)
    for (let position = from; position < to; ) {
      const fetched = await this.#persist(`reading ${sourceText(source)}`, () => this.#fetch(source, position), ended)
      if (fetched.unreadable) throw fetched.unreadable
      // Retention has been faster: what is left begins later. The caller sees it by the offsets.
      if (fetched.errorCode === OFFSET_OUT_OF_RANGE) {
        const { start } = await this.#bounds(source, ended)
        if (position >= start) return
        position = start
        continue
      }
      const records =
        fetched.records.at(-1) !== undefined && fetched.records.at(-1)!.offset >= to
          ? fetched.records.filter(({ offset }) => offset < to)
          : fetched.records
      if (records.length > 0) yield records
      position = fetched.next ?? position
      if (fetched.next === undefined && position >= Math.min(to, fetched.stable)) return
    }
  }

  async committed(group: string, topic: string): Promise<ReadonlyMap<number, number>> {
    await this.#known(topic)
    const committed = await this.#persist(`offsets of group ${group}`, () =>
      committedOf(this.#connection, group, this.#sources(topic)),
    )
    return new Map(
      this.#sources(topic).flatMap((source) => {
        const commit = committed.get(sourceText(source))
        return commit ? [[source.partition, commit.next] as const] : []
      }),
    )
  }

  /** Closes the connections. Whatever is still asked rejects at once with KAFKA_UNAVAILABLE, also while Kafka is away. */
  async close(): Promise<void> {
    this.#closing.abort(new TidemarkError('KAFKA_UNAVAILABLE', 'the log has been closed'))
    await this.#connection.close()
  }

  #sources(topic: string): Source[] {
    return this.#connection.partitions(topic).map((partition) => ({ topic, partition }))
  }

  async #bounds(source: Source, signal: AbortSignal) {
    const ask = () => boundsOf(this.#connection, [source])
    const [bounds] = await this.#persist(`bounds of ${sourceText(source)}`, ask, signal)
    if (!bounds) throw new TidemarkError('TOPIC_MISSING', `partition ${sourceText(source)} does not exist`)
    return bounds
  }

  async #fetch(source: Source, offset: number): Promise<Fetched> {
    const leader = this.#connection.leader(source)
    try {
      if (leader === undefined) throw errors.createErrorFromCode(5) // LEADER_NOT_AVAILABLE
      const [fetched] = await this.#connection.ask(leader, (broker) =>
        fetchFrom(broker, [{ source, offset }], this.#connection.settings),
      )
      if (!fetched || (fetched.errorCode !== 0 && fetched.errorCode !== OFFSET_OUT_OF_RANGE))
        throw errors.createErrorFromCode(fetched?.errorCode ?? 5)
      return fetched
    } catch (error) {
      await this.#connection.refresh([source.topic])
      throw error
    }
  }

  /** Topics are made known one by one, so that one that was deleted does not hide the others. */
  async #known(topic: string, signal?: AbortSignal): Promise<void> {
    await this.#persist(`topic ${topic}`, () => this.#connection.know([topic]), signal)
  }

  #persist<T>(what: string, work: () => Promise<T>, signal = this.#closing.signal): Promise<T> {
    const { logger, settings } = this.#connection
    return persist(what, work, { logger, signal, deadline: PATIENCE, missing: settings.missingTopicMs })
  }
}

const OFFSET_OUT_OF_RANGE = 1
