import errors from 'kafkajs/src/protocol/error.js'
import type { Source } from '../events/position.ts'
import { heard, type KafkaConnection } from './connection.ts'

export interface Bounds {
  readonly start: number
  readonly end: number
}

const EARLIEST = -2
const LATEST = -1
const READ_UNCOMMITTED = 0

/** First and end offset of each of the partitions, as their leaders know them. The topics must be known to the connection. */
export async function boundsOf(
  connection: KafkaConnection,
  sources: readonly Source[],
): Promise<(Bounds & { readonly source: Source })[]> {
  const topics = [...new Set(sources.map(({ topic }) => topic))]
  await connection.know(topics)
  const nodes = connection.byLeader(sources)
  const led = [...nodes.values()].flat()
  if (led.length < sources.length) {
    await connection.refresh(topics)
    throw errors.createErrorFromCode(5) // LEADER_NOT_AVAILABLE
  }
  const answers = await Promise.all([...nodes].map(([node, own]) => ask(connection, node, own, topics)))
  return answers.flat()
}

async function ask(connection: KafkaConnection, node: number, sources: readonly Source[], topics: readonly string[]) {
  try {
    return await connection.ask(node, async (broker) => {
      const listed = async (timestamp: number) => {
        const byTopic = Map.groupBy(sources, ({ topic }) => topic)
        const { responses } = await broker.listOffsets({
          isolationLevel: READ_UNCOMMITTED,
          topics: [...byTopic].map(([topic, own]) => ({
            topic,
            partitions: own.map(({ partition }) => ({ partition, timestamp })),
          })),
        })
        return new Map(
          responses.flatMap(({ topic, partitions }) =>
            partitions.map(({ partition, offset }) => [`${topic}/${partition}`, Number(offset)] as const),
          ),
        )
      }
      const start = await listed(EARLIEST)
      const end = await listed(LATEST)
      return sources.map((source) => ({ source, start: found(start, source), end: found(end, source) }))
    })
  } catch (error) {
    // Whatever it was, the leaders may be others by now.
    await connection.refresh(topics)
    throw error
  }
}

function found(offsets: ReadonlyMap<string, number>, { topic, partition }: Source): number {
  const offset = offsets.get(`${topic}/${partition}`)
  if (offset === undefined) throw errors.createErrorFromCode(5)
  return offset
}

export interface Committed {
  readonly next: number
  /** What the one that committed it writes into; undefined if it does not say. */
  readonly view: string | undefined
}

/** Before the view in a commit's metadata: what others put there is not ours to read. */
const VIEW = 'tidemark view '

/** A commit as Kafka takes it. */
export function commitOf(partition: number, { next, view }: Committed) {
  return { partition, offset: String(next), metadata: view === undefined ? null : VIEW + view }
}

/** What a group has committed on the partitions; those without a commit are absent. */
export async function committedOf(
  connection: KafkaConnection,
  groupId: string,
  sources: readonly Source[],
): Promise<ReadonlyMap<string, Committed>> {
  if (sources.length === 0) return new Map()
  await connection.know([])
  const coordinator = await connection.coordinator(groupId)
  const topics = Map.groupBy(sources, ({ topic }) => topic)
  const { responses } = await heard(
    coordinator,
    coordinator.offsetFetch({
      groupId,
      topics: [...topics].map(([topic, own]) => ({ topic, partitions: own.map(({ partition }) => ({ partition })) })),
    }),
  )
  const commits = responses.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset, metadata }): readonly [string, Committed] => {
      const view = metadata?.startsWith(VIEW) ? metadata.slice(VIEW.length) : undefined
      return [`${topic}/${partition}`, { next: Number(offset), view }]
    }),
  )
  return new Map(commits.filter(([, { next }]) => next >= 0))
}
