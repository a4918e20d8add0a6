import { join } from 'node:path'
import { locked } from '../dev/lock.ts'
import { faults } from './faults.ts'
import { type Ground, ROOT, startGround } from './ground.ts'
import { logScenariosWith, nextLogFault } from './log-faults.ts'
import { Random } from './random.ts'
import { reportOf, writeReport } from './report.ts'
import { type RoundResult, round } from './round.ts'
import { World } from './world.ts'

/*
 * `make torture ROUNDS=… SEED=…`: real workers on a real Kafka and Cassandra of the suite's own, everything that can go wrong, and after
 * each round the proof. Ends with 1 at the first difference. SERVERS=3 for three brokers and three nodes, FAULT=… for some kinds alone,
 * EVENTS=… for the events of a round. A round of what happens to the log itself, where FAULT names nothing else, is a world of its own.
 */

/** Worlds are left before too much has been set aside for good. */
const ROUNDS_PER_WORLD = 8
/** What happens to the log itself needs a world of its own; some of it takes more than a minute. */
const LOG_FAULT_EVERY = 3
/** The report is written so often, so that a run which is cut short has one. */
const ROUNDS_PER_REPORT = 10

const rounds = Number(process.env.ROUNDS ?? 10)
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const size = process.env.SERVERS === '3' ? 3 : 1
const events = Number(process.env.EVENTS ?? 40_000)
const rate = Number(process.env.RATE ?? 3_000)
const called = process.env.FAULT ?? ''
const wanted = faults.filter(
  ({ name, servers }) => (servers === undefined || servers === size) && name.includes(called),
)
const wantedLog = logScenariosWith(called)
const began = new Date()

let stopped = false
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => (stopped = true))

const waiting = (pid: number) => console.log(`torture: waiting for process ${pid}, which does the same`)
// Whatever a client of a mistreated server has left open must not keep a run from ending.
process.exit(await locked(join(ROOT, '.stack', `.torture-runs-${size}.lock`), waiting, main))

async function main(): Promise<number> {
  if (wanted.length + wantedLog.length === 0) throw new Error(`no fault is called ${called}`)
  console.log(`torture: ${rounds} rounds on ${size}+${size} servers, seed ${seed}`)
  const results: RoundResult[] = []
  const played: string[] = []
  const ground = await startGround(size === 3 ? 'three' : 'one')
  let failed: unknown
  try {
    await (wanted.length > 0 ? play(ground, results, played) : playLogAlone(ground, played))
  } catch (error) {
    failed = error
  } finally {
    await ground.end()
  }
  const report = reportOf({ seed, servers: size, began, failed }, results, played)
  console.log(`\n${writeReport(report)}`)
  if (failed) console.error(failed)
  return failed || report.differences > 0 ? 1 : 0
}

async function playLogAlone(ground: Ground, played: string[]): Promise<void> {
  for (let turn = 0; turn < rounds && !stopped; turn++) played.push(await nextLogFault(wantedLog, ground, seed, turn))
}

async function play(ground: Ground, results: RoundResult[], played: string[]): Promise<void> {
  let world: World | undefined
  let clear = true
  // Every kind gets its turns before any has more; what takes long gets fewer.
  let deck: readonly (typeof wanted)[number][] = []
  try {
    for (let number = 1; number <= rounds && !stopped; number++) {
      const random = new Random(seed * 1_000 + number)
      if (number % ROUNDS_PER_WORLD === 1) {
        await world?.end({ clear })
        world = undefined
        const worlds = Math.floor(number / ROUNDS_PER_WORLD)
        if (wantedLog.length > 0 && worlds % LOG_FAULT_EVERY === 0)
          played.push(await nextLogFault(wantedLog, ground, seed, worlds / LOG_FAULT_EVERY))
        world = await World.create(`w${seed}n${number}`, ground, random)
      }
      if (deck.length === 0) deck = shuffled([...wanted, ...wanted.filter(({ kind }) => kind !== 'slow')], random)
      const chosen = dealt(deck, random)
      deck = deck.slice(chosen.length)
      clear = false
      const result = await round(world!, { faults: chosen, events, rate, verify: number % 10 === 0 }, random)
      results.push(result)
      console.log(line(number, result))
      for (const difference of result.differences.slice(0, 20)) console.log(`      ${difference.slice(0, 500)}`)
      if (result.differences.length > 0) return
      clear = true
      if (number % ROUNDS_PER_REPORT === 0)
        writeReport(reportOf({ seed, servers: size, began, failed: undefined }, results, played))
    }
  } finally {
    await world?.end({ clear })
  }
}

/** The next fault, alone if it is measured; else now and then with another one. */
function dealt(deck: readonly (typeof wanted)[number][], random: Random): readonly (typeof wanted)[number][] {
  const [first, second] = deck
  const alone = [first, second].some((fault) => fault?.kind === 'measured') || first?.name === second?.name
  return deck.slice(0, alone ? 1 : random.one([1, 1, 2]))
}

function shuffled<T>(of: readonly T[], random: Random): readonly T[] {
  return of
    .map((one) => ({ one, at: random.below(1_000_000) }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one)
}

function line(number: number, result: RoundResult): string {
  const { events, stalledMs, delayMs, seconds, deadLetters, waiting, differences, measured, audits } = result
  const figures = [
    `${events} events`.padStart(13),
    `stalled ${(stalledMs / 1_000).toFixed(1)} s`.padStart(14),
    `rows late ${delayMs === undefined ? '?' : (delayMs / 1_000).toFixed(2)} s`,
    `${deadLetters} dead, ${waiting} waiting`,
    `${audits} audits`,
    `${differences.length} differences`,
    `${seconds.toFixed(0)} s`,
  ]
  const told = Object.entries(measured).map(([name, ms]) => ` ${name} ${Math.round(ms)}`)
  return `${String(number).padStart(4)} ${figures.join(', ')} | ${result.faults.join(' + ')}${told.join('')}`
}
