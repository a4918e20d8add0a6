import type { FlushTrigger } from './ports.ts'
import type { EngineSettings } from './settings.ts'

/** What a partition has folded and not begun to write. */
export interface Pending {
  readonly rows: number
  /** Of rows, dead letters and parked events. */
  readonly bytes: number
  /** Dead letters and parked events. */
  readonly setAside: number
  /** Has folding reached the end of the log? */
  readonly caughtUp: boolean
  /** Milliseconds since the last flush began. */
  readonly waited: number
}

type Limits = Pick<EngineSettings, 'flushRows' | 'flushBytes' | 'flushIntervalMs'>

/**
 * Is it time to flush, and why. Caught up, at once: the reader is waiting. Behind, as late as rows, bytes and time allow: each event
 * on a row that waits already costs no write.
 */
export function flushTrigger(
  { rows, bytes, setAside, caughtUp, waited }: Pending,
  limits: Limits,
): FlushTrigger | undefined {
  if (caughtUp) return 'latency'
  if (rows + setAside >= limits.flushRows) return 'rows'
  if (bytes >= limits.flushBytes) return 'bytes'
  return waited >= limits.flushIntervalMs ? 'time' : undefined
}

/** Must folding wait for the flush under way? A second window may fill meanwhile, a third would only fill memory. */
export function overfull({ rows, bytes, setAside }: Pending, { flushRows, flushBytes }: Limits): boolean {
  return rows + setAside >= 2 * flushRows || bytes >= 2 * flushBytes
}
