import type { Children } from './children.ts'
import { DemoFailure } from './children.ts'
import type { Display } from './display.ts'
import type { Fleet } from './fleet.ts'

/** Longer than Kafka needs to miss a dead member (6 s here), a rebalance of six groups, and what waited meanwhile. */
const PATIENCE_SECONDS = 45
const CAUGHT_UP_SECONDS = 1

/** Kills one projector in the middle of its work, and sees the other take over every partition and catch up. */
export async function takeover(
  { workers, until, partitions }: Fleet,
  children: Children,
  display: Display,
): Promise<void> {
  const [victim, survivor] = workers
  if (!victim || !survivor) throw new DemoFailure('there are no two projectors')
  const before = await until('the views are up to date', 20, ({ ageSeconds }) => ageSeconds < CAUGHT_UP_SECONDS)
  const lost = before.projections.reduce((sum, one) => sum + (one.partitions[0] ?? 0), 0)
  const killed = Date.now()
  await children.kill(victim.name)
  display.done(
    `kill -9 of ${victim.name}`,
    killed,
    `${lost} of ${partitions} partitions have no reader; Kafka misses it after 6 s of silence`,
  )
  const noticed = await until('the death shows', 5, ({ owned }) => owned < partitions)
  await until(`${survivor.name} takes over`, PATIENCE_SECONDS, ({ owned }) => owned === partitions)
  const taken = `${((Date.now() - killed) / 1_000).toFixed(1)} s`
  const after = await until(
    'the views catch up',
    PATIENCE_SECONDS,
    ({ owned, ageSeconds }) => owned === partitions && ageSeconds < CAUGHT_UP_SECONDS,
  )
  display.done(
    `${survivor.name} has taken over`,
    killed,
    `${noticed.owned} → ${after.owned} partitions after ${taken}, and is up to date`,
  )
}
