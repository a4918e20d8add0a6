import type * as cassandra from '../../../shared/cassandra/index.ts'
import type { Config } from '../../../shared/config.ts'
import type { VersionStore } from '../../../shared/engine/index.ts'
import type { Topic } from '../../../shared/events/topic.ts'
import type { ClusterDescription } from '../../../shared/kafka/cluster.ts'
import type { KafkaAdmin } from '../../../shared/kafka/index.ts'
import { type Projection, tableName, versionName } from '../../../shared/projection/projection.ts'
import { nodeFindings, nodesOf, replicationFindings, replicationOf } from './cassandra-checks.ts'
import { attempt, type Finding, fail, failed, ok } from './finding.ts'
import { clusterFindings, groupFindings, topicFindings } from './kafka-checks.ts'
import { type Counts, memberFindings, servedFindings, versionFindings } from './version-checks.ts'

/** How tables are looked at: shared/cassandra. */
type Schema = Pick<typeof cassandra, 'checkBookkeeping' | 'checkTables' | 'viewTable'>

/** What the doctor looks with; each may throw, which is a finding. What was opened is closed. */
export interface DoctorTools {
  readonly schema: Schema
  readConfig(): Config
  loadProjections(config: Config): Promise<readonly Projection[]>
  describeCluster(config: Config): Promise<ClusterDescription>
  admin(config: Config): Pick<KafkaAdmin, 'describe' | 'describeGroup' | 'close'>
  connect(config: Config): Promise<{
    readonly session: cassandra.Session
    readonly versions: Pick<VersionStore, 'load' | 'served' | 'tables'>
  }>
  /** Between two looks for members. */
  sleep(milliseconds: number): Promise<void>
}

/** How often members are looked for that should be there; a second lies between. */
const LOOKS = 30

/**
 * Looks at everything Tidemark depends on, and goes on after a failure, so that all are found at once. Changes nothing and
 * never rejects: what can't be looked at is a failure itself. Versions of `running` (`stock.v1`) must have workers, within half a minute.
 */
export async function* examine(tools: DoctorTools, running: readonly string[] = []): AsyncGenerator<Finding> {
  let config: Config
  try {
    config = tools.readConfig()
    yield ok('settings', 'are complete and right')
  } catch (error) {
    yield failed('settings', error)
    yield fail('the rest', 'was not looked at', 'Correct the settings, then run `tidemark doctor` again.')
    return
  }
  let projections: readonly Projection[] = []
  yield* await attempt('projections', async () => {
    projections = await tools.loadProjections(config)
    return [ok('projections', projections.map(versionName).join(', ') || 'none')]
  })
  const topics = new Map<string, Topic>(
    projections.flatMap((projection) => projection.topics.map((topic) => [topic.name, topic] as const)),
  )
  const counts: Counts = { partitions: new Map(), members: new Map() }
  const loaded = projections.map(versionName)
  for (const name of running)
    if (!loaded.includes(name)) yield fail(`version ${name}`, 'is to run, but is not loaded here', 'Name one that is.')
  yield* examineKafka(tools, config, projections, topics, counts, running)
  yield* examineCassandra(tools, config, projections, counts, running)
}

/** Fills in the counts. */
async function* examineKafka(
  tools: DoctorTools,
  config: Config,
  projections: readonly Projection[],
  topics: ReadonlyMap<string, Topic>,
  counts: Counts,
  running: readonly string[],
): AsyncGenerator<Finding> {
  let brokers = 0
  const reached = await attempt('kafka', async () => {
    const cluster = await tools.describeCluster(config)
    brokers = cluster.brokers
    return clusterFindings(cluster)
  })
  yield* reached
  // Every further question would wait in vain for the same brokers.
  if (brokers === 0) return
  const admin = tools.admin(config)
  try {
    for (const topic of topics.values()) {
      yield* await attempt(`topic ${topic.name}`, async () => {
        const found = await admin.describe(topic.name)
        if (found) counts.partitions.set(topic.name, found.partitions)
        return topicFindings(topic, found, brokers)
      })
    }
    for (const projection of projections) {
      const group = versionName(projection)
      const partitions = projection.topics.reduce((sum, { name }) => sum + (counts.partitions.get(name) ?? 0), 0)
      yield* await attempt(`group ${group}`, async () => {
        let found = await admin.describeGroup(group)
        // In a rebalance Kafka does not say what members said of themselves.
        const settled = () => found.state === 'Stable' || (found.members.length === 0 && !running.includes(group))
        for (let look = 1; !settled() && look < LOOKS; look++) {
          await tools.sleep(1_000)
          found = await admin.describeGroup(group)
        }
        counts.members.set(group, found.members)
        return groupFindings(group, found, partitions)
      })
    }
  } finally {
    await admin.close().catch(() => undefined)
  }
}

async function* examineCassandra(
  tools: DoctorTools,
  config: Config,
  projections: readonly Projection[],
  counts: Counts,
  running: readonly string[],
): AsyncGenerator<Finding> {
  let opened: Awaited<ReturnType<DoctorTools['connect']>>
  try {
    opened = await tools.connect(config)
  } catch (error) {
    yield failed('cassandra', error)
    return
  }
  const { session, versions } = opened
  const { keyspace, localDatacenter } = config.cassandra
  try {
    const nodes = await nodesOf(session)
    yield* nodeFindings(nodes)
    const replication = await replicationOf(session)
    yield* replicationFindings(keyspace, localDatacenter, nodes, replication)
    // Without a keyspace there is nothing in it.
    if (!replication) return
    const books = await attempt('tables beside the views', async () => {
      await tools.schema.checkBookkeeping(session)
      return [ok('tables beside the views', 'are there')]
    })
    yield* books
    const recorded = books.every(({ level }) => level === 'ok')
    for (const projection of projections) {
      const table = `table ${tableName(projection)}`
      yield* await attempt(table, async () => {
        await tools.schema.checkTables(session, [tools.schema.viewTable(projection)])
        return [ok(table, 'is as declared')]
      })
      const version = versionName(projection)
      const members = counts.members.get(version)
      if (members)
        yield* await attempt(`workers of ${version}`, async () => {
          const tables = await versions.tables(projection)
          return memberFindings(version, members, tables[tableName(projection)], running.includes(version))
        })
      if (recorded)
        yield* await attempt(version, async () =>
          versionFindings(projection, await versions.load(projection), counts, running.includes(version)),
        )
    }
    if (recorded)
      for (const [name, loaded] of Map.groupBy(projections, ({ name }) => name))
        yield* await attempt(`readers of ${name}`, async () =>
          servedFindings(name, loaded, await versions.served(name)),
        )
  } catch (error) {
    yield failed('cassandra', error)
  } finally {
    await session.close().catch(() => undefined)
  }
}
