import { setTimeout as sleep } from 'node:timers/promises'
import { sound } from './events.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** Events of one publish: many enough to be cheap, few enough for the broker's patience. */
const PIECE = 2_000
const PIECES_PER_SECOND = 20

export interface LoadPlan {
  /** Events of the whole round, beside what faults add. */
  readonly events: number
  /** Events per second while faults happen. */
  readonly rate: number
  /** How many of them, of 1, come at once at the start: a backlog, so that faults meet workers that catch up. */
  readonly backlog: number
}

/** A backlog, then a steady rate until told to end, then the rest at once. */
export class Load {
  readonly #world: World
  readonly #random: Random
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #left: number

  constructor(world: World, { events, rate, backlog }: LoadPlan, random: Random) {
    this.#world = world
    this.#random = random
    this.#left = events
    this.#running = this.#run(Math.floor(events * backlog), rate)
  }

  /** Resolves when the last event is published. */
  async end(): Promise<void> {
    this.#stop.abort()
    await this.#running
    while (this.#left > 0) await this.#publish(PIECE)
  }

  async #run(backlog: number, rate: number): Promise<void> {
    for (let sent = 0; sent < backlog && !this.#stop.signal.aborted; sent += PIECE) await this.#publish(PIECE)
    while (!this.#stop.signal.aborted) {
      const next = sleep(1_000 / PIECES_PER_SECOND, undefined, { signal: this.#stop.signal }).catch(() => {})
      await this.#publish(Math.ceil(rate / PIECES_PER_SECOND))
      await next
    }
  }

  async #publish(count: number): Promise<void> {
    this.#left -= count
    await this.#world.publish(Array.from({ length: count }, () => sound(this.#random)))
  }
}
