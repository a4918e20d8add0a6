import { fingerprint } from '../engine/fingerprint.ts'
import type { RecordBatch } from '../engine/ports.ts'
import type { Source } from '../events/position.ts'

/** Batches that may wait in a lane: fetching the next ones overlaps with the handling of one. */
const DEPTH = 2

/**
 * Milliseconds between two fetches after which the log may be another one: more than a fetch waits, less than it takes to delete a
 * topic, make it again and fill it. While a fetch is under way, the broker tells that the topic is deleted.
 */
const UNWATCHED = 300

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
  /** When it was fetched last; `performance.now`. */
  fetchedAt = Number.NaN
  readonly #handle: (batch: RecordBatch) => Promise<void>
  readonly #roomMade: () => void
  #queue: RecordBatch[] = []
  #last: { readonly offset: number; readonly fingerprint: string } | undefined
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

  /**
   * Where the next fetch begins. A topic that was deleted and made again while nobody looked gives records of another log without
   * an error, so after a pause the last record is fetched once more, to be compared (`same`).
   */
  get fetchFrom(): number {
    return this.#last && performance.now() - this.fetchedAt > UNWATCHED ? this.#last.offset : this.position
  }

  /** Is this answer to a fetch of the last record from another log? Compaction may have removed the record that would tell. */
  replaced(offset: number, { records: [first], end }: Pick<RecordBatch, 'records' | 'end'>): boolean {
    if (this.#last?.offset !== offset) return false
    return end < this.position || (first?.offset === offset && fingerprint(first) !== this.#last.fingerprint)
  }

  /** Takes what was fetched from `offset`. If fetching has been turned to another place since, it is not wanted any more. */
  push(offset: number, batch: RecordBatch): void {
    if (this.#closed || batch.next <= this.position) return
    if (offset !== this.position) {
      if (offset !== this.#last?.offset) return
      const from = this.position
      this.push(from, { ...batch, records: batch.records.filter((record) => record.offset >= from) })
      return
    }
    this.position = batch.next
    const last = batch.records.at(-1)
    if (last) this.#last = { offset: last.offset, fingerprint: fingerprint(last) }
    this.#queue.push(batch)
    if (!this.#working) void this.#work()
  }

  /** Goes on from `offset` after what is being handled now; what waited is dropped. */
  rewind(offset: number): void {
    this.#queue = []
    this.#last = undefined
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
