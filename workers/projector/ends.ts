import type { Log } from '../../shared/engine/index.ts'
import type { ProjectionObserver } from '../../shared/observability/index.ts'

const EVERY_MS = 5_000

/**
 * Tells the observer every 5 seconds where the log ends. Batches tell it too, but a partition that is held, busy with a long batch,
 * or whose leader is gone gets none; its lag must grow all the same, and how fast events arrive must show, or no worker is added.
 */
export function watchEnds(
  topics: readonly string[],
  log: Log,
  observer: Pick<ProjectionObserver, 'end'>,
  signal: AbortSignal,
): { stop(): void } {
  const timer = setInterval(() => void look(), EVERY_MS)
  const stop = () => clearInterval(timer)
  signal.addEventListener('abort', stop, { once: true })
  return { stop }

  async function look(): Promise<void> {
    for (const topic of topics) {
      // Kafka being away is told by whoever needs it; the next look may find it.
      const bounds = await log.bounds(topic).catch(() => undefined)
      for (const [partition, { end }] of bounds ?? []) observer.end({ topic, partition }, end)
    }
  }
}
