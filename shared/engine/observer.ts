import type { Source } from '../events/position.ts'
import type { Assignment, DeadLetter } from './ports.ts'

/* The operator's side of the engine's ports: who is told what it does, and the time it does it in. */

/** Why a flush happened. `latency`: caught up, so at once; the others while behind. */
export type FlushTrigger = 'latency' | 'rows' | 'bytes' | 'time' | 'drain'

/** How many events ended how. `applied` went into at least one row, `ignored` are of no interest to the projection. */
export type Outcome = 'applied' | 'ignored' | 'duplicate' | 'dead' | 'parked'

/** Told about every step; metrics, logs and traces are observers, and the engine imports none. Called per batch, never per event. */
export interface Observer {
  /** Should `folded` carry the trace contexts found in the records? */
  readonly tracing: boolean
  assigned(assignments: readonly Assignment[]): void
  folded(source: Source, step: FoldedStep): void
  flushed(source: Source, flush: Flushed): void
  dead(letter: DeadLetter): void
  parked(source: Source, scopes: number): void
  /** The world failed and the work is held; `undefined` when it goes on. */
  held(source: Source | undefined, error: Error | undefined, retryInSeconds: number): void
  gap(source: Source, from: number, to: number): void
  draining(reason: string): void
}

export interface FoldedStep {
  readonly outcomes: Readonly<Record<Outcome, number>>
  /** Offset last folded, end of the log when the batch was fetched: their distance is the lag. */
  readonly position: number
  readonly end: number
  /** Milliseconds since 1970 at which the last record folded was produced. */
  readonly producedAt: number
  /** Seconds of work, without waiting. */
  readonly busy: number
  /** W3C trace contexts of some of the records, for links; empty unless the observer is tracing. */
  readonly traces: readonly string[]
}

/** A flush that is durable: from now on a reader sees it. */
export interface Flushed {
  readonly trigger: FlushTrigger
  readonly rows: number
  readonly seconds: number
  /** Offset of the last record in it. */
  readonly position: number
  /** Everything below is in the view: beyond the last record where transactions or compaction used up offsets without one. */
  readonly next: number
  /** When its first and its last record were produced, milliseconds since 1970: end to end is from there to now. */
  readonly oldest: number
  readonly newest: number
}

/** Time, so that tests can make it. Only waiting and measuring use it; nothing that is stored does. */
export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number
  /** Resolves after so many milliseconds, or at once when the signal is aborted; rejects never. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}
