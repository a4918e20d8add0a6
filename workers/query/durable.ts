import type { Log, ProgressStore } from '../../shared/engine/ports.ts'
import type { Source } from '../../shared/events/index.ts'

/** The offset up to which a source's events are known to be in a view; -1 for none. */
export type Durable = (source: Source) => Promise<number>

interface Parts {
  readonly progress: Pick<ProgressStore, 'load'>
  readonly log: Pick<Log, 'committed'>
  /** The version's consumer group. */
  readonly group: string
  /** Milliseconds of any clock. */
  readonly now: () => number
}

/** How long a topic's commits are used again: many requests may be waiting for one. */
const KEPT_MS = 200
/** How long Kafka is waited for. What a version has recorded beside its view is enough, and only some time behind. */
const PATIENCE_MS = 500

/**
 * The newer of what the version recorded in Cassandra, which it does now and then, and of what its group committed in Kafka, which
 * follows every flush. A commit comes after the write, so neither says more than is readable. Rejects if Cassandra can't be read;
 * without Kafka the record alone is used.
 */
export function durablePositions({ progress, log, group, now }: Parts): Durable {
  const commits = new Map<string, { at: number; offsets: Promise<ReadonlyMap<number, number>> }>()

  return async (source) => {
    const [recorded, committed] = await Promise.all([
      progress.load(source),
      within(PATIENCE_MS, committedIn(source.topic), new Map<number, number>()),
    ])
    return Math.max(recorded?.position ?? -1, (committed.get(source.partition) ?? 0) - 1)
  }

  function committedIn(topic: string): Promise<ReadonlyMap<number, number>> {
    const before = commits.get(topic)
    if (before && now() - before.at < KEPT_MS) return before.offsets
    const offsets = log.committed(group, topic).catch(() => new Map<number, number>())
    commits.set(topic, { at: now(), offsets })
    return offsets
  }
}

/** What is promised, or `otherwise` if that takes too long. */
export async function within<T>(milliseconds: number, promise: Promise<T>, otherwise: T): Promise<T> {
  const { promise: late, resolve } = Promise.withResolvers<T>()
  const timer = setTimeout(() => resolve(otherwise), milliseconds)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
