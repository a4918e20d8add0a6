import * as cassandra from '../../shared/cassandra/index.ts'
import {
  CassandraDeadLetters,
  CassandraProgress,
  CassandraVersions,
  CassandraViewReader,
  connect,
  type Session,
  type Version,
} from '../../shared/cassandra/index.ts'
import { type Config, readConfig } from '../../shared/config.ts'
import { systemClock } from '../../shared/engine/index.ts'
import { carts, inventory, type Topic } from '../../shared/events/index.ts'
import { describeCluster, KafkaAdmin, KafkaLog, KafkaPublisher } from '../../shared/kafka/index.ts'
import type { Projection } from '../../shared/projection/projection.ts'
import { cassandraSettings, kafkaSettings } from '../connections.ts'
import { loadProjections, type Projections } from '../loader.ts'
import type { Desks } from './dead-letters-command.ts'
import type { DoctorTools } from './doctor/doctor.ts'
import { tablesOf } from './init.ts'
import type { StatusPorts } from './status.ts'
import type { SwitchPorts } from './switch.ts'

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
  readonly versions: SwitchPorts
  readonly desks: Desks
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
    const { log, clock } = servers
    const versions: SwitchPorts = {
      log,
      versions: new CassandraVersions(session),
      books,
      clock,
      projections: servers.projections.all,
      tables: async () => (await tablesOf(session)) ?? new Set(),
    }
    try {
      return await work({
        ...servers,
        session,
        versions,
        desks: {
          projections: servers.projections,
          desk: (projection) => ({ projection, log, clock, desk: books(projection).deadLetters }),
        },
        schema: cassandra,
        books,
        reader: (projection) => new CassandraViewReader(session, projection),
      })
    } finally {
      await session.close()
    }
  })
}

/** What status looks with. Cassandra is connected to when it is first asked, and may be away. */
export function withStatus<T>(
  work: (servers: KafkaServers & { readonly status: StatusPorts }) => Promise<T>,
): Promise<T> {
  return withKafka(async (servers) => {
    const { config, log, admin, clock } = servers
    let session: Session | undefined
    let connecting: Promise<Session> | undefined
    const connected = async () => {
      // Tried again when asked again: `--watch` outlives an outage.
      connecting ??= connect(cassandraSettings(config.cassandra), { patience: 0 })
      try {
        session = await connecting
        return session
      } catch (error) {
        connecting = undefined
        throw error
      }
    }
    const letters = async (version: Version) => new CassandraDeadLetters(await connected(), version)
    const status: StatusPorts = {
      log,
      versions: {
        list: async () => new CassandraVersions(await connected()).list(),
        served: async (projection) => new CassandraVersions(await connected()).served(projection),
        tables: async (projection) => new CassandraVersions(await connected()).tables(projection),
      },
      describeGroup: (group) => admin.describeGroup(group),
      books: (version) => ({
        progress: { list: async () => new CassandraProgress(await connected(), version).list() },
        deadLetters: {
          async *list(source) {
            yield* (await letters(version)).list(source)
          },
          async *events(...of) {
            yield* (await letters(version)).events(...of)
          },
        },
      }),
      clock,
      now: Date.now,
    }
    try {
      return await work({ ...servers, status })
    } finally {
      await session?.close()
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
    sleep: (milliseconds) => systemClock.sleep(milliseconds),
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
