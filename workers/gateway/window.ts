import type { Position } from '../../shared/events/index.ts'

interface Remembered {
  readonly digest: string
  readonly position: Promise<Position>
}

/**
 * The events published lately, by source and id, so that a client that sends again (its answer was lost, its timeout too short) gets
 * the same positions and makes no second event.
 *
 * Bounded: the last `size` events of this process. A retry that comes later, after a restart or through another gateway is a new
 * event; consumers that must not count twice look at the event's id.
 */
export class Window {
  readonly #size: number
  readonly #events = new Map<string, Remembered>()

  constructor(size: number) {
    this.#size = size
  }

  get(identity: string): Remembered | undefined {
    return this.#events.get(identity)
  }

  /** Remembers an event while it is being published and afterwards; forgotten if that fails, so that a retry publishes it. */
  add(identity: string, digest: string, position: Promise<Position>): void {
    const remembered = { digest, position }
    this.#events.set(identity, remembered)
    position.catch(() => {
      if (this.#events.get(identity) === remembered) this.#events.delete(identity)
    })
    if (this.#events.size <= this.#size) return
    const [oldest] = this.#events.keys()
    if (oldest !== undefined) this.#events.delete(oldest)
  }
}
