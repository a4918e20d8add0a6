import { type Exit, REFUSED, troubleOf } from './exits.ts'
import type { Random } from './random.ts'
import { Worker } from './workers.ts'

/** The projectors of one world. */
export class Fleet {
  readonly #folder: string
  readonly #names: readonly string[]
  readonly #env: Record<string, string>
  readonly #random: Random
  #count = 0
  #workers: Worker[] = []
  /** How often a worker has ended, so that others took its partitions over. */
  takeovers = 0
  /** Every process that has ended and was not asked about yet. */
  #exits: Exit[] = []

  constructor(folder: string, names: readonly string[], env: Record<string, string>, random: Random) {
    this.#folder = folder
    this.#names = names
    this.#env = env
    this.#random = random
  }

  get workers(): readonly Worker[] {
    return this.#workers
  }

  /** Each worker is tuned by chance, so that rows are dropped, batches split and flushes overlap in all ways. */
  start(over: Record<string, string> = {}): Worker {
    const random = this.#random
    const tuning = {
      TIDEMARK_WORKING_SET_MIB: random.one(['1', '64']),
      TIDEMARK_FLUSH_ROWS: random.one(['5', '200', '20000']),
      TIDEMARK_FLUSH_INTERVAL_MS: random.one(['50', '1000']),
    }
    const env = { ...this.#env, ...tuning, ...over }
    const ended = (exit: Exit) => {
      this.takeovers++
      this.#exits.push(exit)
    }
    const worker = new Worker(`worker-${++this.#count}`, this.#folder, ['run', ...this.#names], env, ended)
    this.#workers.push(worker)
    return worker
  }

  /** The workers' refusals to run, also of those that are gone, not asked about yet. */
  get refusals(): readonly Exit[] {
    return this.#exits.filter(({ code }) => code === REFUSED)
  }

  /** What is wrong with the exits since the last call, each a sentence; `outage`: did servers or networks suffer meanwhile? */
  troubles(outage: boolean): readonly string[] {
    return this.#exits.splice(0).flatMap((exit) => troubleOf(exit, outage) ?? [])
  }

  /** Any of them; a new one where two faults at once have ended all. */
  one(): Worker {
    return this.#workers.length === 0 ? this.start() : this.#random.one(this.#workers)
  }

  /** Brings the fleet to so many, all of them sound. */
  async settle(count: number): Promise<void> {
    while (this.#workers.length > count) await this.end(this.#workers[0]!, 'SIGTERM')
    while (this.#workers.length < count) this.start()
    for (const worker of this.#workers) worker.signal('SIGCONT')
  }

  async end(worker: Worker, how: 'SIGTERM' | 'SIGKILL'): Promise<number> {
    this.#workers = this.#workers.filter((other) => other !== worker)
    return worker.end(how)
  }

  async endAll(how: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await Promise.all(this.#workers.map((worker) => this.end(worker, how)))
  }
}
