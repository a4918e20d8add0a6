import { setTimeout as delay } from 'node:timers/promises'
import { TidemarkError } from '../errors.ts'
import { asTidemark, failureType, isTransient } from './failure.ts'
import type { KafkaLogger } from './settings.ts'

export interface Persistence {
  readonly logger: KafkaLogger
  /** Ends the waiting at once, with the signal's own reason; what was under way is left to itself. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which the last failure is passed on, as KAFKA_UNAVAILABLE where it was transient. Without it: never. */
  readonly deadline?: number
  /** Milliseconds a topic may be unknown without a break (a broker that has just started knows none) before it is TOPIC_MISSING. Default 1,000. */
  readonly missing?: number
}

/**
 * Does `work` until it succeeds: transient failures are repeated after 0.1 s, then twice as long each time up to 2 s, with jitter.
 * Each call counts for itself, so that a process that has lived through a hundred short outages is as patient as a fresh one.
 */
export async function persist<T>(
  what: string,
  work: () => Promise<T>,
  { logger, signal, deadline = Number.POSITIVE_INFINITY, missing = 1_000 }: Persistence,
): Promise<T> {
  const begun = performance.now()
  let unknownSince: number | undefined
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await unlessAborted(signal, work())
    } catch (error) {
      signal?.throwIfAborted()
      const now = performance.now()
      const pause = Math.min(100 * 2 ** attempt, 2_000) * (0.75 + Math.random() / 2)
      // Counted from the first such answer: after an outage the brokers come back knowing nothing yet.
      unknownSince = failureType(error) === 'UNKNOWN_TOPIC_OR_PARTITION' ? (unknownSince ?? now) : undefined
      const until = Math.min(begun + deadline, (unknownSince ?? Number.POSITIVE_INFINITY) + missing)
      if (!isTransient(error) || now + pause > until) throw asTidemark(error, what)
      const say = attempt % 10 === 3 ? logger.warn : logger.debug
      say.call(logger, `${what}: ${failureType(error)}, trying again`, {
        attempt,
        error: error instanceof TidemarkError ? error.message : String(error),
      })
      // Cut short by the signal it does not reject: the signal's reason is thrown above.
      await delay(pause, undefined, signal ? { signal } : {}).catch(() => {})
    }
  }
}

/** Settles as `work` does, or rejects with the signal's reason as soon as it is aborted. `work` itself is not ended by that. */
export async function unlessAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (!signal) return work
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Resolves when `work` has settled in whatever way, or after `ms`; says which. Leaves no timer behind. */
export async function within(ms: number, work: Promise<unknown>): Promise<'done' | 'late'> {
  const late = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => late.resolve('late'), ms)
  const settled = work.then(
    () => 'done' as const,
    () => 'done' as const,
  )
  const outcome = await Promise.race([settled, late.promise])
  clearTimeout(timer)
  return outcome
}
