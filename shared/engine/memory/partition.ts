import type { LogRecord } from '../../events/event.ts'
import type { Source } from '../../events/position.ts'
import type { RecordBatch } from '../ports.ts'

/** One partition of the in-memory log: offsets grow by one, some of them Kafka keeps to itself (control records). */
export class MemoryPartition {
  readonly source: Source
  /** The first offset that is still there. */
  start = 0
  /** The offset the next record gets. */
  end = 0
  #records: LogRecord[] = []

  constructor(source: Source) {
    this.source = source
  }

  append(record: Omit<LogRecord, 'offset'>): number {
    this.#records.push({ ...record, offset: this.end })
    return this.end++
  }

  /** Takes offsets without records, as transactions and compaction do. */
  skip(count: number): void {
    this.end += count
  }

  /** Retention: everything below `offset` is gone. */
  truncate(offset: number): void {
    this.start = Math.min(Math.max(this.start, offset), this.end)
    this.#records = this.#records.filter((record) => record.offset >= this.start)
  }

  /** An unclean election: everything from `offset` on is gone, and the offsets will be given again. */
  cut(offset: number): void {
    this.end = Math.max(this.start, Math.min(this.end, offset))
    this.#records = this.#records.filter((record) => record.offset < this.end)
  }

  records(from: number, to: number, limit: number): readonly LogRecord[] {
    return this.#records.filter(({ offset }) => offset >= from && offset < to).slice(0, limit)
  }

  /** What a fetch at `position` gives; undefined at the end. Outside of the log it goes on at the log's start, as Kafka's clients do. */
  fetch(position: number, limit: number): RecordBatch | undefined {
    const from = position < this.start || position > this.end ? this.start : position
    if (from === this.end) return undefined
    const records = this.records(from, this.end, limit)
    const next = records.length === limit ? records[limit - 1]!.offset + 1 : this.end
    return { source: this.source, records, next, end: this.end }
  }
}
