import { setTimeout as sleep } from 'node:timers/promises'
import { marker } from './events.ts'
import type { World } from './world.ts'

const MARKERS_MS = 200
const LOOK_MS = 25
/** Keys that never have poison; so many that every partition has some. */
const KEYS = Array.from({ length: 24 }, (_, index) => `m${index}`)

/**
 * How long it takes until an event of an unaffected row is in the view: markers, published all the time on every partition, from
 * when Kafka has them until plain CQL shows them.
 */
export class Probe {
  readonly #world: World
  readonly #stop = new AbortController()
  readonly #open = new Map<string, { readonly offset: number; readonly at: number }[]>(KEYS.map((key) => [key, []]))
  readonly #running: readonly Promise<void>[]
  #longest = 0
  #seen = 0

  constructor(world: World) {
    this.#world = world
    this.#running = [this.#publish(), this.#look()]
  }

  /** Milliseconds of the longest delay so far, of those that are not there yet included; undefined while Kafka has none. */
  get longestMs(): number | undefined {
    const now = performance.now()
    const open = [...this.#open.values()].flatMap(([first]) => (first ? [now - first.at] : []))
    return this.#seen + open.length === 0 ? undefined : Math.max(this.#longest, ...open)
  }

  async end(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  async #publish(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const next = sleep(MARKERS_MS, undefined, { signal: this.#stop.signal }).catch(() => {})
      const positions = await this.#world.publish(KEYS.map(marker))
      const at = performance.now()
      for (const [index, { offset }] of positions.entries()) this.#open.get(KEYS[index]!)?.push({ offset, at })
      await next
    }
  }

  async #look(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // While Cassandra is away nothing is seen, and the delay grows by itself.
      const seen = await this.#world.positions(KEYS).catch(() => undefined)
      const now = performance.now()
      for (const [key, position] of seen ?? []) this.#arrived(this.#open.get(key)!, position, now)
      await sleep(LOOK_MS, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
  }

  #arrived(open: { readonly offset: number; readonly at: number }[], position: number, now: number): void {
    while (open[0] && open[0].offset <= position) {
      this.#longest = Math.max(this.#longest, now - open.shift()!.at)
      this.#seen++
    }
  }
}
