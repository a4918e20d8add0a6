import type { Clock } from '../engine/index.ts'

interface Sleeper {
  readonly at: number
  readonly order: number
  readonly wake: () => void
}

/**
 * Time that passes only when it is told to. Who sleeps wakes in the order of the alarms, one at a time, so that a run is the same
 * whenever it is repeated.
 */
export class VirtualClock implements Clock {
  #time = 0
  #count = 0
  readonly #sleepers = new Set<Sleeper>()

  now(): number {
    return this.#time
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper: Sleeper = { at: this.#time + milliseconds, order: this.#count++, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', wake)
    })
  }

  /** Lets time pass up to the next alarm and wakes its sleeper; false if nobody sleeps. */
  tick(): boolean {
    let next: Sleeper | undefined
    for (const sleeper of this.#sleepers)
      if (!next || sleeper.at < next.at || (sleeper.at === next.at && sleeper.order < next.order)) next = sleeper
    if (!next) return false
    this.#time = Math.max(this.#time, next.at)
    next.wake()
    return true
  }

  /** Does nobody sleep? */
  get idle(): boolean {
    return this.#sleepers.size === 0
  }

  /** Lets time pass at once: alarms that are due ring late, as for a process that was stopped. */
  leap(milliseconds: number): void {
    this.#time += milliseconds
  }
}
