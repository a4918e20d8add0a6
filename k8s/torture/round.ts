import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, Measured } from './faults.ts'
import { Load } from './load.ts'
import { Probe } from './probe.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** More events of accounts than this behind dead letters, and those are decided about: what only waits is not tried. */
const MOST_WAITING = 1_500
/** Rows that have nothing to do with poison beside them may be so late at most, however busy the machine is. Milliseconds. */
const LATEST_MS = 20_000
/** Between two looks at whether commits follow writes. Milliseconds. */
const AUDIT_MS = 1_000

export interface RoundResult {
  readonly faults: readonly string[]
  readonly events: number
  readonly differences: readonly string[]
  readonly measured: Measured
  /** Milliseconds until an event of an unaffected row was in the view, at most; and in which kind of round. */
  readonly delayMs: number | undefined
  readonly kind: Fault['kind']
  /** Milliseconds of the longest time a partition with work stood still. */
  readonly stalledMs: number
  readonly takeovers: number
  /** How often it was seen in the midst of it that commits follow writes. */
  readonly audits: number
  readonly deadLetters: number
  readonly waiting: number
  readonly seconds: number
}

export interface RoundPlan {
  readonly faults: readonly Fault[]
  /** Events of the round, about. */
  readonly events: number
  /** Events per second while the faults happen. */
  readonly rate: number
  /** Is `tidemark verify` asked, too? */
  readonly verify: boolean
}

/** Load, faults in its midst, the end of both, and the proof. */
export async function round(world: World, plan: RoundPlan, random: Random): Promise<RoundResult> {
  const { faults, events, rate, verify } = plan
  const began = performance.now()
  const before = world.judge.events
  const restartsBefore = world.fleet.takeovers
  const calm = faults.every(({ kind }) => kind === 'measured' || kind === 'poison')
  if (world.decidable > MOST_WAITING) await world.decide('skip', 2_000, () => true)
  if (calm) await world.stable(2)
  const load = new Load(world, { events, rate: calm ? Math.min(rate, 1_500) : rate, backlog: calm ? 0 : 0.6 }, random)
  const probe = new Probe(world)
  await sleep(random.between(200, 1_000))
  world.watch.longest()
  const audit = new Audit(world)
  const measured = await Promise.all(faults.map((fault) => fault.happen(world, random)))
  await sleep(random.between(100, calm ? 2_000 : 800))
  const delayMs = probe.longestMs
  await probe.end()
  await load.end()
  await world.ground.heal()
  await world.fleet.settle(2)
  const differences = [...(await audit.end())]
  await world.caughtUp()
  const stalledMs = world.watch.longest()
  const verdict = await world.judge.judge(world.healed)
  world.decidable = verdict.decidable
  differences.push(...verdict.differences)
  if (verify) differences.push(...(await world.verify()))
  const kind = faults.length === 1 ? faults[0]!.kind : 'other'
  if (kind === 'poison' && delayMs !== undefined && delayMs > LATEST_MS)
    differences.push(`rows without poison were ${Math.round(delayMs)} ms late`)
  return {
    faults: faults.map(({ name }) => name),
    events: world.judge.events - before,
    differences,
    measured: Object.assign({}, ...measured),
    delayMs,
    kind,
    stalledMs,
    takeovers: world.fleet.takeovers - restartsBefore,
    audits: audit.count,
    deadLetters: verdict.deadLetters,
    waiting: verdict.waiting,
    seconds: (performance.now() - began) / 1_000,
  }
}

/** Looks again and again whether commits follow writes. What can't be looked at because a server is away is looked at later. */
class Audit {
  readonly #world: World
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  readonly #differences: string[] = []
  count = 0

  constructor(world: World) {
    this.#world = world
    this.#running = this.#run()
  }

  async end(): Promise<readonly string[]> {
    this.#stop.abort()
    await this.#running
    return this.#differences
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        this.#differences.push(...(await this.#world.judge.commitsFollowWrites()))
        this.count++
      } catch {
        // A server is away.
      }
      await sleep(AUDIT_MS, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
  }
}
