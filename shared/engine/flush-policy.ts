import type { FlushTrigger } from './ports.ts'
import type { EngineSettings } from './settings.ts'

/** What a partition has folded and not begun to write. */
export interface Pending {
  readonly rows: number
  /** Of rows, dead letters and parked events. */
  readonly bytes: number
  /** Dead letters and parked events. */
  readonly setAside: number
  /** Events folded since the last flush began. */
  readonly events: number
  /** Events between what is folded and the end of the log. */
  readonly behind: number
  /** Milliseconds since the last flush began. */
  readonly waited: number
}

type Limits = Pick<EngineSettings, 'flushRows' | 'flushBytes' | 'flushIntervalMs'>

/** Milliseconds: a shorter window saves nothing worth having. */
const LEAST = 5

/**
 * Is it time to flush, and why. Caught up, at once: the reader is waiting. Behind, as late as rows, bytes and time allow: each event
 * on a row that waits already costs no write.
 */
export function flushTrigger(pending: Pending, limits: Limits): FlushTrigger | undefined {
  const { rows, bytes, setAside, behind, waited } = pending
  if (behind <= 0) return 'latency'
  if (rows + setAside >= limits.flushRows) return 'rows'
  if (bytes >= limits.flushBytes) return 'bytes'
  return waited >= flushWindow(pending, limits) ? 'time' : undefined
}

/**
 * Milliseconds for which rows are collected: as long as what is left to fold takes at the pace of now, since those who read wait for
 * that anyway. So a burst that is worked off in a moment costs no reader more than that, and far behind the interval is the limit.
 */
export function flushWindow({ events, behind, waited }: Pending, { flushIntervalMs }: Limits): number {
  const left = events === 0 ? 0 : (behind * waited) / events
  return Math.min(Math.max(left, LEAST), flushIntervalMs)
}

/** Must folding wait for the flush under way? A second window may fill meanwhile, a third would only fill memory. */
export function overfull({ rows, bytes, setAside }: Pending, { flushRows, flushBytes }: Limits): boolean {
  return rows + setAside >= 2 * flushRows || bytes >= 2 * flushBytes
}
