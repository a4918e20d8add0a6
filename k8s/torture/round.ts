import { setTimeout as sleep } from 'node:timers/promises'
import { Audit } from './audit.ts'
import { broken } from './claims.ts'
import type { Fault, Measured } from './faults.ts'
import { Load } from './load.ts'
import { Probe } from './probe.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** More events of accounts than this behind dead letters, and those are decided about: what only waits is not tried. */
const MOST_WAITING = 1_500

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
  const outage = faults.some(({ name }) => /^(kafka|cassandra):/.test(name))
  const load = new Load(world, { events, rate: calm ? Math.min(rate, 1_500) : rate, backlog: calm ? 0 : 0.6 }, random)
  const probe = new Probe(world)
  await sleep(random.between(200, 1_000))
  world.watch.longest()
  const audit = new Audit(() => world.judge.commitsFollowWrites())
  const measured = await Promise.all(faults.map((fault) => fault.happen(world, random)))
  await sleep(random.between(100, calm ? 2_000 : 800))
  const delayMs = probe.longestMs
  await probe.end()
  await load.end()
  await world.ground.heal()
  await world.fleet.settle(2)
  const differences = [...(await audit.end(outage))]
  await world.caughtUp()
  const stalledMs = world.watch.longest()
  const verdict = await world.judge.judge(world.healed)
  world.decidable = verdict.decidable
  differences.push(...verdict.differences)
  differences.push(...world.fleet.troubles(outage))
  if (verify) differences.push(...(await world.verify()))
  const kind = faults.length === 1 ? faults[0]!.kind : 'other'
  const result: Measured = Object.assign({}, ...measured)
  const delayUnderPoison = kind === 'poison' ? delayMs : undefined
  const { takeoverAfterKillMs: takeoverAfterKill, takeoverAfterRebalanceMs: takeoverAfterRebalance } = result
  differences.push(...broken({ takeoverAfterKill, takeoverAfterRebalance, delayUnderPoison }))
  return {
    faults: faults.map(({ name }) => name),
    events: world.judge.events - before,
    differences,
    measured: result,
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
