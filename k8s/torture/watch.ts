import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaLog } from '../../shared/kafka/index.ts'

const LOOK_MS = 100

/** Looks at commits all the time, to know how long a partition that had work made no progress. */
export class Watch {
  readonly #log: KafkaLog
  readonly #groups: readonly string[]
  readonly #topic: string
  readonly #stop = new AbortController()
  readonly #since = new Map<string, { committed: number; at: number }>()
  readonly #running: Promise<void>
  #longest = 0

  constructor(log: KafkaLog, groups: readonly string[], topic: string) {
    this.#log = log
    this.#groups = groups
    this.#topic = topic
    this.#running = this.#run()
  }

  /** Milliseconds of the longest stall since the last call. */
  longest(): number {
    const now = performance.now()
    const open = [...this.#since.values()].map(({ at }) => now - at)
    const longest = Math.max(this.#longest, ...open, 0)
    this.#longest = 0
    for (const [name, { committed }] of this.#since) this.#since.set(name, { committed, at: now })
    return longest
  }

  async end(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#look()
      } catch {
        // Kafka is away: then nobody makes progress, and the stall grows by itself.
      }
      await sleep(LOOK_MS, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
  }

  async #look(): Promise<void> {
    const bounds = await this.#log.bounds(this.#topic)
    for (const group of this.#groups) {
      const committed = await this.#log.committed(group, this.#topic)
      const now = performance.now()
      for (const [partition, { end }] of bounds) {
        const name = `${group}/${partition}`
        const done = committed.get(partition) ?? 0
        const before = this.#since.get(name)
        if (done >= end) {
          if (before) this.#longest = Math.max(this.#longest, now - before.at)
          this.#since.delete(name)
        } else if (!before) this.#since.set(name, { committed: done, at: now })
        else if (done > before.committed) {
          this.#longest = Math.max(this.#longest, now - before.at)
          this.#since.set(name, { committed: done, at: now })
        }
      }
    }
  }
}
