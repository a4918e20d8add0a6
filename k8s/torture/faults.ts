import { setTimeout as sleep } from 'node:timers/promises'
import { account, POISON, type Poison, poison, sound } from './events.ts'
import type { Random } from './random.ts'
import { takeoverAfterKill, takeoverAfterStop } from './takeover.ts'
import type { World } from './world.ts'

/** What a fault has measured, in milliseconds. */
export interface Measured {
  readonly takeoverAfterKillMs?: number
  readonly takeoverAfterStopMs?: number
  readonly takeoverAfterRebalanceMs?: number
}

/** Longer than the session timeout of the suite's workers: the group goes on without who sleeps so long. */
const LONGER_THAN_SESSION_MS = 8_500

/** Something that goes wrong while events come in. Resolves when it is over, or when the round's end will mend it. */
export interface Fault {
  readonly name: string
  /** Measured ones have a round of their own, without a backlog; of poison it is measured what it does to other rows. */
  readonly kind: 'measured' | 'poison' | 'slow' | 'other'
  /** Only where there are so many servers. */
  readonly servers?: 3
  happen(world: World, random: Random): Promise<Measured>
}

type Happen = (world: World, random: Random) => Promise<void>

const fault = (name: string, kind: Fault['kind'], happen: Happen, servers?: 3): Fault => ({
  name,
  kind,
  happen: async (world, random) => {
    await happen(world, random)
    return {}
  },
  ...(servers ? { servers } : {}),
})

const workers: readonly Fault[] = [
  {
    name: 'worker: SIGKILL, the other takes over',
    kind: 'measured',
    happen: async (world) => ({ takeoverAfterKillMs: await takeoverAfterKill(world) }),
  },
  {
    name: 'worker: SIGTERM, the other takes over',
    kind: 'measured',
    async happen(world) {
      const { signalMs, rebalanceMs } = await takeoverAfterStop(world)
      return { takeoverAfterStopMs: signalMs, takeoverAfterRebalanceMs: rebalanceMs }
    },
  },
  fault('worker: SIGKILL', 'other', async ({ fleet }, random) => {
    for (let time = 0; time < 3; time++) {
      fleet.one().signal('SIGKILL')
      await sleep(random.between(200, 2_500))
    }
  }),
  fault('worker: all SIGKILL', 'other', async ({ fleet }) => {
    for (const worker of fleet.workers) worker.signal('SIGKILL')
  }),
  fault('worker: SIGTERM', 'other', async ({ fleet }) => {
    await fleet.end(fleet.one(), 'SIGTERM')
    fleet.start()
  }),
  fault('worker: SIGSTOP beyond its session, SIGCONT', 'other', async ({ fleet }) => {
    const worker = fleet.one()
    worker.signal('SIGSTOP')
    await sleep(LONGER_THAN_SESSION_MS)
    worker.signal('SIGCONT')
  }),
  fault('worker: stalled event loop', 'other', async ({ fleet }, random) => {
    fleet.one().torment({ stallMs: random.one([1_000, 4_000, LONGER_THAN_SESSION_MS]) })
  }),
  fault('worker: out of memory', 'other', async ({ fleet }) => {
    await fleet.end(fleet.one(), 'SIGTERM')
    const worker = fleet.start({ TORTURE_HEAP_MB: '160' })
    await sleep(2_500)
    worker.torment({ hog: true })
    await sleep(3_000)
    await fleet.end(worker, 'SIGKILL')
    fleet.start()
  }),
  fault('worker: clock days off', 'other', async ({ fleet }, random) => {
    for (const worker of [...fleet.workers]) {
      await fleet.end(worker, random.one(['SIGTERM', 'SIGKILL']))
      fleet.start({ TORTURE_CLOCK_DAYS: String(random.one([-30, -3, 3, 30])) })
    }
  }),
  fault('rebalance storm', 'other', async ({ fleet }, random) => {
    for (let step = 0; step < 7; step++) {
      if (fleet.workers.length < 4 && random.below(2)) fleet.start()
      else if (fleet.workers.length > 1) await fleet.end(fleet.one(), random.one(['SIGTERM', 'SIGTERM', 'SIGKILL']))
      await sleep(random.between(300, 1_500))
    }
  }),
]

const networks = (['kafka', 'cassandra'] as const).flatMap((service): readonly Fault[] => [
  fault(`${service}: connections cut`, 'other', async ({ ground }, random) => {
    for (let time = 0; time < 5; time++) {
      random.one(ground.of(service)).proxy.cut()
      await sleep(random.between(100, 900))
    }
  }),
  fault(`${service}: cut in the midst of an answer`, 'other', async ({ ground }, random) => {
    for (let time = 0; time < 6; time++) {
      random.one(ground.of(service)).proxy.cutAfter(random.between(1, 30_000))
      await sleep(random.between(100, 700))
    }
  }),
  fault(`${service}: slow network`, 'other', async ({ ground }, random) => {
    const weather = { delayMs: random.one([20, 150]), bytesPerSecond: random.one([100_000, 1_000_000]) }
    for (const { proxy } of ground.of(service)) proxy.weather(weather)
    await sleep(4_000)
  }),
  fault(`${service}: answers lost, then cut`, 'other', async ({ ground }, random) => {
    const { proxy } = random.one(ground.of(service))
    for (let time = 0; time < 3; time++) {
      proxy.weather({ lost: 'replies' })
      await sleep(random.between(100, 1_500))
      proxy.cut()
      proxy.weather({})
      await sleep(random.between(200, 800))
    }
  }),
  fault(`${service}: black hole`, 'other', async ({ ground }, random) => {
    const { proxy } = random.one(ground.of(service))
    proxy.weather({ lost: 'everything' })
    await sleep(random.one([1_000, 5_000, 9_000]))
    proxy.cut()
    proxy.weather({})
  }),
  fault(`${service}: connections refused`, 'other', async ({ ground }, random) => {
    const { proxy } = random.one(ground.of(service))
    await proxy.refuse()
    await sleep(random.one([1_000, 4_000, 10_000]))
    await proxy.accept()
  }),
])

const servers = (['kafka', 'cassandra'] as const).flatMap((service): readonly Fault[] => [
  fault(`${service}: SIGKILL and restart`, 'slow', async ({ ground }, random) => {
    const server = random.one(ground.of(service))
    await server.kill()
    await sleep(random.between(0, 2_000))
    await server.start()
  }),
  fault(`${service}: SIGSTOP, SIGCONT`, 'other', async ({ ground }, random) => {
    const server = random.one(ground.of(service))
    server.pause()
    await sleep(random.one([1_000, 5_000, 12_000]))
    server.resume()
  }),
  fault(`${service}: all stopped for a while`, 'slow', async ({ ground }, random) => {
    await Promise.all(ground.of(service).map((server) => server.kill()))
    await sleep(random.one([1_000, 2_000, 20_000]))
    await Promise.all(ground.of(service).map((server) => server.start()))
  }),
  fault(
    `${service}: one after the other SIGKILL and restart`,
    'slow',
    async ({ ground }) => {
      for (const server of ground.of(service)) {
        await server.kill()
        await server.start()
      }
    },
    3,
  ),
  // What it leads or coordinates is handed over; and back, sooner or later.
  fault(
    `${service}: one hands over and restarts`,
    'slow',
    async ({ ground }, random) => {
      const server = random.one(ground.of(service))
      await server.stop()
      await sleep(random.between(0, 2_000))
      await server.start()
    },
    3,
  ),
  fault(
    `${service}: one far away`,
    'other',
    async ({ ground }, random) => {
      random.one(ground.of(service)).proxy.weather({ delayMs: random.one([200, 1_500]), bytesPerSecond: 100_000 })
      await sleep(5_000)
    },
    3,
  ),
  fault(
    `${service}: one runs in fits and starts`,
    'other',
    async ({ ground }, random) => {
      const server = random.one(ground.of(service))
      for (let time = 0; time < 8; time++) {
        server.pause()
        await sleep(random.between(100, 600))
        server.resume()
        await sleep(random.between(20, 150))
      }
    },
    3,
  ),
])

const poisons: readonly Fault[] = [
  ...POISON.map((kind) =>
    fault(`poison: ${kind}`, 'poison', async (world, random) => {
      for (let time = 0; time < 4; time++) {
        await world.publish([...sounds(random, 3), poison(kind, account(random), random), ...sounds(random, 3)])
        await sleep(200)
      }
    }),
  ),
  fault('poison: on the hottest key, all kinds', 'poison', async (world, random) => {
    for (const kind of POISON) await world.publish([poison(kind, 'a0', random), ...sounds(random, 20)])
  }),
  fault('poison: 1,000 keys at once', 'poison', async (world, random) => {
    const kinds: readonly Poison[] = ['undecodable', 'handler', 'audit']
    const many = Array.from({ length: 1_000 }, (_, index) => poison(random.one(kinds), `p${index}`, random))
    await world.publish(many)
  }),
  fault('poison: skipped', 'poison', async (world, random) => {
    await world.publish([poison(random.one(POISON), account(random), random), ...sounds(random, 20)])
    await sleep(1_000)
    await world.decide('skip', 40, () => true)
  }),
  fault('poison: skipped while workers are killed', 'other', async (world, random) => {
    await world.publish([poison(random.one(POISON), account(random), random), ...sounds(random, 20)])
    await sleep(500)
    await world.decide('skip', 200, () => true)
    for (let time = 0; time < 4; time++) {
      await sleep(random.between(100, 1_200))
      world.fleet.one().signal('SIGKILL')
    }
  }),
  fault('poison: handler repaired, then retried under kills', 'other', async (world, random) => {
    await world.publish([poison('handler', account(random), random), ...sounds(random, 20)])
    await sleep(1_500)
    await world.heal()
    await world.decide('retry', 300, ({ code }) => code === 'HANDLER_FAILED')
    for (let time = 0; time < 3; time++) {
      await sleep(random.between(100, 1_500))
      world.fleet.one().signal('SIGKILL')
    }
  }),
]

/** Everything that can go wrong. */
export const faults: readonly Fault[] = [...workers, ...networks, ...servers, ...poisons]

function sounds(random: Random, count: number) {
  return Array.from({ length: count }, () => sound(random))
}
