import { setTimeout as delay } from 'node:timers/promises'
import { TidemarkError } from '../errors.ts'
import { asTidemark, failureType, isTransient } from './failure.ts'
import type { KafkaLogger } from './settings.ts'

export interface Persistence {
  readonly logger: KafkaLogger
  /** Ends the waiting with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which the last failure is passed on, as KAFKA_UNAVAILABLE where it was transient. Without it: never. */
  readonly deadline?: number
  /** The same for a topic that is not there: a broker that has just started does not know any. Default 1,000. */
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
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      const pause = Math.min(100 * 2 ** attempt, 2_000) * (0.75 + Math.random() / 2)
      const patience = failureType(error) === 'UNKNOWN_TOPIC_OR_PARTITION' ? Math.min(missing, deadline) : deadline
      if (!isTransient(error) || performance.now() + pause > begun + patience) throw asTidemark(error, what)
      const say = attempt % 10 === 3 ? logger.warn : logger.debug
      say.call(logger, `${what}: ${failureType(error)}, trying again`, {
        attempt,
        error: error instanceof TidemarkError ? error.message : String(error),
      })
      await delay(pause, undefined, signal ? { signal } : {})
    }
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
