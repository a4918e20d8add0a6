import kafkajs from 'kafkajs'
import './version.ts'
import './patches.ts'
import Cluster, { type Broker } from 'kafkajs/src/cluster/index.js'
import loggers from 'kafkajs/src/loggers/index.js'
import createSocketFactory from 'kafkajs/src/network/socketFactory.js'
import { TidemarkError } from '../errors.ts'
import type { Source } from '../events/position.ts'
import { failureType } from './failure.ts'
import { within } from './retry.ts'
import { type FullSettings, type KafkaLogger, type KafkaSettings, silent, withDefaults } from './settings.ts'

/**
 * The connections of one client: kafkajs' cluster (sockets, TLS, SASL, metadata) with what it leaves to its callers. Errors are
 * kafkajs' own; nothing here waits out an outage, `persist` does.
 */
export class KafkaConnection {
  readonly settings: FullSettings
  readonly logger: KafkaLogger
  readonly #cluster: Cluster
  #closed: Promise<unknown> | undefined

  constructor(settings: KafkaSettings, logger: KafkaLogger = silent) {
    this.settings = withDefaults(settings)
    this.logger = logger
    const { brokers, clientId, ssl, sasl, connectionTimeoutMs, requestTimeoutMs, metadataAgeMs } = this.settings
    this.#cluster = new Cluster({
      logger: loggers.createLogger({ level: loggers.LEVELS.INFO, logCreator: quiet(logger) }),
      socketFactory: createSocketFactory(),
      brokers,
      ssl,
      sasl,
      clientId,
      connectionTimeout: connectionTimeoutMs,
      authenticationTimeout: 10_000,
      requestTimeout: requestTimeoutMs,
      enforceRequestTimeout: true,
      metadataMaxAge: metadataAgeMs,
      // A few quick tries; whoever needs the answer decides how long to go on.
      retry: { retries: 2, initialRetryTime: 50, maxRetryTime: 200 },
      allowAutoTopicCreation: false,
    })
  }

  /** Makes the topics known. Rejects with UNKNOWN_TOPIC_OR_PARTITION if one does not exist. */
  async know(topics: readonly string[]): Promise<void> {
    await this.#asked(topics, () => this.#cluster.refreshMetadataIfNecessary())
  }

  /** Asks again where the topics' leaders are, whatever is known already. */
  async refresh(topics: readonly string[]): Promise<void> {
    await this.#asked(topics, () => this.#cluster.refreshMetadata())
  }

  /**
   * kafkajs asks for all topics it was ever told of, and one that has been deleted since makes the whole answer an error. So on
   * that error all are forgotten: whoever is still interested in one asks for it again when it is not found.
   */
  async #asked(topics: readonly string[], ask: () => Promise<void>): Promise<void> {
    this.#throwIfClosed()
    await this.#cluster.connect()
    if (this.#closed) await this.#cluster.disconnect()
    this.#throwIfClosed()
    try {
      await this.#cluster.addMultipleTargetTopics(topics)
      await ask()
    } catch (error) {
      if (failureType(error) === 'UNKNOWN_TOPIC_OR_PARTITION') this.#cluster.targetTopics = new Set()
      throw error
    }
  }

  /** Partition numbers of a known topic, ascending. */
  partitions(topic: string): number[] {
    return this.#cluster
      .findTopicPartitionMetadata(topic)
      .map(({ partitionId }) => partitionId)
      .sort((a, b) => a - b)
  }

  /** The node that leads a partition of a known topic; undefined while it has no leader. */
  leader({ topic, partition }: Source): number | undefined {
    const leader = this.#cluster
      .findTopicPartitionMetadata(topic)
      .find(({ partitionId }) => partitionId === partition)?.leader
    return leader === undefined || leader < 0 ? undefined : leader
  }

  /** The sources by the node that leads them; those without a leader are left out. */
  byLeader(sources: readonly Source[]): Map<number, Source[]> {
    const nodes = new Map<number, Source[]>()
    for (const source of sources) {
      const leader = this.leader(source)
      if (leader === undefined) continue
      const led = nodes.get(leader) ?? []
      nodes.set(leader, led)
      led.push(source)
    }
    return nodes
  }

  /** Asks a broker, by its node. */
  async ask<T>(nodeId: number, question: (broker: Broker) => Promise<T>): Promise<T> {
    const broker = await this.#found(() => this.#cluster.findBroker({ nodeId }))
    return heard(broker, question(broker))
  }

  async controller(): Promise<Broker> {
    await this.know([])
    return this.#found(() => this.#cluster.findControllerBroker())
  }

  async coordinator(groupId: string): Promise<Broker> {
    return this.#found(() => this.#cluster.findGroupCoordinator({ groupId }))
  }

  /** What was still looking for a broker when the connection was closed leaves no socket behind, which would keep the process alive. */
  async #found(find: () => Promise<Broker>): Promise<Broker> {
    this.#throwIfClosed()
    const broker = await find()
    if (this.#closed) await broker.disconnect()
    this.#throwIfClosed()
    return broker
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new TidemarkError('KAFKA_UNAVAILABLE', 'the connection to Kafka has been closed')
  }

  /** Closes all sockets; resolves after 5 s at the latest, because kafkajs waits for requests that may never be answered. */
  close(): Promise<unknown> {
    this.#closed ??= within(5_000, this.#cluster.disconnect())
    return this.#closed
  }
}

/**
 * kafkajs leaves a socket open whose answers don't come any more (the machine behind it died without a word), and every later
 * request waits its full time there. So a request that timed out takes its sockets with it: the next one connects anew.
 */
export async function heard<T>(broker: Broker, answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    const type = failureType(error)
    if (type === 'KafkaJSConnectionClosedError') await broker.disconnect()
    if (type === 'KafkaJSRequestTimeoutError') {
      for (const { socket } of broker.connectionPool.pool) socket?.destroy(error instanceof Error ? error : undefined)
    }
    throw error
  }
}

/** Rejects with kafkajs' KafkaJSRequestTimeoutError where there is no answer after `ms`. */
export async function inTime<T>(ms: number | undefined, answer: Promise<T>): Promise<T> {
  if (ms === undefined) return answer
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new kafkajs.KafkaJSRequestTimeoutError(`no answer after ${ms} ms`)), ms)
  try {
    return await Promise.race([answer, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** kafkajs reports as errors what is retried and told by this room where it matters; its own words are for debugging. */
function quiet(logger: KafkaLogger) {
  return () =>
    ({
      namespace,
      log: { message, timestamp: _, logger: __, stack: ___, ...fields },
    }: {
      namespace: string
      log: { message: string; [field: string]: unknown }
    }) => {
      logger.debug(`${namespace}: ${message}`, fields)
    }
}
