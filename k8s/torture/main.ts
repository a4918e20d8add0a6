import { join } from 'node:path'
import { locked } from '../dev/lock.ts'
import { faults } from './faults.ts'
import { type Ground, ROOT, startGround } from './ground.ts'
import { Random } from './random.ts'
import { reportOf, writeReport } from './report.ts'
import { type RoundResult, round } from './round.ts'
import { World } from './world.ts'

/*
 * `make torture ROUNDS=… SEED=…`: real workers on a real Kafka and Cassandra of the suite's own, everything that can go wrong, and after
 * each round the proof. Ends with 1 at the first difference. SERVERS=3 for three brokers and three nodes, FAULT=… for one kind alone.
 */

/** Worlds are left before the log gets long: each round folds all of it again. */
const ROUNDS_PER_WORLD = 20

const rounds = Number(process.env.ROUNDS ?? 10)
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const size = process.env.SERVERS === '3' ? 3 : 1
const rate = Number(process.env.RATE ?? 2_000)
const wanted = faults.filter(
  ({ name, servers }) => (servers === undefined || servers === size) && name.includes(process.env.FAULT ?? ''),
)

let stopped = false
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => (stopped = true))

const waiting = (pid: number) => console.log(`torture: waiting for process ${pid}, which does the same`)
process.exitCode = await locked(join(ROOT, '.stack', '.torture-runs.lock'), waiting, main)

async function main(): Promise<number> {
  console.log(`torture: ${rounds} rounds on ${size}+${size} servers, seed ${seed}`)
  const results: RoundResult[] = []
  const ground = await startGround(size === 3 ? 'three' : 'one')
  let failed: unknown
  try {
    await play(ground, results)
  } catch (error) {
    failed = error
  } finally {
    await ground.end()
  }
  const report = reportOf(seed, results)
  console.log(`\n${writeReport(report)}`)
  if (failed) console.error(failed)
  return failed || report.differences > 0 ? 1 : 0
}

async function play(ground: Ground, results: RoundResult[]): Promise<void> {
  let world: World | undefined
  // Every kind gets its turn before any has its second.
  let deck: readonly (typeof wanted)[number][] = []
  try {
    for (let number = 1; number <= rounds && !stopped; number++) {
      const random = new Random(seed * 1_000 + number)
      if (number % ROUNDS_PER_WORLD === 1) {
        await world?.end()
        world = await World.create(`w${seed}n${number}`, ground, random)
      }
      if (deck.length === 0) deck = shuffled(wanted, random)
      const chosen = deck.slice(0, random.one([1, 1, 2]))
      deck = deck.slice(chosen.length)
      const result = await round(world!, { faults: chosen, rate, verify: number % 5 === 0 }, random)
      results.push(result)
      console.log(line(number, result))
      for (const difference of result.differences.slice(0, 20)) console.log(`      ${difference.slice(0, 500)}`)
      if (result.differences.length > 0) return
    }
  } finally {
    await world?.end()
  }
}

function shuffled<T>(of: readonly T[], random: Random): readonly T[] {
  return of
    .map((one) => ({ one, at: random.below(1_000_000) }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one)
}

function line(number: number, result: RoundResult): string {
  const { events, stalledMs, seconds, deadLetters, waiting, differences } = result
  const figures = [
    `${events} events`.padStart(13),
    `stalled ${(stalledMs / 1_000).toFixed(1)} s`.padStart(14),
    `${deadLetters} dead, ${waiting} waiting`,
    `${differences.length} differences`,
    `${seconds.toFixed(0)} s`,
  ]
  return `${String(number).padStart(4)} ${figures.join(', ')} | ${result.faults.join(' + ')}`
}
