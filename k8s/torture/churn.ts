import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { locked } from '../dev/lock.ts'
import { sound } from './events.ts'
import { ROOT, startGround } from './ground.ts'
import { Random } from './random.ts'
import type { Memory, Worker } from './workers.ts'
import { World } from './world.ts'

/*
 * `node k8s/torture/churn.ts`: one worker stays, another joins and leaves all the time, events come in steadily: MINUTES=60 RATE=700 SEED=1.
 * Each half minute the memory of the one that stays, after a full collection. Ends with 1 if it has grown, or if the views are not the
 * fold of the log, if the one that stays did not stay, or if it was hardly looked at. In less than half an hour rss has not settled, and says nothing.
 */

/** What may be between the first and the last quarter of the samples (medians, the warm-up left out). MiB. */
const MOST_GROWTH = { heap: 8, rss: 64 } as const
/** Of all samples; caches fill, code is compiled. */
const WARM_UP = 0.15
const SAMPLE_MS = 30_000
/** Between two proofs that the views are right. */
const PROOF_MS = 300_000
const PIECES_PER_SECOND = 10
/** How many of the samples there is time for must be there: while the views are proved none is taken. */
const LEAST_SAMPLES = 0.5
const MIB = 2 ** 20

const minutes = Number(process.env.MINUTES ?? 60)
const rate = Number(process.env.RATE ?? 700)
const seed = Number(process.env.SEED ?? 1)
const began = new Date()

interface Sample extends Memory {
  readonly seconds: number
}

const waiting = (pid: number) => console.log(`churn: waiting for process ${pid}, which does the same`)
process.exit(await locked(join(ROOT, '.stack', '.torture-churn.lock'), waiting, main))

async function main(): Promise<number> {
  const ground = await startGround('churn')
  const random = new Random(seed)
  const samples: Sample[] = []
  const differences: string[] = []
  try {
    const world = await World.create('churn', ground, random)
    try {
      const [stays] = world.fleet.workers
      if (!stays) throw new Error('there is no worker')
      await churn(world, stays, random, samples, differences)
      if (stays.restarts > 0) differences.push(`${stays.name}, which stays, was started again ${stays.restarts} times`)
    } catch (error) {
      differences.push(String(error))
    } finally {
      await world.end({ clear: false }).catch((error) => differences.push(String(error)))
    }
    return report(samples, differences, world.fleet.takeovers, world.judge.events) ? 0 : 1
  } finally {
    await ground.end()
  }
}

async function churn(
  world: World,
  stays: Worker,
  random: Random,
  samples: Sample[],
  differences: string[],
): Promise<void> {
  const until = Date.now() + minutes * 60_000
  let proof = Date.now() + PROOF_MS
  while (Date.now() < until && differences.length === 0) {
    const stop = new AbortController()
    const running = Promise.all([load(world, random, stop.signal), comeAndGo(world, stays, random, stop.signal)])
    while (Date.now() < Math.min(proof, until)) {
      await sleep(Math.min(SAMPLE_MS, Math.max(0, Math.min(proof, until) - Date.now())))
      const sample = { seconds: Math.round((Date.now() - began.getTime()) / 1_000), ...(await stays.memory()) }
      samples.push(sample)
      console.log(
        `${sample.seconds} s: heap ${mib(sample.heap)} MiB, rss ${mib(sample.rss)} MiB, ${world.fleet.takeovers} takeovers`,
      )
    }
    stop.abort()
    await running
    await world.fleet.settle(2)
    await world.caughtUp()
    differences.push(...(await world.judge.judge(world.healed)).differences, ...world.fleet.troubles(false))
    console.log(`${world.judge.events} events, ${differences.length} differences`)
    proof = Date.now() + PROOF_MS
  }
}

async function load(world: World, random: Random, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const next = sleep(1_000 / PIECES_PER_SECOND, undefined, { signal }).catch(() => {})
    await world.publish(Array.from({ length: rate / PIECES_PER_SECOND }, () => sound(random)))
    await next
  }
}

async function comeAndGo(world: World, stays: Worker, random: Random, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(random.between(1_000, 6_000), undefined, { signal }).catch(() => {})
    const other = world.fleet.workers.find((worker) => worker !== stays)
    if (other) await world.fleet.end(other, random.one(['SIGTERM', 'SIGTERM', 'SIGTERM', 'SIGKILL']))
    else world.fleet.start()
  }
}

/** Prints and writes `report/churn-….json`; true if all is well. */
function report(
  samples: readonly Sample[],
  differences: readonly string[],
  takeovers: number,
  events: number,
): boolean {
  const least = Math.max(1, Math.floor(((minutes * 60_000) / SAMPLE_MS) * LEAST_SAMPLES))
  const enough = samples.length >= least
  const warm = samples.slice(Math.floor(samples.length * WARM_UP))
  const growth = { heap: grown(warm.map(({ heap }) => heap)), rss: grown(warm.map(({ rss }) => rss)) }
  const well = enough && differences.length === 0 && growth.heap <= MOST_GROWTH.heap && growth.rss <= MOST_GROWTH.rss
  const slope = { heap: slopeOf(warm, 'heap'), rss: slopeOf(warm, 'rss') }
  const outcome = {
    began,
    minutes,
    rate,
    seed,
    events,
    takeovers,
    differences,
    growth,
    bounds: MOST_GROWTH,
    slope,
    well,
    samples,
  }
  const folder = join(ROOT, 'report')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `churn-${began.toISOString().replaceAll(/[-:]|\.\d+/g, '')}.json`)
  writeFileSync(file, `${JSON.stringify(outcome, null, 2)}\n`)
  console.log(
    `${minutes} minutes, ${events} events, ${takeovers} takeovers, ${differences.length} differences; growth of the heap ${growth.heap} MiB ` +
      `(at most ${MOST_GROWTH.heap}; ${slope.heap} MiB an hour), of rss ${growth.rss} MiB (at most ${MOST_GROWTH.rss}; ${slope.rss} MiB an hour): ` +
      `${enough ? '' : `${samples.length} samples, and ${least} must be there: `}${well ? 'well' : 'not well'}\n${file}`,
  )
  for (const difference of differences.slice(0, 20)) console.log(difference.slice(0, 500))
  return well
}

/** MiB between the medians of the first and the last quarter. */
function grown(values: readonly number[]): number {
  const quarter = Math.max(1, Math.floor(values.length / 4))
  return mib(median(values.slice(-quarter)) - median(values.slice(0, quarter)))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

/** MiB an hour, by least squares. */
function slopeOf(samples: readonly Sample[], of: 'heap' | 'rss'): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [at, size] = [mean(samples.map(({ seconds }) => seconds)), mean(samples.map((sample) => sample[of]))]
  const over = samples.reduce((sum, sample) => sum + (sample.seconds - at) * (sample[of] - size), 0)
  const spread = samples.reduce((sum, { seconds }) => sum + (seconds - at) ** 2, 0)
  return spread === 0 ? 0 : mib((over / spread) * 3_600)
}

function mib(bytes: number): number {
  return Math.round((bytes / MIB) * 10) / 10
}
