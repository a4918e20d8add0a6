import * as cassandra from '../../shared/cassandra/index.ts'
import {
  CassandraDeadLetters,
  CassandraProgress,
  CassandraVersions,
  CassandraViewReader,
  connect,
  type Session,
} from '../../shared/cassandra/index.ts'
import { type Config, readConfig } from '../../shared/config.ts'
import { systemClock } from '../../shared/engine/index.ts'
import { carts, inventory, type Topic } from '../../shared/events/index.ts'
import { describeCluster, KafkaAdmin, KafkaLog, KafkaPublisher } from '../../shared/kafka/index.ts'
import type { Projection } from '../../shared/projection/projection.ts'
import { cassandraSettings, kafkaSettings } from '../connections.ts'
import { loadProjections, type Projections } from '../loader.ts'
import type { DoctorTools } from './doctor/doctor.ts'
import type { StatusPorts } from './status.ts'

/* The part of the command line's main that builds the adapters. */

/** Kafka, and what the projections say about it. */
export interface KafkaServers {
  readonly config: Config
  readonly projections: Projections
  /** Every topic that is known by definition. */
  readonly topics: readonly Topic[]
  readonly log: KafkaLog
  readonly admin: KafkaAdmin
  readonly publisher: KafkaPublisher
  readonly clock: typeof systemClock
  /** Aborted by Ctrl-C, so that a command can end in good order. */
  readonly interrupted: AbortSignal
}

/** Kafka and Cassandra. */
export interface Servers extends KafkaServers {
  readonly session: Session
  /** How tables are made. */
  readonly schema: typeof cassandra
  readonly status: StatusPorts
  reader(projection: Projection): CassandraViewReader
  books(version: Pick<Projection, 'name' | 'version'>): {
    readonly progress: CassandraProgress
    readonly deadLetters: CassandraDeadLetters
  }
}

/** Does something with Kafka, and closes what that opened. */
export async function withKafka<T>(work: (servers: KafkaServers) => Promise<T>): Promise<T> {
  const config = readConfig()
  const projections = await loadProjections({ builtin: config.builtin, paths: config.projections })
  const topics = [
    ...new Map(
      [...(config.builtin ? [carts, inventory] : []), ...projections.all.flatMap((one) => one.topics)].map(
        (topic) => [topic.name, topic] as const,
      ),
    ).values(),
  ]
  const settings = { ...kafkaSettings(config, 'tidemark-ctl'), missingTopicMs: 1_000 }
  const [log, admin, publisher] = [new KafkaLog(settings), new KafkaAdmin(settings), new KafkaPublisher(settings)]
  const interruption = new AbortController()
  const interrupt = () => interruption.abort()
  process.once('SIGINT', interrupt)
  try {
    return await work({
      config,
      projections,
      topics,
      log,
      admin,
      publisher,
      clock: systemClock,
      interrupted: interruption.signal,
    })
  } finally {
    process.off('SIGINT', interrupt)
    await Promise.all([log.close(), admin.close(), publisher.close()])
  }
}

/** Does something with Kafka and Cassandra, and closes what that opened. Throws CASSANDRA_UNAVAILABLE after ten seconds without it. */
export function withServers<T>(work: (servers: Servers) => Promise<T>): Promise<T> {
  return withKafka(async (servers) => {
    const session = await connect(cassandraSettings(servers.config.cassandra))
    const books = (version: Pick<Projection, 'name' | 'version'>) => ({
      progress: new CassandraProgress(session, version),
      deadLetters: new CassandraDeadLetters(session, version),
    })
    const { log, admin, clock } = servers
    const status: StatusPorts = {
      log,
      versions: new CassandraVersions(session),
      describeGroup: (group) => admin.describeGroup(group),
      books,
      clock,
      now: Date.now,
    }
    try {
      return await work({
        ...servers,
        session,
        schema: cassandra,
        books,
        status,
        reader: (projection) => new CassandraViewReader(session, projection),
      })
    } finally {
      await session.close()
    }
  })
}

/** The doctor opens things one by one, since each may be what is ill. */
export function doctorTools(): DoctorTools & { close(): Promise<void> } {
  const open: (() => Promise<void>)[] = []
  return {
    readConfig,
    schema: cassandra,
    loadProjections: async (config) =>
      (await loadProjections({ builtin: config.builtin, paths: config.projections })).all,
    describeCluster: (config) => describeCluster(kafkaSettings(config, 'tidemark-doctor')),
    admin: (config) => new KafkaAdmin(kafkaSettings(config, 'tidemark-doctor')),
    async connect(config) {
      const session = await connect(cassandraSettings(config.cassandra), { patience: 5_000 })
      open.push(() => session.close())
      return { session, versions: new CassandraVersions(session) }
    },
    async close() {
      await Promise.all(open.map((close) => close()))
    },
  }
}
