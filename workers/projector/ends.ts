import type { Log } from '../../shared/engine/index.ts'
import type { ProjectionObserver } from '../../shared/observability/index.ts'
import type { Projection } from '../../shared/projection/projection.ts'

const EVERY_MS = 5_000

interface Watched {
  readonly projection: Pick<Projection, 'topics'>
  readonly observer: Pick<ProjectionObserver, 'end'>
}

/**
 * Tells the observers every 5 seconds where the log ends, asking once for each topic, until the signal. Batches tell it too, but a
 * partition that is held, busy with a long batch, or whose leader is gone gets none; its lag must grow all the same, and how fast
 * events arrive must show, or no worker is added.
 */
export function watchEnds(watched: readonly Watched[], log: Log, signal: AbortSignal): void {
  const readers = new Map<string, Watched['observer'][]>()
  for (const { projection, observer } of watched)
    for (const { name } of projection.topics) readers.set(name, [...(readers.get(name) ?? []), observer])

  if (signal.aborted) return
  const timer = setInterval(() => void look(), EVERY_MS)
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })

  async function look(): Promise<void> {
    for (const [topic, observers] of readers) {
      // Kafka being away is told by whoever needs it; the next look may find it.
      const bounds = await log.bounds(topic).catch(() => undefined)
      for (const [partition, { end }] of bounds ?? [])
        for (const observer of observers) observer.end({ topic, partition }, end)
    }
  }
}
