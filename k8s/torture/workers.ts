import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from './ground.ts'
import type { Random } from './random.ts'

const TIDEMARK = join(ROOT, 'workers', 'ctl', 'main.ts')
const PRELOAD = join(import.meta.dirname, 'preload.ts')
export const PROJECTIONS = join(import.meta.dirname, 'projections', 'ledger.ts')

/** As Kubernetes does: a process that has ended is started again, after a moment. */
const RESTART_MS = 500
/** sysexits' EX_CONFIG: a worker that a person has to look after. */
const REFUSED = 78

/** Bytes: what is in use on and off the heap after a full collection, and what the process holds. */
export interface Memory {
  readonly heap: number
  readonly rss: number
}

/** One projector, kept running by its supervisor until it is told to stop. */
export class Worker {
  readonly name: string
  readonly #log: string
  readonly #args: readonly string[]
  readonly #env: Record<string, string>
  #child: ChildProcess | undefined
  #wanted = true
  #ended: Promise<void> = Promise.resolve()
  /** Told whenever it has ended. */
  readonly #onEnd: () => void
  /** It has said that it will not run. */
  refused = false

  constructor(name: string, folder: string, args: readonly string[], env: Record<string, string>, onEnd: () => void) {
    mkdirSync(folder, { recursive: true })
    this.name = name
    this.#log = join(folder, `${name}.log`)
    this.#args = args
    this.#env = env
    this.#onEnd = onEnd
    this.#start()
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  /** Makes it suffer from within (`preload.ts`). */
  torment(message: { readonly stallMs?: number; readonly hog?: boolean }): void {
    if (this.#child?.connected) this.#child.send(message, () => {})
  }

  /** Rejects after 10 s without an answer. */
  async memory(): Promise<Memory> {
    const child = this.#child
    if (!child?.connected) throw new Error(`${this.name} does not run`)
    const answered = once(child, 'message', { signal: AbortSignal.timeout(10_000) })
    child.send({ weigh: true })
    const [memory] = await answered
    return memory
  }

  /** Ends it for good, by SIGTERM or at once. Resolves with the milliseconds it took. */
  async end(name: 'SIGTERM' | 'SIGKILL'): Promise<number> {
    this.#wanted = false
    const began = performance.now()
    this.signal('SIGCONT')
    this.signal(name)
    await Promise.race([this.#ended, sleep(40_000)])
    this.signal('SIGKILL')
    await this.#ended
    return performance.now() - began
  }

  #start(): void {
    const log = openSync(this.#log, 'a')
    const heap = this.#env.TORTURE_HEAP_MB ? [`--max-old-space-size=${this.#env.TORTURE_HEAP_MB}`] : []
    const child = spawn(process.execPath, [...heap, '--import', PRELOAD, TIDEMARK, ...this.#args], {
      cwd: ROOT,
      env: this.#env,
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
    this.#child = child
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code) => {
        resolve()
        this.#onEnd()
        if (code === REFUSED) this.refused = true
        else if (this.#wanted) void this.#restart()
      })
    })
  }

  async #restart(): Promise<void> {
    await sleep(RESTART_MS)
    if (!this.#wanted) return
    this.#start()
  }
}

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
    const ended = () => void this.takeovers++
    const worker = new Worker(`worker-${++this.#count}`, this.#folder, ['run', ...this.#names], env, ended)
    this.#workers.push(worker)
    return worker
  }

  one(): Worker {
    return this.#random.one(this.#workers)
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

/** The environment of a world's processes: nothing of ours, but for what Node needs. */
export function processEnv(env: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(KAFKA|CASSANDRA|TIDEMARK|TORTURE)_/.test(entry[0]),
  )
  return { NODE_COMPILE_CACHE: join(ROOT, '.stack', 'compiled'), ...Object.fromEntries(own), ...env }
}
