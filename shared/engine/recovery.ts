import { isKind } from '../errors.ts'
import type { Clock } from './ports.ts'

/** Thrown inside a partition that is no longer this worker's; nobody is told, its new owner does the work. */
export class Abandoned extends Error {}

export interface Holding {
  readonly clock: Clock
  readonly backoffMs: { readonly first: number; readonly last: number }
  /** Aborted when the partition is given up: waiting for the world is then pointless. */
  readonly signal: AbortSignal
  /** Told at each failure, and with `undefined` when work goes on. */
  held(error: Error | undefined, retryInSeconds: number): void
}

/**
 * Does something until the world lets it succeed: transient failures are waited out with capped, jittered back-off, others are
 * thrown. What is done must be safe to repeat after any part of it has happened; stamped writes are.
 */
export async function persist<T>(work: () => Promise<T>, { clock, backoffMs, signal, held }: Holding): Promise<T> {
  for (let tries = 0; ; tries++) {
    if (signal.aborted) {
      // Whoever heard that the work is held must not believe so for ever.
      if (tries > 0) held(undefined, 0)
      throw new Abandoned()
    }
    try {
      const result = await work()
      if (tries > 0) held(undefined, 0)
      return result
    } catch (error) {
      if (!isKind(error, 'transient')) throw error
      const full = Math.min(backoffMs.last, backoffMs.first * 2 ** Math.min(tries, 20))
      // Jitter, so that a fleet held by one outage does not come back as one wave.
      const wait = full * (0.5 + Math.random() / 2)
      held(error, wait / 1000)
      await clock.sleep(wait, signal)
    }
  }
}
