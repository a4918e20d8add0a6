import type { Log } from '../../shared/engine/ports.ts'
import { parseSource } from '../../shared/events/index.ts'
import { type Durable, within } from './durable.ts'

/** How old a view is where a source feeds it: seconds since its oldest event not yet in the view was produced, at most. */
export type Freshness = (sources: readonly string[]) => Promise<number | null>

interface Parts {
  readonly log: Pick<Log, 'bounds' | 'read'>
  readonly durable: Durable
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** How long an age is given out again. */
const KEPT_MS = 1_000
/** How long an answer waits for Kafka to be compared with: the row itself does not depend on it. */
const PATIENCE_MS = 500

/**
 * Compares what is durable in a view with the end of the log. 0: nothing was missing. Null: not known, since Kafka or Cassandra did
 * not answer in time. Of several sources the oldest counts. Asked at most once a second for each source.
 */
export function freshness({ log, durable, now }: Parts): Freshness {
  const ages = new Map<string, { at: number; age: Promise<number | null> }>()

  return async (sources) => {
    const known = await Promise.all(sources.map((source) => within(PATIENCE_MS, remembered(source), null)))
    return known.reduce<number | null>(
      (oldest, age) => (oldest === null || age === null ? null : Math.max(oldest, age)),
      0,
    )
  }

  function remembered(source: string): Promise<number | null> {
    const before = ages.get(source)
    if (before && now() - before.at < KEPT_MS) return before.age
    const age = ageOf(source).catch(() => null)
    ages.set(source, { at: now(), age })
    return age
  }

  async function ageOf(text: string): Promise<number | null> {
    const source = parseSource(text)
    if (!source) return null
    const [position, bounds] = await Promise.all([durable(source), log.bounds(source.topic)])
    const end = bounds.get(source.partition)?.end
    if (end === undefined) return null
    const next = position + 1
    if (next >= end) return 0
    for await (const records of log.read(source, next, end)) {
      const [oldest] = records
      if (oldest) return Math.max(0, now() - oldest.timestamp) / 1000
    }
    // Only offsets without a record are left: nothing is missing.
    return 0
  }
}

/** The sources of some parts, each once. */
export function sourcesOf(parts: readonly { readonly source: string }[]): readonly string[] {
  return [...new Set(parts.map(({ source }) => source))]
}
