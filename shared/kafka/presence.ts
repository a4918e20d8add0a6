import { setTimeout as delay } from 'node:timers/promises'
import type { KafkaConnection } from './connection.ts'
import { asTidemark, failureType, isLost, isTransient, reason } from './failure.ts'
import type { Ending } from './generation.ts'
import type { Membership, Place } from './membership.ts'

/** A generation as its heartbeats know it. */
export interface Presence {
  readonly connection: KafkaConnection
  readonly membership: Membership
  readonly place: Place
  end(ending: Ending): void
  /** The place is gone. */
  lose(error: unknown): void
}

/** Between two looks for new partitions. Milliseconds. */
const TOPICS_MS = 1_000

/**
 * Rebalances are noticed by heartbeats alone (until the others have joined again, Kafka takes commits as ever), and until all members have
 * noticed nobody reads what a member has left behind. So they are far more frequent than staying alive asks for. Milliseconds.
 */
function heartbeatInterval(sessionTimeoutMs: number): number {
  return Math.min(300, sessionTimeoutMs / 4)
}

/**
 * Says "I am here" until the signal is aborted. That depends on nothing but time: not on fetching, which stops where all
 * partitions are held, nor on handlers. While the group rebalances it is answered with REBALANCE_IN_PROGRESS and counts all the
 * same.
 */
export async function keepAlive(
  { connection, membership, place, end, lose }: Presence,
  signal: AbortSignal,
): Promise<void> {
  const { logger, settings } = connection
  for (let [heardAt, warned] = [performance.now(), false]; !signal.aborted; ) {
    await delay(heartbeatInterval(settings.sessionTimeoutMs), undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    try {
      await membership.heartbeat(place)
      ;[heardAt, warned] = [performance.now(), false]
    } catch (error) {
      if (failureType(error) === 'REBALANCE_IN_PROGRESS') end({ why: 'rebalance' })
      else if (isLost(error)) return lose(error)
      else if (!isTransient(error))
        return end({ why: 'failed', error: asTidemark(error, `heartbeat of group ${membership.group}`) })
      else if (!warned && performance.now() - heardAt > settings.sessionTimeoutMs / 4) {
        warned = true
        logger.warn("heartbeats don't reach Kafka: the group may go on without this member", { error: reason(error) })
      }
    }
  }
}

/**
 * The leader's duty: ends the generation when topics have other partitions than when it began. Beside the heartbeats, which must
 * not wait for a broker that metadata are asked of and that is away.
 */
export async function watchTopics({ connection, membership, end }: Presence, signal: AbortSignal): Promise<void> {
  const { logger } = connection
  const counts = membership.partitionCounts()
  while (!signal.aborted) {
    await delay(TOPICS_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    try {
      if (await membership.grown(counts)) end({ why: 'rebalance' })
    } catch (error) {
      if (!isTransient(error)) end({ why: 'failed', error: asTidemark(error, 'looking for new partitions') })
      else logger.debug("new partitions can't be looked for", { error: reason(error) })
    }
  }
}
