import { sound } from './events.ts'
import type { LogWorld } from './log-world.ts'
import { unequal } from './log-world.ts'
import { Random } from './random.ts'
import type { Worker } from './workers.ts'

/** Something that goes wrong with the log or the tables themselves, in a world of its own, and what must come of it. */
export interface Scenario {
  readonly name: string
  readonly expected: string
  /** What is not as expected, each a sentence. Rejects when something that must happen does not. */
  play(world: LogWorld, random: Random): Promise<readonly string[]>
}

/** Events that every handler likes. */
export async function published(world: LogWorld, count: number, random: Random = new Random(count)): Promise<void> {
  await world.publish(Array.from({ length: count }, () => sound(random)))
}

/** A worker, and a view that holds some events. */
export async function filled(world: LogWorld, random: Random): Promise<Worker> {
  await published(world, 400, random)
  const worker = world.start()
  await world.caughtUp()
  await world.remember()
  return worker
}

/**
 * After `change` the worker, or the one that was started there, ends with 78, names `code` and the remedy, and what was kept before
 * is kept still.
 */
export async function refusedUnchanged(
  world: LogWorld,
  worker: Worker,
  code: string,
  change: () => Promise<Worker | undefined>,
): Promise<readonly string[]> {
  const before = await world.books()
  const fresh = await change()
  const words = await world.refusal(fresh ?? worker)
  const after = await world.books()
  return [
    ...(words.includes(`${code}:`) ? [] : [`the worker's last words don't name ${code}: ${words.slice(-500)}`]),
    ...(words.includes('Raise `version`') ? [] : [`the worker's last words name no remedy: ${words.slice(-500)}`]),
    ...unequal('after the refusal, row', before.rows, after.rows),
    ...unequal('after the refusal, dead letter', before.letters, after.letters),
  ]
}
