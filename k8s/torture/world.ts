import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { CassandraDeadLetters, connect, type Session } from '../../shared/cassandra/index.ts'
import { readConfig } from '../../shared/config.ts'
import type { OutgoingRecord } from '../../shared/events/encode.ts'
import { KafkaLog, KafkaPublisher } from '../../shared/kafka/index.ts'
import { cassandraSettings, kafkaSettings } from '../../workers/connections.ts'
import { type Ground, ROOT } from './ground.ts'
import { Judge } from './judge.ts'
import type { Random } from './random.ts'
import { Stored } from './stored.ts'
import { Watch } from './watch.ts'
import { Fleet, PROJECTIONS, processEnv } from './workers.ts'

/** How long the views may take until they hold everything, once the faults are over. */
const CATCH_UP_MS = 150_000

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
  readonly #env: Record<string, string>
  readonly #log: KafkaLog
  readonly #stored: Stored
  readonly #publisher: KafkaPublisher
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
    this.#publisher = new KafkaPublisher(kafkaSettings(config, 'torture'))
    this.#stored = new Stored(ground.cassandra, name)
    this.judge = new Judge(this.#log, this.#stored, name, this.topic)
    this.watch = new Watch(this.#log, this.groups, this.topic)
    this.fleet = new Fleet(join(ROOT, 'report', 'torture', name), this.projections, env, random)
  }

  static async create(name: string, ground: Ground, random: Random): Promise<World> {
    const env = processEnv({
      ...ground.env,
      KAFKA_SESSION_TIMEOUT_SECONDS: '6',
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
  async publish(records: readonly OutgoingRecord[]): Promise<void> {
    for (;;) {
      try {
        await this.#publisher.publish(this.topic, records)
        return
      } catch {
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
    let asked = 0
    for (const { source, scope, offset, state, code } of await this.#stored.letters(name)) {
      if (state !== 'parked' || asked === most || !chosen({ code })) continue
      const [topic = '', partition] = source.split('/')
      const id = `${action}-${scope}-${offset}`.replaceAll(/[^\w-]/g, '_')
      const named = scope.startsWith('row:') ? (`row:${scope.slice(4)}` as const) : (`key:${scope.slice(4)}` as const)
      const request = { id, action, source: { topic, partition: Number(partition) }, scope: named, offset }
      while (
        !(await desk.ask(request).then(
          () => true,
          () => false,
        ))
      )
        await sleep(300)
      asked++
    }
    return asked
  }

  /** Resolves when every request is answered and all is committed; throws if that takes too long or a worker refuses to run. */
  async caughtUp(): Promise<void> {
    const deadline = Date.now() + CATCH_UP_MS
    for (let state = ''; ; await sleep(100)) {
      const refused = this.fleet.workers.find((worker) => worker.refused)
      if (refused)
        throw new Error(`${refused.name} refuses to run: see report/torture/${this.name}/${refused.name}.log`)
      if (Date.now() > deadline) throw new Error(`not caught up after ${CATCH_UP_MS / 1_000} s: ${state}`)
      state = await this.#behind().catch(String)
      if (state === '') return
    }
  }

  async end(): Promise<void> {
    await this.watch.end()
    await this.fleet.endAll()
    await Promise.all([this.#log.close(), this.#publisher.close(), this.#stored.close(), this.#session.close()])
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

async function tidemark(args: readonly string[], env: Record<string, string>): Promise<void> {
  const { code, said } = await run(args, env)
  if (code !== 0) throw new Error(`tidemark ${args.join(' ')} ended with ${code}: ${said}`)
}

async function run(args: readonly string[], env: Record<string, string>) {
  const main = join(ROOT, 'workers', 'ctl', 'main.ts')
  const child = spawn(process.execPath, [main, ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [[code], out, errors] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { code: Number(code), said: `${out}${errors}` }
}
