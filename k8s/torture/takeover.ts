import { setTimeout as sleep } from 'node:timers/promises'
import type { World } from './world.ts'

const LOOK_MS = 20
const PATIENCE_MS = 60_000

/**
 * Milliseconds from the SIGKILL of one of two workers, which nobody starts again, until every partition of every view has moved on:
 * the killed one's by the survivor, each with events coming in.
 */
export async function takeoverAfterKill(world: World): Promise<number> {
  await world.stable(2)
  const began = performance.now()
  await world.fleet.end(world.fleet.one(), 'SIGKILL')
  const done = await movedOn(world)
  return done - began
}

/**
 * The same after SIGTERM: `signalMs` from the signal, `rebalanceMs` from when the group was first seen without the one that left,
 * the longest of the groups.
 */
export async function takeoverAfterStop(world: World): Promise<{ signalMs: number; rebalanceMs: number }> {
  await world.stable(2)
  const began = performance.now()
  const ended = world.fleet.end(world.fleet.one(), 'SIGTERM')
  const outcomes = await Promise.all(
    world.groups.map(async (group) => {
      const left = await world.rebalances(group, 2)
      return { left, done: await movedOn(world, [group]) }
    }),
  )
  await ended
  return {
    signalMs: Math.max(...outcomes.map(({ done }) => done - began)),
    rebalanceMs: Math.max(...outcomes.map(({ left, done }) => done - left)),
  }
}

/** When each partition had a commit beyond what was committed when this was called: by who had it then, or by its new owner. */
async function movedOn(world: World, groups: readonly string[] = world.groups): Promise<number> {
  const deadline = performance.now() + PATIENCE_MS
  const waiting = new Map<string, number>()
  for (const group of groups)
    for (const [partition, next] of await world.committed(group)) waiting.set(`${group} ${partition}`, next)
  for (;;) {
    for (const group of groups)
      for (const [partition, next] of await world.committed(group)) {
        const name = `${group} ${partition}`
        if (next > (waiting.get(name) ?? Number.POSITIVE_INFINITY)) waiting.delete(name)
      }
    const now = performance.now()
    if (waiting.size === 0) return now
    if (now > deadline)
      throw new Error(`not taken over after ${PATIENCE_MS / 1_000} s: ${[...waiting.keys()].join(', ')}`)
    await sleep(LOOK_MS)
  }
}
