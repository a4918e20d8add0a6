import { setTimeout as sleep } from 'node:timers/promises'
import { HttpFault } from '../../shared/http/index.ts'

/** Reads again until what is read is good enough. */
export interface Waiting {
  /**
   * Reads until `enough`, or until `waitMs` have passed, the signal aborts or the process stops; then what was read last is the
   * answer. Throws 429 if too many are waiting already.
   */
  until<T>(read: () => Promise<T>, enough: (found: T) => boolean, waitMs: number, signal: AbortSignal): Promise<T>
  /** Lets all that wait have their answer now. */
  stop(): void
}

/** Each of them asks Cassandra up to ten times a second. */
const MOST = 500
const PAUSES_MS = { first: 20, last: 100 }

export function createWaiting(most = MOST): Waiting {
  const stopping = new AbortController()
  let waiting = 0

  return {
    async until(read, enough, waitMs, signal) {
      const deadline = performance.now() + waitMs
      let found = await read()
      if (enough(found) || waitMs === 0) return found
      if (waiting >= most)
        throw new HttpFault(429, 'OVERLOADED', `${most} requests are waiting for positions already`, { retryAfter: 1 })
      const ended = AbortSignal.any([signal, stopping.signal])
      waiting++
      try {
        for (
          let pause = PAUSES_MS.first;
          !enough(found) && !ended.aborted;
          pause = Math.min(2 * pause, PAUSES_MS.last)
        ) {
          const left = deadline - performance.now()
          if (left <= 0) break
          await sleep(Math.min(pause, left), undefined, { signal: ended }).catch(() => undefined)
          found = await read()
        }
        return found
      } finally {
        waiting--
      }
    },
    stop: () => stopping.abort(),
  }
}
