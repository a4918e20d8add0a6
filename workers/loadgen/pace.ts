import type { Clock } from '../../shared/engine/ports.ts'

export interface Plan {
  /** Events per second, above 0. */
  readonly rate: number
  /** How many at most; unset: no bound. */
  readonly events?: number | undefined
  /** For how long; unset: no bound. */
  readonly durationMs?: number | undefined
  /** How many are sent at once at most. */
  readonly batch: number
}

export interface Pace {
  /** Events that were sent. */
  readonly sent: number
  /** Events whose time has come and which were not sent yet. */
  readonly behind: number
  readonly elapsedMs: number
}

/** Shorter waits than this cost more than they even out. */
const LEAST_WAIT_MS = 5

/** Events that are late when the time is over are still sent, as long as that takes no longer than this. */
const GRACE_MS = 1_000

/**
 * Keeps a schedule: event k is due k / rate after the start, however long earlier ones took, so that a slow receiver meets the load
 * it would meet in life, and waiting does not add up to drift. What is late is a number and not a queue: memory stays bounded.
 *
 * `send` is given how many events to send and when the first and each next of them were due (milliseconds after the start), and is not
 * called again before it resolves. Resolves when the plan is fulfilled, its time is over or the signal is aborted; rejects as `send` does.
 */
export async function keepPace(
  { rate, events = Number.POSITIVE_INFINITY, durationMs = Number.POSITIVE_INFINITY, batch }: Plan,
  clock: Pick<Clock, 'now' | 'sleep'>,
  signal: AbortSignal,
  send: (count: number, dueMs: (index: number) => number) => Promise<void>,
  told: (pace: Pace) => void = () => {},
): Promise<Pace> {
  const total = Math.min(events, Math.max(1, Math.floor((durationMs * rate) / 1_000)))
  const start = clock.now()
  let sent = 0

  const pace = (): Pace => {
    const elapsedMs = clock.now() - start
    const due = Math.min(total, Math.floor((elapsedMs * rate) / 1_000) + 1)
    return { sent, behind: Math.max(0, due - sent), elapsedMs }
  }

  while (sent < total && !signal.aborted) {
    const { behind, elapsedMs } = pace()
    if (elapsedMs > durationMs + GRACE_MS) break
    if (behind === 0) {
      await clock.sleep(Math.max(LEAST_WAIT_MS, (sent * 1_000) / rate - elapsedMs), signal)
      continue
    }
    const first = sent
    const count = Math.min(batch, behind)
    await send(count, (index) => ((first + index) * 1_000) / rate)
    sent += count
    told(pace())
  }
  return pace()
}
