import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { readConfig } from '../../shared/config.ts'
import type { OutgoingRecord } from '../../shared/events/encode.ts'
import type { Position } from '../../shared/events/position.ts'
import { KafkaAdmin, KafkaLog, KafkaPublisher } from '../../shared/kafka/index.ts'
import { type Endpoint, type FaultProxy, faultProxy } from '../../shared/testing/fault-proxy.ts'
import { kafkaSettings } from '../../workers/connections.ts'
import { type Exit, REFUSED, troubleOf } from './exits.ts'
import type { Entry } from './fold.ts'
import { ROOT } from './ground.ts'
import { type Books, LogStored } from './log-stored.ts'
import { accountsFold, entryOf, type Happened } from './oracle.ts'
import { PROJECTIONS, processEnv, Worker } from './workers.ts'

/** Milliseconds until what must happen has happened. */
const PATIENCE_MS = 90_000
/** As `ledger.ts` declares it. */
const PARTITIONS = 6

/** Servers that others may use at the same time: nothing outside of the world's own topic and keyspace is touched. */
export interface LogServers {
  readonly env: Readonly<Record<string, string>>
  readonly cassandra: readonly Endpoint[]
}

/** A topic, a keyspace and a worker, for one thing that would be the end of any other world. Cassandra lies behind a proxy of its own. */
export class LogWorld {
  readonly topic: string
  readonly projection: string
  readonly keyspace: string
  /** The table of the view, with its keyspace. */
  readonly view: string
  readonly admin: KafkaAdmin
  readonly stored: LogStored
  readonly cassandra: FaultProxy
  readonly #name: string
  readonly #env: Record<string, string>
  readonly #log: KafkaLog
  readonly #publisher: KafkaPublisher
  readonly #entries = new Map<string, Entry<Happened>[]>()
  #workers: Worker[] = []
  readonly #exits: Exit[] = []
  #healed = false

  private constructor(name: string, env: Record<string, string>, stored: LogStored, cassandra: FaultProxy) {
    const kafka = kafkaSettings(readConfig(env), 'torture-log')
    this.#name = name
    this.topic = `ledger-${name}`
    this.projection = `accounts-${name}`
    this.keyspace = `log_${name}`
    this.view = `log_${name}.accounts_${name}_v1`
    this.#env = env
    this.stored = stored
    this.cassandra = cassandra
    this.admin = new KafkaAdmin(kafka)
    this.#log = new KafkaLog(kafka)
    this.#publisher = new KafkaPublisher(kafka)
  }

  /** `name`: small letters and digits, of nobody else. */
  static async create(name: string, { env, cassandra: [node] }: LogServers): Promise<LogWorld> {
    if (!node) throw new Error('there is no Cassandra')
    const proxy = await faultProxy({ host: '127.0.0.1', port: 0 }, node)
    const own = processEnv({
      ...env,
      CASSANDRA_CONTACT_POINTS: `${proxy.address.host}:${proxy.address.port}`,
      CASSANDRA_KEYSPACE: `log_${name}`,
      KAFKA_SESSION_TIMEOUT_SECONDS: '6',
      TIDEMARK_PROJECTIONS: PROJECTIONS,
      TIDEMARK_HTTP_PORT: '0',
      TORTURE_WORLD: name,
    })
    const world = new LogWorld(name, own, new LogStored(node, name), proxy)
    await world.init()
    return world
  }

  /** `tidemark init`: makes what is missing, and changes nothing else. */
  async init(): Promise<void> {
    const { code, said } = await this.tidemark(['init', this.projection])
    if (code !== 0) throw new Error(`tidemark init ended with ${code}: ${said}`)
  }

  async tidemark(args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
    const main = join(ROOT, 'workers', 'ctl', 'main.ts')
    const child = spawn(process.execPath, [main, ...args], {
      cwd: ROOT,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [[code], out, errors] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
    return { code: Number(code), said: `${out}${errors}` }
  }

  start(): Worker {
    const name = `worker-${this.#workers.length + 1}`
    const worker = new Worker(name, this.#folder, ['run', this.projection], this.#env, (exit) => this.#exits.push(exit))
    this.#workers.push(worker)
    return worker
  }

  /** A newly repaired handler is rolled out. */
  async heal(): Promise<Worker> {
    await this.stop()
    this.#healed = true
    this.#env.TORTURE_HEALED = '1'
    return this.start()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.end('SIGTERM')))
  }

  publish(records: readonly OutgoingRecord[]): Promise<readonly Position[]> {
    return this.#publisher.publish(this.topic, records)
  }

  /** The topic is deleted, and made again as a stranger would: of the same name and the same partitions, empty. */
  async recreateTopic(): Promise<void> {
    await this.admin.deleteTopics([this.topic])
    await until('the topic is gone', async () => !(await this.admin.topics()).includes(this.topic))
    await this.admin.createTopics([{ name: this.topic, partitions: PARTITIONS }])
  }

  /** By partition. */
  bounds(): Promise<ReadonlyMap<number, { readonly start: number; readonly end: number }>> {
    return this.#log.bounds(this.topic)
  }

  committed(): Promise<ReadonlyMap<number, number>> {
    return this.#log.committed(`${this.projection}.v1`, this.topic)
  }

  /** Has everything been committed, in all partitions or in those that `counts` likes? */
  async caughtUp(counts: (partition: number) => boolean = () => true): Promise<void> {
    await until('everything is committed', async () => {
      const [bounds, committed] = await Promise.all([this.bounds(), this.committed()])
      const refused = this.#workers.find((worker) => worker.refused)
      if (refused) throw new Error(`${refused.name} refuses to run: ${this.said(refused).slice(-1_000)}`)
      return [...bounds].every(([partition, { end }]) => !counts(partition) || (committed.get(partition) ?? 0) >= end)
    })
  }

  /** Resolves with its last words when the worker has ended because it refuses to run (exit code 78). */
  async refusal(worker: Worker): Promise<string> {
    await until('the worker refuses to run', async () => worker.refused)
    return this.said(worker).slice(-2_000)
  }

  /** What is wrong with how workers ended, but for refusals, of which each scenario knows itself. */
  troubles(): readonly string[] {
    return this.#exits.flatMap((exit) => (exit.code === REFUSED ? [] : (troubleOf(exit, true) ?? [])))
  }

  /** Everything a worker has said so far. */
  said(worker: Worker): string {
    return readFileSync(join(this.#folder, `${worker.name}.log`), 'utf8')
  }

  /** What `/readyz` answers while the worker is not to be counted on; empty if it is, or if nobody answers. */
  async unready(worker: Worker): Promise<string> {
    const port = [...this.said(worker).matchAll(/\/metrics on port (\d+)/g)].at(-1)?.[1]
    const answer = port && (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))
    return answer && answer.status === 503 ? answer.text() : ''
  }

  /** Takes note of what is in the log by now: it may be gone soon. */
  async remember(): Promise<void> {
    for (const [partition, { start, end }] of await this.bounds()) {
      const source = `${this.topic}/${partition}`
      const entries = this.#entries.get(source) ?? []
      this.#entries.set(source, entries)
      const from = Math.max(start, (entries.at(-1)?.offset ?? -1) + 1)
      for await (const records of this.#log.read({ topic: this.topic, partition }, from, end))
        entries.push(...records.map(entryOf))
    }
  }

  /** Offsets from `from` to before `to` were never there for the view. */
  lost(partition: number, from: number, to: number): void {
    const source = `${this.topic}/${partition}`
    const kept = (this.#entries.get(source) ?? []).filter(({ offset }) => offset < from || offset >= to)
    this.#entries.set(source, kept)
  }

  /** Rows, dead letters and what waits against an independent fold of all that was remembered and not lost. */
  async differences(): Promise<readonly string[]> {
    await this.remember()
    const { rows, letters, waiting } = await this.stored.books(this.topic, [...this.#entries.keys()])
    const fold = accountsFold(() => this.#healed)
    fold.take(this.#entries, (scope, source, offset) => letters.get(`${source} ${scope} ${offset}`))
    return [
      ...unequal('row', fold.rows, rows),
      ...unequal('dead letter', presence(fold.letters), presence(letters)),
      ...unequal('what waits behind', fold.parked, waiting),
    ]
  }

  /** Everything that is kept, to see later that nothing has changed. */
  async books(): Promise<Books> {
    const sources = Array.from({ length: PARTITIONS }, (_, partition) => `${this.topic}/${partition}`)
    return this.stored.books(this.topic, sources)
  }

  /** Nothing of it is left, unless it is to be looked at. */
  async end({ clear }: { readonly clear: boolean }): Promise<void> {
    this.cassandra.weather({})
    await this.stop()
    if (clear) {
      await this.stored.cql(`DROP KEYSPACE IF EXISTS ${this.keyspace}`)
      await this.admin.deleteTopics([this.topic])
      await this.admin.deleteGroup(`${this.projection}.v1`)
      rmSync(this.#folder, { recursive: true, force: true })
    }
    await Promise.all([this.admin.close(), this.#log.close(), this.#publisher.close(), this.stored.close()])
    await this.cassandra.close()
  }

  get #folder(): string {
    return join(ROOT, 'report', 'torture', `log-${this.#name}`)
  }
}

/** Looks again and again; rejects when that takes too long. */
export async function until(what: string, holds: () => Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
  for (const deadline = performance.now() + patienceMs; !(await holds()); await sleep(50))
    if (performance.now() > deadline) throw new Error(`not after ${patienceMs / 1_000} s: ${what}`)
}

function presence(letters: ReadonlyMap<string, unknown>): ReadonlyMap<string, boolean> {
  return new Map([...letters.keys()].map((name) => [name, true]))
}

export function unequal(
  what: string,
  wanted: ReadonlyMap<string, unknown>,
  found: ReadonlyMap<string, unknown>,
): readonly string[] {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)) ?? 'missing'
  return [...new Set([...wanted.keys(), ...found.keys()])].flatMap((name) =>
    isDeepStrictEqual(wanted.get(name), found.get(name))
      ? []
      : [`${what} ${name} is ${text(found.get(name))}, and should be ${text(wanted.get(name))}`],
  )
}
