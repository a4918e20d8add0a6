import type { RecordBatch } from '../engine/ports.ts'
import type { Source } from '../events/position.ts'

/** Batches that may wait in a lane: fetching the next ones overlaps with the handling of one. */
const DEPTH = 2

/**
 * One partition in one generation: where fetching has got to, what waits to be handled, and the one handler at work. A lane whose
 * queue is full is left out of the next fetch, and that is all that a stuck partition does to the others.
 */
export class Lane {
  readonly source: Source
  /** The offset to fetch next. */
  position: number
  /** Set while a fetch of this partition is under way: one at a time, also while its leader moves. */
  fetching = false
  /** Set while it is left alone after a failure of its own. */
  resting = false
  /** Fetches that failed since the last one that did not. */
  failures = 0
  /** Its topic was not there at the last fetch. */
  vanished = false
  readonly #handle: (batch: RecordBatch) => Promise<void>
  readonly #roomMade: () => void
  #queue: RecordBatch[] = []
  #working = false
  #closed = false

  constructor(source: Source, position: number, handle: (batch: RecordBatch) => Promise<void>, roomMade: () => void) {
    this.source = source
    this.position = position
    this.#handle = handle
    this.#roomMade = roomMade
  }

  get wants(): boolean {
    return !this.#closed && !this.fetching && !this.resting && this.#queue.length < DEPTH
  }

  /** Takes what was fetched from `offset`. If fetching has been turned to another place since, it is not wanted any more. */
  push(offset: number, batch: RecordBatch): void {
    if (this.#closed || offset !== this.position) return
    this.position = batch.next
    this.#queue.push(batch)
    if (!this.#working) void this.#work()
  }

  /** Goes on from `offset` after what is being handled now; what waited is dropped. */
  rewind(offset: number): void {
    this.#queue = []
    this.position = offset
    this.#roomMade()
  }

  /** Nothing more is delivered. What is being handled goes on. */
  close(): void {
    this.#closed = true
    this.#queue = []
  }

  async #work(): Promise<void> {
    this.#working = true
    for (let batch = this.#queue.shift(); batch && !this.#closed; batch = this.#queue.shift()) {
      this.#roomMade()
      await this.#handle(batch)
    }
    this.#working = false
  }
}
