import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import { CassandraDeadLetters, connect, type Session } from '../../shared/cassandra/index.ts'
import { readConfig } from '../../shared/config.ts'
import type { OutgoingRecord } from '../../shared/events/encode.ts'
import type { Position } from '../../shared/events/position.ts'
import { KafkaAdmin, KafkaLog, KafkaPublisher } from '../../shared/kafka/index.ts'
import { cassandraSettings, kafkaSettings } from '../../workers/connections.ts'
import { SESSION_MS } from './claims.ts'
import { Fleet } from './fleet.ts'
import { type Ground, ROOT } from './ground.ts'
import { Judge } from './judge.ts'
import { Published } from './published.ts'
import type { Random } from './random.ts'
import { Stored } from './stored.ts'
import { Watch } from './watch.ts'
import { PROJECTIONS, processEnv } from './workers.ts'

/** How long the views may take until they hold everything, once the faults are over. */
const CATCH_UP_MS = 300_000
/** How long a group may take until all its members are in it. */
const SETTLE_MS = 120_000

/** A topic, two views, the workers that fill them and everything that watches. Used for some rounds, then left for a fresh one. */
export class World {
  readonly name: string
  readonly ground: Ground
  readonly fleet: Fleet
  readonly watch: Watch
  readonly judge: Judge
  readonly topic: string
  /** The projections: accounts, and shops with `merge`. */
  readonly projections: readonly [string, string]
  /** Has the handler been repaired? */
  healed = false
  /** How many events waited behind dead letters that can be decided about, when last judged. */
  decidable = 0
  #asked = 0
  readonly #env: Record<string, string>
  readonly #log: KafkaLog
  readonly #admin: KafkaAdmin
  readonly #folder: string
  readonly #stored: Stored
  readonly #publisher: KafkaPublisher
  readonly #published = new Published()
  readonly #session: Session

  private constructor(name: string, ground: Ground, env: Record<string, string>, random: Random, session: Session) {
    this.name = name
    this.ground = ground
    this.topic = `ledger-${name}`
    this.projections = [`accounts-${name}`, `shops-${name}`]
    this.#env = env
    const config = readConfig(ground.env)
    this.#session = session
    this.#log = new KafkaLog(kafkaSettings(config, 'torture'))
    this.#admin = new KafkaAdmin(kafkaSettings(config, 'torture'))
    this.#publisher = new KafkaPublisher(kafkaSettings(config, 'torture'))
    this.#stored = new Stored(ground.cassandra, name)
    this.judge = new Judge(this.#log, this.#stored, name, this.topic, this.#published)
    this.watch = new Watch(this.#log, this.groups, this.topic)
    this.#folder = join(ROOT, 'report', 'torture', name)
    this.fleet = new Fleet(this.#folder, this.projections, env, random)
  }

  static async create(name: string, ground: Ground, random: Random): Promise<World> {
    const env = processEnv({
      ...ground.env,
      KAFKA_SESSION_TIMEOUT_SECONDS: String(SESSION_MS / 1_000),
      TIDEMARK_PROJECTIONS: PROJECTIONS,
      TIDEMARK_HTTP_PORT: '0',
      TORTURE_WORLD: name,
    })
    await tidemark(['init'], env)
    const session = await connect(cassandraSettings(readConfig(ground.env).cassandra))
    const world = new World(name, ground, env, random, session)
    await world.fleet.settle(2)
    return world
  }

  get groups(): readonly string[] {
    return this.projections.map((projection) => `${projection}.v1`)
  }

  /** Publishes, however long the world does not let it; without an answer an event may be there twice, and is then two events. */
  async publish(records: readonly OutgoingRecord[]): Promise<readonly Position[]> {
    for (;;) {
      try {
        const positions = await this.#publisher.publish(this.topic, records)
        this.#published.acknowledged(positions, records)
        return positions
      } catch {
        this.#published.unclear(records)
        await sleep(200)
      }
    }
  }

  /** A newly repaired handler is rolled out. */
  async heal(): Promise<void> {
    await this.fleet.endAll()
    this.healed = true
    this.#env.TORTURE_HEALED = '1'
    await this.fleet.settle(2)
  }

  /** Asks for `action` about some of the open dead letters of accounts that `chosen` likes. */
  async decide(
    action: 'retry' | 'skip',
    most: number,
    chosen: (letter: { readonly code: string }) => boolean,
  ): Promise<number> {
    const [name] = this.projections
    const desk = new CassandraDeadLetters(this.#session, { name, version: 1 })
    const sources = [...(await this.#log.bounds(this.topic)).keys()].map((partition) => `${this.topic}/${partition}`)
    const letters = await this.#stored.letters(name, sources)
    const open = letters.filter((letter) => letter.state === 'parked' && chosen(letter)).slice(0, most)
    const ask = pLimit(16)
    await Promise.all(
      open.map(({ source, scope, offset }) =>
        ask(async () => {
          const [topic = '', partition] = source.split('/')
          const id = `${action}-${++this.#asked}-${offset}`
          const named = scope.startsWith('row:')
            ? (`row:${scope.slice(4)}` as const)
            : (`key:${scope.slice(4)}` as const)
          const request = { id, action, source: { topic, partition: Number(partition) }, scope: named, offset }
          for (let asked = false; !asked; )
            asked = await desk.ask(request).then(
              () => true,
              () => sleep(300, false),
            )
        }),
      ),
    )
    return open.length
  }

  /** Resolves when every request is answered and all is committed; throws if that takes too long or a worker refuses to run. */
  async caughtUp(): Promise<void> {
    const deadline = Date.now() + CATCH_UP_MS
    for (let state = ''; ; await sleep(100)) {
      this.#refuseNone()
      if (Date.now() > deadline) throw new Error(`not caught up after ${CATCH_UP_MS / 1_000} s: ${state}`)
      state = await this.#behind().catch(String)
      if (state === '') return
    }
  }

  /** By partition: what a group goes on from. */
  async committed(group: string): Promise<ReadonlyMap<number, number>> {
    const committed = await this.#log.committed(group, this.topic)
    const partitions = [...(await this.#log.bounds(this.topic)).keys()]
    return new Map(partitions.map((partition) => [partition, committed.get(partition) ?? 0]))
  }

  /** The positions of some accounts, by plain CQL. */
  positions(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#stored.positions(ids)
  }

  /** Resolves when each group is at rest with so many members; throws if that takes too long or a worker refuses to run. */
  async stable(members: number): Promise<void> {
    const deadline = Date.now() + SETTLE_MS
    for (const group of this.groups)
      for (;;) {
        this.#refuseNone()
        const { state, members: found } = await this.#admin.describeGroup(group)
        if (state === 'Stable' && found.length === members) break
        if (Date.now() > deadline)
          throw new Error(`${group} is ${state} with ${found.length} members after ${SETTLE_MS / 1_000} s`)
        await sleep(50)
      }
  }

  /** Resolves with the time (`performance.now`) when a group of so many is first seen to lose one. */
  async rebalances(group: string, members: number): Promise<number> {
    for (;;) {
      const at = performance.now()
      const found = await this.#admin.describeGroup(group)
      if (found.state !== 'Stable' || found.members.length < members) return at
      await sleep(10)
    }
  }

  /**
   * `clear`: nothing of it is left, on the servers or in files; else it is there to be looked at, as it is when a worker has ended
   * otherwise than it should, for which this rejects.
   */
  async end({ clear }: { readonly clear: boolean }): Promise<void> {
    await this.watch.end()
    await this.fleet.endAll()
    const troubles = this.fleet.troubles(true)
    if (clear && troubles.length === 0) {
      // What stays on the servers costs time and room, and nothing else.
      const cleared = await Promise.allSettled([this.#stored.clear(), this.#admin.deleteTopics([this.topic])])
      for (const { reason } of cleared.filter((one) => one.status === 'rejected'))
        console.warn(`torture: something of world ${this.name} is left: ${reason}`)
      rmSync(this.#folder, { recursive: true, force: true })
    }
    await this.#admin.close()
    await Promise.all([this.#log.close(), this.#publisher.close(), this.#stored.close(), this.#session.close()])
    if (troubles.length > 0) throw new Error(troubles.join('\n'))
  }

  /** `tidemark verify` of both views: what differs, in its own words. */
  async verify(): Promise<readonly string[]> {
    const found: string[] = []
    for (const name of this.projections) {
      const { code, said } = await run(['verify', name], this.#env)
      if (code !== 0) found.push(`tidemark verify ${name}: ${said.slice(-1_500)}`)
    }
    return found
  }

  #refuseNone(): void {
    const [refused] = this.fleet.refusals
    if (refused) throw new Error(`${refused.worker} of world ${this.name} refuses to run: ${refused.words.trim()}`)
  }

  async #behind(): Promise<string> {
    const bounds = await this.#log.bounds(this.topic)
    for (const group of this.groups) {
      const committed = await this.#log.committed(group, this.topic)
      for (const [partition, { end }] of bounds)
        if ((committed.get(partition) ?? 0) < end)
          return `${group} partition ${partition}: ${committed.get(partition)} of ${end}`
    }
    const desk = new CassandraDeadLetters(this.#session, { name: this.projections[0], version: 1 })
    for (const partition of bounds.keys()) {
      const requests = await desk.requests({ topic: this.topic, partition })
      if (requests.length > 0) return `${requests.length} requests of partition ${partition} are not answered`
      const { resolved } = await desk.load({ topic: this.topic, partition })
      if (resolved.size > 0) return `${resolved.size} decided scopes of partition ${partition} are not freed`
    }
    return ''
  }
}

/** Servers that have just been started again may refuse at first. */
async function tidemark(args: readonly string[], env: Record<string, string>): Promise<void> {
  let { code, said } = await run(args, env)
  for (let tries = 1; code !== 0 && tries < 3; tries++) ({ code, said } = await run(args, env))
  if (code !== 0) throw new Error(`tidemark ${args.join(' ')} ended with ${code}: ${said}`)
}

async function run(args: readonly string[], env: Record<string, string>) {
  const main = join(ROOT, 'workers', 'ctl', 'main.ts')
  const child = spawn(process.execPath, [main, ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [[code], out, errors] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { code: Number(code), said: `${out}${errors}` }
}
