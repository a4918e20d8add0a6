import type { ConnectionOptions } from 'node:tls'
import type { SASLOptions } from 'kafkajs'

/** How to reach Kafka, and how patient to be with it. Everything but `brokers` and `clientId` has a default. */
export interface KafkaSettings {
  /** `host:port`, several so that one may be away when the process starts. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** `true`, or what `tls.connect` takes (ca, cert, key, servername). */
  readonly ssl?: ConnectionOptions | boolean
  /** plain, scram-sha-256, scram-sha-512 or oauthbearer. */
  readonly sasl?: SASLOptions
  /**
   * Milliseconds without a heartbeat after which the group takes a member for dead: how long the partitions of a killed worker
   * are read by nobody. Default 10,000; the broker must allow it (`group.min.session.timeout.ms`, 6,000 by default).
   */
  readonly sessionTimeoutMs?: number
  /**
   * Milliseconds the group waits in a rebalance for a member, which notices, drains and joins again meanwhile: 4 s of them (or
   * half, if that is less) are kept for noticing and joining, so that of 30 s a drain has 26. What is not drained by then is
   * delivered again. Default 30,000. A stop drains for as long, and then takes up to 8 s to leave and to close.
   */
  readonly rebalanceTimeoutMs?: number
  /** Milliseconds for the connection to a broker. Default 3,000. */
  readonly connectionTimeoutMs?: number
  /** Milliseconds for an answer of a broker. Default 15,000. */
  readonly requestTimeoutMs?: number
  /**
   * Milliseconds for which a topic has to be unknown without a break before it is TOPIC_MISSING. Default 30,000: brokers that
   * have just started know no topic. Commands, where somebody waits who may have misspelt it, do with less.
   */
  readonly missingTopicMs?: number
  /** Milliseconds after which Kafka is asked again which partitions there are: so long may added ones go unnoticed. Default 5,000. */
  readonly metadataAgeMs?: number
  /** Milliseconds a broker holds a fetch that finds nothing new. Default 100: so long may the next one be kept from a partition that has room again. */
  readonly fetchWaitMs?: number
  /** Bytes per partition and fetch at most; a larger record is delivered all the same. Default 1 MiB. */
  readonly fetchBytesPerPartition?: number
  /** Bytes per fetch at most. Default 10 MiB. */
  readonly fetchBytes?: number
}

export type FullSettings = Required<Omit<KafkaSettings, 'ssl' | 'sasl'>> & Pick<KafkaSettings, 'ssl' | 'sasl'>

export function withDefaults(settings: KafkaSettings): FullSettings {
  return {
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 30_000,
    connectionTimeoutMs: 3_000,
    requestTimeoutMs: 15_000,
    missingTopicMs: 30_000,
    metadataAgeMs: 5_000,
    fetchWaitMs: 100,
    fetchBytesPerPartition: 1 << 20,
    fetchBytes: 10 << 20,
    ...settings,
  }
}

/** Where the room tells what happens; pino fits as `{ warn: (message, fields) => log.warn(fields, message), … }`. */
export interface KafkaLogger {
  debug(message: string, fields?: object): void
  info(message: string, fields?: object): void
  warn(message: string, fields?: object): void
  error(message: string, fields?: object): void
}

export const silent: KafkaLogger = { debug() {}, info() {}, warn() {}, error() {} }
