import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { killServer, lastLines, logFile, pidFile, startTime, stopServer } from '../process.ts'
import { ROOT } from './ground.ts'

const TIDEMARK = join(ROOT, 'workers', 'ctl', 'main.ts')
const END_MS = 25_000

/** A fault that the demo shows with its place; everything else is a bug. */
export class DemoFailure extends Error {}

/** One process of Tidemark, as an operator would start it. */
export interface Child {
  readonly name: string
  /** Resolves when it has ended well by itself; rejects if it fails. One that is ended by the demo never settles. */
  readonly finished: Promise<void>
}

/**
 * The demo's processes. Each has a folder with its log and pid file, so that whatever becomes of the demo, its next run finds and ends
 * what is left. They are in process groups of their own: Ctrl-C reaches the demo alone, which then ends them in order.
 */
export class Children {
  readonly #folder: string
  readonly #env: Record<string, string>
  readonly #processes = new Map<string, ChildProcess>()
  readonly #expected = new Set<string>()
  readonly #failed = Promise.withResolvers<never>()
  #fault: DemoFailure | undefined

  constructor(folder: string, addresses: Record<string, string>) {
    this.#folder = folder
    // Settings of another cluster must not leak in.
    const own = Object.entries(process.env).filter(([name]) => !/^(KAFKA|CASSANDRA|TIDEMARK)_/.test(name))
    this.#env = { ...Object.fromEntries(own), ...addresses, KAFKA_SESSION_TIMEOUT_SECONDS: '6', LOG_LEVEL: 'info' }
    this.#failed.promise.catch(() => {})
  }

  /** Rejects as soon as any child ends that should not have. */
  get failure(): Promise<never> {
    return this.#failed.promise
  }

  /** Throws if any child has ended that should not have. */
  check(): void {
    if (this.#fault) throw this.#fault
  }

  start(name: string, args: readonly string[], env: Record<string, string> = {}): Child {
    const folder = join(this.#folder, name)
    mkdirSync(folder, { recursive: true })
    const log = openSync(logFile(folder), 'w')
    const child = spawn(process.execPath, [TIDEMARK, ...args], this.#options(env, ['ignore', log, log]))
    closeSync(log)
    if (child.pid) writeFileSync(pidFile(folder), `${child.pid} ${startTime(child.pid) ?? ''}\n`)
    this.#processes.set(name, child)
    const finished = Promise.withResolvers<void>()
    finished.promise.catch(() => {})
    const fail = (how: string) => {
      const fault = new DemoFailure(`${name} ${how}\n${lastLines(logFile(folder), 15)}\n  its log: ${logFile(folder)}`)
      this.#fault ??= fault
      finished.reject(fault)
      this.#failed.reject(fault)
    }
    child.once('error', (error) => fail(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      if (this.#expected.has(name)) return
      if (code === 0 && args[0] === 'loadgen') finished.resolve()
      else fail(`ended with ${signal ?? `exit code ${code}`}`)
    })
    return { name, finished: finished.promise }
  }

  /** kill -9, and nothing else; resolves when the process is gone. */
  async kill(name: string): Promise<void> {
    this.#expected.add(name)
    await killServer(join(this.#folder, name))
  }

  /** Runs a command to its end and gives its standard output. */
  async run(args: readonly string[], signal: AbortSignal): Promise<string> {
    const child = spawn(process.execPath, [TIDEMARK, ...args], this.#options({}, ['ignore', 'pipe', 'pipe']))
    const abort = () => child.kill('SIGTERM')
    signal.addEventListener('abort', abort, { once: true })
    const { promise: exited, resolve, reject } = Promise.withResolvers<string | number | null>()
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? code))
    if (!child.stdout || !child.stderr) throw new DemoFailure(`tidemark ${args.join(' ')} has no output`)
    const [how, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)])
    signal.removeEventListener('abort', abort)
    signal.throwIfAborted()
    if (how === 0) return stdout
    const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-20).join('\n')
    throw new DemoFailure(`tidemark ${args.join(' ')} ended with ${how}\n${said}`)
  }

  /** Lets the demo end while its processes go on. */
  leave(): void {
    for (const [name, child] of this.#processes) {
      this.#expected.add(name)
      child.unref()
    }
  }

  #options(env: Record<string, string>, stdio: ('ignore' | 'pipe' | number)[]) {
    return { cwd: ROOT, detached: true, stdio, env: { ...this.#env, ...env } }
  }
}

/** Ends the processes of this or an earlier demo, found by their pid files; gives their names. */
export async function endLeftovers(folder: string): Promise<readonly string[]> {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return []
  }
  const ended = await Promise.all(names.map((name) => stopServer(join(folder, name), END_MS)))
  return names.filter((_, index) => ended[index])
}
