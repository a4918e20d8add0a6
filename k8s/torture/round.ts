import { setTimeout as sleep } from 'node:timers/promises'
import { sound } from './events.ts'
import type { Fault } from './faults.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

export interface RoundResult {
  readonly faults: readonly string[]
  readonly events: number
  readonly differences: readonly string[]
  /** Milliseconds of the longest time a partition with work stood still. */
  readonly stalledMs: number
  readonly kind: Fault['kind']
  readonly restarts: number
  readonly deadLetters: number
  readonly waiting: number
  readonly seconds: number
}

export interface RoundPlan {
  readonly faults: readonly Fault[]
  /** Events per second while the faults happen. */
  readonly rate: number
  /** Is `tidemark verify` asked, too? */
  readonly verify: boolean
}

/** Load, faults in its midst, the end of both, and the proof. */
export async function round(world: World, { faults, rate, verify }: RoundPlan, random: Random): Promise<RoundResult> {
  const began = performance.now()
  const before = world.judge.events
  const restartsBefore = restarts(world)
  const load = new Load(world, rate, random)
  await sleep(random.between(300, 1_200))
  world.watch.longest()
  const differences: string[] = []
  const happening = Promise.all(faults.map((fault) => fault.happen(world, random)))
  if (faults.every(({ kind }) => kind === 'kill')) differences.push(...(await world.judge.commitsFollowWrites()))
  await happening
  await sleep(random.between(200, 1_500))
  await load.end()
  await world.ground.heal()
  await world.fleet.settle(2)
  await world.caughtUp()
  const stalledMs = world.watch.longest()
  const verdict = await world.judge.judge(world.healed)
  differences.push(...verdict.differences)
  if (verify) differences.push(...(await world.verify()))
  return {
    faults: faults.map(({ name }) => name),
    events: world.judge.events - before,
    differences,
    stalledMs,
    kind: faults.length === 1 ? faults[0]!.kind : 'other',
    restarts: Math.max(0, restarts(world) - restartsBefore),
    deadLetters: verdict.deadLetters,
    waiting: verdict.waiting,
    seconds: (performance.now() - began) / 1_000,
  }
}

function restarts({ fleet }: World): number {
  return fleet.workers.reduce((sum, worker) => sum + worker.restarts, 0)
}

/** Events at a steady rate, until told to end. */
class Load {
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor(world: World, rate: number, random: Random) {
    this.#running = this.#run(world, rate, random)
  }

  async end(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(world: World, rate: number, random: Random): Promise<void> {
    const pieces = 20
    while (!this.#stop.signal.aborted) {
      const next = sleep(1_000 / pieces, undefined, { signal: this.#stop.signal }).catch(() => {})
      await world.publish(Array.from({ length: Math.ceil(rate / pieces) }, () => sound(random)))
      await next
    }
  }
}
