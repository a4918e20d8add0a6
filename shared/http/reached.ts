import { setTimeout as sleep } from 'node:timers/promises'
import { describe, isKind } from '../errors.ts'
import type { Verdict } from '../observability/index.ts'

/** Readiness of a process that answers requests: it must have reached what it needs once. */
export interface Reached {
  /** Not ready: until everything has answered once, and from `draining` on. Later outages are said by the answers themselves. */
  verdict(): Verdict
  draining(reason: string): void
}

/** Pause between two tries. */
const PAUSE_MS = 2_000

/**
 * Tries `check` until it resolves or the signal aborts. A process that was rolled out with a wrong address never becomes ready, and
 * says why; one that has worked stays ready through an outage, since its answers (503, Retry-After) say more than a
 * refused connection. `failed` is told of an error that no waiting mends.
 */
export function reachOnce(
  what: string,
  check: () => Promise<unknown>,
  signal: AbortSignal,
  failed: (error: unknown) => void,
): Reached {
  let reason: string | undefined = `${what} has not been reached yet`
  let leaving: string | undefined

  void (async () => {
    while (!signal.aborted) {
      try {
        await check()
        reason = undefined
        return
      } catch (error) {
        reason = `${what} has not been reached yet. ${describe(error)}`
        if (isKind(error, 'usage')) return failed(error)
        await sleep(PAUSE_MS, undefined, { signal, ref: false }).catch(() => undefined)
      }
    }
  })()

  return {
    verdict() {
      const reasons = [reason, leaving].filter((one) => one !== undefined)
      return { ready: reasons.length === 0, reasons }
    },
    draining(why) {
      leaving = `stopping: ${why}`
    },
  }
}
