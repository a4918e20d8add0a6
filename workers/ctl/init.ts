import type * as cassandra from '../../shared/cassandra/index.ts'
import type { Config } from '../../shared/config.ts'
import type { Clock } from '../../shared/engine/index.ts'
import { because, isKind, TidemarkError } from '../../shared/errors.ts'
import type { Topic } from '../../shared/events/topic.ts'
import type { KafkaAdmin } from '../../shared/kafka/index.ts'
import type { Projection } from '../../shared/projection/projection.ts'
import { counted, type Output, paintFor } from './terminal.ts'

type Session = cassandra.Session

export interface InitPorts {
  readonly session: Session
  /** How tables are made: shared/cassandra. */
  readonly schema: Pick<
    typeof cassandra,
    'createKeyspace' | 'createBookkeeping' | 'createView' | 'lostVersions' | 'viewTable'
  >
  readonly admin: Pick<KafkaAdmin, 'topics' | 'createTopics' | 'describe'>
  readonly clock: Clock
}

export interface InitOptions {
  /** Replicas of the keyspace per data centre; by default as many as the local one has nodes, at most 3. */
  readonly replication?: Readonly<Record<string, number>>
  /** Replicas of topics; -1 or nothing: the brokers' default. */
  readonly topicReplication?: number
}

/** What the settings say about replicas. */
export function initOptions({ cassandra, kafka }: Pick<Config, 'cassandra' | 'kafka'>): InitOptions {
  return {
    ...(cassandra.replicationFactor !== undefined && {
      replication: { [cassandra.localDatacenter]: cassandra.replicationFactor },
    }),
    ...(kafka.replicationFactor !== undefined && { topicReplication: kafka.replicationFactor }),
  }
}

/** One thing that must exist. */
export interface Made {
  readonly kind: 'keyspace' | 'table' | 'topic'
  readonly name: string
  readonly created: boolean
  /** What is not as declared, though it was left alone. */
  readonly warning?: string
}

/** Events are the truth: nothing may remove them, unless the operator decides so for a topic. */
const TOPIC_CONFIG = { 'retention.ms': '-1', 'retention.bytes': '-1', 'cleanup.policy': 'delete' } as const

/**
 * Creates what is missing: keyspace, bookkeeping tables, the views' tables, topics. What is there is checked and left alone, so it is
 * safe to run again, and from several processes at once: creating is "if not exists", and a clash of two is tried again.
 *
 * Throws TABLE_MISMATCH if a table is not the one declared, VIEW_LOST where a version has begun and its table is gone, both when all
 * else was made, and transient errors.
 */
export async function* initialise(
  projections: readonly Projection[],
  ports: InitPorts,
  { replication, topicReplication = -1 }: InitOptions = {},
): AsyncGenerator<Made> {
  const { session, schema, admin, clock } = ports
  const before = await tablesOf(session)
  await again(clock, () => schema.createKeyspace(session, replication ? { replication } : {}))
  yield { kind: 'keyspace', name: session.keyspace, created: before === undefined }

  await again(clock, () => schema.createBookkeeping(session))
  const lost = await again(clock, () => schema.lostVersions(session))
  for (const name of [...((await tablesOf(session)) ?? [])].filter((name) => name.startsWith('tm_')).sort()) {
    const created = !before?.has(name)
    const versions = (created && lost.get(name)) || []
    yield { kind: 'table', name, created, ...(versions.length > 0 && { warning: setAsideGone(name, versions) }) }
  }
  const refusals: TidemarkError[] = []
  for (const projection of projections) {
    const { name } = schema.viewTable(projection)
    try {
      const more = await again(clock, () => schema.createView(session, projection))
      const warning = `table ${name} has columns that nobody declared, which are left alone: ${more.join(', ')}`
      yield { kind: 'table', name, created: !before?.has(name), ...(more.length > 0 && { warning }) }
    } catch (error) {
      if (!isKind(error, 'refused')) throw error
      refusals.push(error)
    }
  }

  const topics = new Map<string, Topic>(
    projections.flatMap((projection) => projection.topics.map((topic) => [topic.name, topic] as const)),
  )
  for (const { name, partitions } of topics.values()) {
    const created = await admin.createTopics([
      { name, partitions, config: TOPIC_CONFIG, ...(topicReplication > 0 && { replication: topicReplication }) },
    ])
    const found = await admin.describe(name)
    yield {
      kind: 'topic',
      name,
      created: created.includes(name),
      ...(found && found.partitions !== partitions && { warning: otherCount(name, partitions, found.partitions) }),
    }
  }
  const [first, ...more] = refusals
  if (first) throw more.length === 0 ? first : new TidemarkError(first.code, refusals.map(because).join('; '))
}

function setAsideGone(table: string, versions: readonly string[]): string {
  return `table ${table} was gone and is made anew, empty, for versions to come. Workers of ${versions.join(', ')} refuse to run (VIEW_LOST), since what they had set aside is gone: raise the version of each.`
}

function otherCount(topic: string, declared: number, found: number): string {
  return `topic ${topic} has ${counted(found, 'partition')}, but ${declared} are declared. It is left as it is, since changing the count moves keys between partitions and rows would get two writers. Declare ${found}, or make a new topic.`
}

/** The tables of the keyspace; undefined if there is no keyspace. */
export async function tablesOf(session: Session): Promise<ReadonlySet<string> | undefined> {
  const about = `looking for keyspace ${session.keyspace}`
  const { rows: keyspaces } = await session.read(
    `SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = '${session.keyspace}'`,
    [],
    about,
  )
  if (keyspaces.length === 0) return undefined
  const { rows } = await session.read(
    `SELECT table_name FROM system_schema.tables WHERE keyspace_name = '${session.keyspace}'`,
    [],
    about,
  )
  return new Set(rows.map((row) => String(row.table_name)))
}

const TRIES = 5

/**
 * Two processes that create one table at the same moment through different nodes may clash in Cassandra; the one that is refused
 * finds the table there when it looks again.
 */
async function again<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === TRIES || isKind(error, 'refused') || isKind(error, 'usage')) throw error
      await clock.sleep(500 * attempt * (0.5 + Math.random()))
    }
  }
}

/** `tidemark init [NAME…]`: tells what was created and what was there. Warnings go to `errors`. Returns the exit code. */
export async function initCommand(
  projections: readonly Projection[],
  ports: InitPorts,
  options: InitOptions,
  output: Output,
  errors: Output,
): Promise<number> {
  const paint = paintFor(output)
  const warn = paintFor(errors)
  let created = 0
  let there = 0
  for await (const made of initialise(projections, ports, options)) {
    if (made.created) created++
    else there++
    output.write(
      `${made.kind.padEnd(8)}  ${made.name.padEnd(32)}  ${made.created ? paint('green', 'created') : paint('dim', 'was there')}\n`,
    )
    if (made.warning) errors.write(`${warn('yellow', `WARNING: ${made.warning}`)}\n`)
  }
  output.write(`init: ${created} created, ${there} already there\n`)
  return 0
}
