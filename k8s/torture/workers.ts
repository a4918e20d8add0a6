import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Exit, REFUSED } from './exits.ts'
import { ROOT } from './ground.ts'

const TIDEMARK = join(ROOT, 'workers', 'ctl', 'main.ts')
const PRELOAD = join(import.meta.dirname, 'preload.ts')
export const PROJECTIONS = join(import.meta.dirname, 'projections', 'ledger.ts')

/** As Kubernetes does: a process that has ended is started again, after a moment. */
const RESTART_MS = 500
/** Bytes of a log: what a process has said in the end. */
const LAST_WORDS = 3_000

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
  readonly #onEnd: (exit: Exit) => void
  #sent = new Set<NodeJS.Signals>()
  /** It has said that it will not run. */
  refused = false
  /** How often it had to be started again. */
  restarts = 0

  constructor(
    name: string,
    folder: string,
    args: readonly string[],
    env: Record<string, string>,
    onEnd: (exit: Exit) => void,
  ) {
    mkdirSync(folder, { recursive: true })
    this.name = name
    this.#log = join(folder, `${name}.log`)
    this.#args = args
    this.#env = env
    this.#onEnd = onEnd
    this.#start()
  }

  signal(name: NodeJS.Signals): void {
    if (this.#child?.kill(name)) this.#sent.add(name)
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
    const from = fstatSync(log).size
    const sent = new Set<NodeJS.Signals>()
    this.#sent = sent
    const heap = this.#env.TORTURE_HEAP_MB ? [`--max-old-space-size=${this.#env.TORTURE_HEAP_MB}`] : []
    const child = spawn(process.execPath, [...heap, '--import', PRELOAD, TIDEMARK, ...this.#args], {
      cwd: ROOT,
      env: this.#env,
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
    this.#child = child
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve()
        const words = readFileSync(this.#log).subarray(from).subarray(-LAST_WORDS).toString()
        const starved = this.#env.TORTURE_HEAP_MB !== undefined
        this.#onEnd({ worker: this.name, code, signal, sent, starved, words })
        if (code === REFUSED) this.refused = true
        else if (this.#wanted) void this.#restart()
      })
    })
  }

  async #restart(): Promise<void> {
    await sleep(RESTART_MS)
    if (!this.#wanted) return
    this.restarts++
    this.#start()
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
