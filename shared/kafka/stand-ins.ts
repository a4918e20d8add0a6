import type { Broker } from 'kafkajs/src/cluster/index.js'
import type { Source } from '../events/position.ts'
import { KafkaConnection } from './connection.ts'
import { Membership } from './membership.ts'
import type { KafkaLogger } from './settings.ts'

/* Kafka as tests script it, for what real brokers do too seldom or too late. Nothing here touches a network. */

/** Keeps what is logged, and tells of each line. */
export class KeptLog implements KafkaLogger {
  readonly lines: string[] = []
  readonly #heard: (line: string) => void

  constructor(heard: (line: string) => void = () => {}) {
    this.#heard = heard
  }

  debug(message: string, fields: object = {}): void {
    const line = `${message} ${JSON.stringify(fields)}`
    this.lines.push(line)
    this.#heard(line)
  }
  info(message: string, fields?: object): void {
    this.debug(message, fields)
  }
  warn(message: string, fields?: object): void {
    this.debug(message, fields)
  }
  error(message: string, fields?: object): void {
    this.debug(message, fields)
  }
}

const never = () => new Promise<never>(() => {})

/** A broker of an empty log in which nothing is committed. Of what is not scripted there is no answer. */
export class ScriptedBroker implements Broker {
  readonly nodeId = 1
  readonly connectionPool: Broker['connectionPool'] = { send: never, pool: [] }
  lookupRequest: Broker['lookupRequest'] = () => () => ({
    request: { apiVersion: 11 },
    response: { decode: never, parse: never },
  })
  disconnect = async () => {}
  joinGroup: Broker['joinGroup'] = never
  syncGroup: Broker['syncGroup'] = never
  heartbeat: Broker['heartbeat'] = never
  leaveGroup: Broker['leaveGroup'] = never
  offsetCommit: Broker['offsetCommit'] = never
  initProducerId: Broker['initProducerId'] = never
  apiVersions: Broker['apiVersions'] = never
  listOffsets: Broker['listOffsets'] = async ({ topics }) => ({
    responses: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, offset: '0' })),
    })),
  })
  offsetFetch: Broker['offsetFetch'] = async () => ({ responses: [] })
}

/** A cluster of which only the leaders are known. */
export class ScriptedConnection extends KafkaConnection {
  readonly broker = new ScriptedBroker()
  /** By partition number. */
  readonly leaders: Map<number, number>
  refreshed = 0

  constructor(leaders: Iterable<readonly [number, number]>, logger?: KafkaLogger, sessionTimeoutMs = 10_000) {
    super({ brokers: ['scripted:0'], clientId: 'scripted', sessionTimeoutMs }, logger)
    this.leaders = new Map(leaders)
  }

  override async know(): Promise<void> {}
  override async refresh(): Promise<void> {
    this.refreshed++
  }
  override partitions(): number[] {
    return [...this.leaders.keys()]
  }
  override leader({ partition }: Source): number | undefined {
    return this.leaders.get(partition)
  }
  override ask<T>(_: number, question: (broker: Broker) => Promise<T>): Promise<T> {
    return question(this.broker)
  }
  override async coordinator(): Promise<Broker> {
    return this.broker
  }
}

/** A place in a group that nobody contests. */
export class ScriptedMembership extends Membership {
  /** What was committed, as `3@17`. */
  readonly committed: string[] = []
  /** What the coordinator makes of a commit. */
  answer: () => Promise<void> = async () => {}

  constructor(connection: KafkaConnection) {
    super(connection, 'group', ['t'])
  }

  override async heartbeat(): Promise<void> {}
  override async grown(): Promise<boolean> {
    return false
  }
  override async commit(_: unknown, offsets: Parameters<Membership['commit']>[1]): Promise<void> {
    await this.answer()
    for (const { source, next } of offsets) this.committed.push(`${source.partition}@${next}`)
  }
}
