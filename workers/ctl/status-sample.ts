import type { Clock, DeadLetterDesk, DeadLetterStore, Log } from '../../shared/engine/index.ts'
import { isKind } from '../../shared/errors.ts'
import type { Source } from '../../shared/events/position.ts'

/** A partition as a group has got through it. */
export interface Sampled {
  readonly source: Source
  readonly committed: number | null
  readonly start: number
  readonly end: number
  readonly lag: number
}

/** All partitions at one moment. */
export interface Sample {
  readonly at: number
  readonly partitions: readonly Sampled[]
}

/** Topics that don't exist are told in `missing`. */
export async function sample(
  group: string,
  topics: readonly string[],
  { log, clock }: { readonly log: Log; readonly clock: Clock },
  missing: string[],
): Promise<Sample> {
  const partitions: Sampled[] = []
  for (const topic of topics) {
    try {
      // Commits first: one that follows an event produced meanwhile must not seem to lie behind the end of the log.
      const committed = await log.committed(group, topic)
      const bounds = await log.bounds(topic)
      for (const [partition, { start, end }] of [...bounds].sort(([a], [b]) => a - b)) {
        const offset = committed.get(partition)
        partitions.push({
          source: { topic, partition },
          committed: offset ?? null,
          start,
          end,
          lag: Math.max(0, end - Math.max(start, offset ?? start)),
        })
      }
    } catch (error) {
      if (!isKind(error, 'refused')) throw error
      missing.push(topic)
    }
  }
  return { at: clock.now(), partitions }
}

export function total({ partitions }: Sample, what: 'lag' | 'end'): number {
  return partitions.reduce((sum, partition) => sum + partition[what], 0)
}

/** Events committed between two samples. */
export function applied(first: Sample, last: Sample): number {
  const committed = ({ partitions }: Sample) =>
    partitions.reduce((sum, { committed, start }) => sum + (committed ?? start), 0)
  return Math.max(0, committed(last) - committed(first))
}

/** Seconds since the oldest event that waits was produced. */
export async function age(
  partitions: readonly Sampled[],
  { log, now }: { readonly log: Log; readonly now: () => number },
): Promise<number> {
  const oldest = await Promise.all(
    partitions
      .filter(({ lag }) => lag > 0)
      .map(async ({ source, committed, start, end }) => {
        for await (const [record] of log.read(source, Math.max(start, committed ?? start), end))
          if (record) return record.timestamp
        return now()
      }),
  )
  return round(Math.max(0, now() - Math.min(now(), ...oldest)) / 1000)
}

/** Unresolved dead letters, and the events that wait behind them. */
export async function countLetters(
  sources: readonly Source[],
  store: Pick<DeadLetterStore, 'events'> & Pick<DeadLetterDesk, 'list'>,
): Promise<{ deadLetters: number; parked: number }> {
  const counts = await Promise.all(
    sources.map(async (source) => {
      let deadLetters = 0
      const scopes = new Map<string, () => AsyncIterable<readonly unknown[]>>()
      for await (const letters of store.list(source)) {
        for (const { scope, record, state } of letters) {
          if (state !== 'parked') continue
          deadLetters++
          // Records without a key don't wait for each other.
          if (scope !== 'key:' && !scopes.has(scope))
            scopes.set(scope, () => store.events(source, scope, record.offset + 1))
        }
      }
      let parked = 0
      for (const events of scopes.values()) for await (const records of events()) parked += records.length
      return { deadLetters, parked }
    }),
  )
  return {
    deadLetters: counts.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
    parked: counts.reduce((sum, { parked }) => sum + parked, 0),
  }
}

/** To a tenth. */
export function round(number: number): number {
  return Math.round(number * 10) / 10
}
