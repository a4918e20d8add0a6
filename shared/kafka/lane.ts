import { fingerprint } from '../engine/fingerprint.ts'
import type { RecordBatch } from '../engine/ports.ts'
import type { Source } from '../events/position.ts'
import type { FetchFrom } from './fetch.ts'

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
  readonly #handle: (batch: RecordBatch) => Promise<void>
  readonly #roomMade: () => void
  #queue: RecordBatch[] = []
  #last: { readonly offset: number; readonly fingerprint: string } | undefined
  /** When the last fetch began; `performance.now`. */
  #fetchedAt = Number.NaN
  /** The last fetch began with the last record, and has brought nothing new. */
  #looked = false
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
   * Begins a fetch, and says where. A topic that was deleted and made again while nobody looked gives records of another log without
   * an error, so after a pause the last record is fetched once more, to be compared (`replaced`). If there was no room for more in
   * that answer, the next fetch goes on from `position`: where all fetches are slow, every other one brings the log further.
   */
  fetch(): FetchFrom {
    const now = performance.now()
    const last = now - this.#fetchedAt > UNWATCHED && !this.#looked ? this.#last : undefined
    this.#looked = last !== undefined
    this.#fetchedAt = now
    return { source: this.source, offset: last?.offset ?? this.position, again: this.#looked }
  }

  /** Is an answer for this offset still of use? Fetching may have been turned to another place. */
  awaits(offset: number): boolean {
    return offset === this.position || offset === this.#last?.offset
  }

  /** Is this answer to a fetch of the last record from another log? Compaction may have removed the record that would tell. */
  replaced(offset: number, [first]: RecordBatch['records']): boolean {
    const last = this.#last
    return last?.offset === offset && first?.offset === offset && fingerprint(first) !== last.fingerprint
  }

  /** Takes what was fetched from `offset`. If fetching has been turned to another place since, it is not wanted any more. */
  push(offset: number, batch: RecordBatch): void {
    const from = this.position
    if (this.#closed || batch.next <= from || !this.awaits(offset)) return
    const records = offset === from ? batch.records : batch.records.filter((record) => record.offset >= from)
    this.position = batch.next
    this.#looked = false
    const last = records.at(-1)
    if (last) this.#last = { offset: last.offset, fingerprint: fingerprint(last) }
    this.#queue.push({ ...batch, records })
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
