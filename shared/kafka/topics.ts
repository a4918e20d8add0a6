import kafkajs, { type Admin } from 'kafkajs'
import './version.ts'
import './patches.ts'
import { TidemarkError } from '../errors.ts'
import { asTidemark, failureType } from './failure.ts'
import { introduced } from './introduction.ts'
import { persist, within } from './retry.ts'
import { type KafkaLogger, type KafkaSettings, silent, withDefaults } from './settings.ts'

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  /** Default: the broker's `default.replication.factor`. */
  readonly replication?: number
  /** Topic settings, e.g. `{ 'retention.ms': '-1' }`. */
  readonly config?: Readonly<Record<string, string>>
}

export interface TopicDescription {
  readonly name: string
  readonly partitions: number
  readonly replication: number
  /** Milliseconds records are kept; -1 for ever. Events that are gone can't be folded again. */
  readonly retentionMs: number
  /** Bytes per partition; -1 for no limit. */
  readonly retentionBytes: number
  readonly compacted: boolean
  readonly config: Readonly<Record<string, string>>
}

export interface GroupDescription {
  /** Kafka's word: `Stable`, `PreparingRebalance`, `CompletingRebalance`, `Empty`, `Dead`. */
  readonly state: string
  readonly members: readonly GroupMember[]
}

export interface GroupMember {
  readonly id: string
  readonly clientId: string
  readonly host: string
  /** What it writes into, as it introduced itself; undefined if it does not say. */
  readonly view: string | undefined
}

/** The operator's side of Kafka: topics and groups. Every call waits out an outage of up to 30 s. */
export class KafkaAdmin {
  readonly #admin: Admin
  readonly #logger: KafkaLogger
  #connected: Promise<void> | undefined

  constructor(settings: KafkaSettings, logger: KafkaLogger = silent) {
    const { brokers, clientId, ssl, sasl, connectionTimeoutMs, requestTimeoutMs } = withDefaults(settings)
    const kafka = new kafkajs.Kafka({
      brokers: [...brokers],
      clientId,
      ...(ssl === undefined ? {} : { ssl }),
      ...(sasl === undefined ? {} : { sasl }),
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 500 },
    })
    this.#admin = kafka.admin()
    this.#logger = logger
  }

  /**
   * Creates the topics that do not exist; resolves with their names when all have leaders. One that exists is left as it is, even
   * with another partition count: say so to the operator after `describe`.
   */
  async createTopics(topics: readonly NewTopic[]): Promise<readonly string[]> {
    const created: string[] = []
    for (const { name, partitions, replication = -1, config = {} } of topics) {
      const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }))
      const fresh = await this.#ask(`creating topic ${name}`, (admin) =>
        admin.createTopics({
          waitForLeaders: false,
          topics: [{ topic: name, numPartitions: partitions, replicationFactor: replication, configEntries }],
        }),
      )
      if (!fresh) continue
      created.push(name)
      // kafkajs would wait for the leaders itself, and fail where a broker has not heard of the new topic yet.
      const leaders = () => this.#admin.fetchTopicMetadata({ topics: [name] })
      await persist(`leaders of topic ${name}`, leaders, { logger: this.#logger, deadline: 30_000, missing: 30_000 })
    }
    return created
  }

  /** Deletes topics with all their events; one that does not exist is passed over. */
  async deleteTopics(names: readonly string[]): Promise<void> {
    const existing = new Set(await this.topics())
    const topics = names.filter((name) => existing.has(name))
    if (topics.length > 0)
      await this.#ask(`deleting topics ${topics.join(', ')}`, (admin) => admin.deleteTopics({ topics }))
  }

  async addPartitions(topic: string, partitions: number): Promise<void> {
    await this.#ask(`adding partitions to topic ${topic}`, (admin) =>
      admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] }),
    )
  }

  /** Removes the records below an offset of each partition named, as retention would. */
  async truncate(topic: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }))
    await this.#ask(`truncating topic ${topic}`, async (admin) => {
      // kafkajs looks for the leaders only in what it has learned of the topic before.
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({ topic, partitions })
    })
  }

  async topics(): Promise<readonly string[]> {
    return this.#ask('listing topics', (admin) => admin.listTopics())
  }

  /** Undefined if it does not exist. */
  async describe(name: string): Promise<TopicDescription | undefined> {
    if (!(await this.topics()).includes(name)) return undefined
    const { topics } = await this.#ask(`describing topic ${name}`, (admin) =>
      admin.fetchTopicMetadata({ topics: [name] }),
    )
    const { resources } = await this.#ask(`settings of topic ${name}`, (admin) =>
      admin.describeConfigs({ includeSynonyms: false, resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name }] }),
    )
    const config = Object.fromEntries(
      resources.flatMap(({ configEntries }) =>
        configEntries.map(({ configName, configValue }) => [configName, configValue] as const),
      ),
    )
    const partitions = topics[0]?.partitions ?? []
    return {
      name,
      partitions: partitions.length,
      replication: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      retentionMs: Number(config['retention.ms'] ?? -1),
      retentionBytes: Number(config['retention.bytes'] ?? -1),
      compacted: (config['cleanup.policy'] ?? 'delete').includes('compact'),
      config,
    }
  }

  /** A group that does not exist is `Dead` and has no members. */
  async describeGroup(group: string): Promise<GroupDescription> {
    const { groups } = await this.#ask(`describing group ${group}`, (admin) => admin.describeGroups([group]))
    const [found] = groups
    if (!found) return { state: 'Dead', members: [] }
    return {
      state: found.state,
      members: found.members.map(({ memberId, clientId, clientHost, memberMetadata }) => ({
        id: memberId,
        clientId,
        host: clientHost,
        view: introduced(memberId, memberMetadata).view,
      })),
    }
  }

  /** Forgets a group with its committed offsets. Rejects with USAGE while it has members; one that does not exist is passed over. */
  async deleteGroup(group: string): Promise<void> {
    await this.#ask(`deleting group ${group}`, async (admin) => {
      try {
        await admin.deleteGroups([group])
      } catch (error) {
        const type = groupFailure(error)
        if (type === 'NON_EMPTY_GROUP')
          throw new TidemarkError('USAGE', `group ${group} has members`, {
            remedy: 'Stop the workers of this projection first.',
          })
        if (type !== 'GROUP_ID_NOT_FOUND') throw error
      }
    })
  }

  async close(): Promise<void> {
    if (this.#connected) await within(5_000, this.#admin.disconnect())
  }

  async #ask<T>(what: string, question: (admin: Admin) => Promise<T>): Promise<T> {
    return persist(
      what,
      async () => {
        try {
          this.#connected ??= this.#admin.connect()
          await this.#connected
          return await question(this.#admin)
        } catch (error) {
          if (failureType(error).startsWith('KafkaJSConnection')) this.#connected = undefined
          const final = asTidemark(error, what)
          throw final instanceof TidemarkError && final.kind !== 'transient' ? final : error
        }
      },
      { logger: this.#logger, deadline: 30_000 },
    )
  }
}

/** kafkajs wraps the answers about groups in an error that lists them. */
function groupFailure(error: unknown): string {
  if (!(error instanceof Error) || !('groups' in error) || !Array.isArray(error.groups)) return failureType(error)
  const [first]: { errorType?: unknown; error?: unknown }[] = error.groups
  return first?.error instanceof Error ? failureType(first.error) : failureType(error)
}
