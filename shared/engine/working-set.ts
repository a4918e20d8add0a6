import type { AnyRow, RowShape } from '../projection/row.ts'
import type { RowWrite, StoredRow } from './ports.ts'
import { Dropped } from './seen.ts'

/** A row this worker owns, as it is after the last event folded into it. */
export interface Entry {
  readonly id: string
  readonly key: AnyRow
  row: AnyRow | null
  /** Offset last folded in; -1 if there is no such row. */
  position: number
  /** Set when the row is written from another partition: it is not ours to change. */
  foreign: string | undefined
  /** Taken for new when nothing could have been written by anybody yet: to be read once more, now that it was written here. */
  unsure: boolean
  /** Changed since the last flush began. */
  dirty: boolean
  /** Bits of the optional columns that have held a value since the row was loaded or last written. */
  set: number
  bytes: number
}

/** More optional columns than a number has bits are written as null whenever they are absent: correct, at the price of tombstones. */
const BITS = 30

const NONE: readonly string[] = []

/** What an entry costs beside its row: key, strings, map slot. Measured, not exact. */
const OVERHEAD = 200

/**
 * The rows of one partition that are in memory. While the partition is assigned this worker is their only writer, so a row is
 * read once and then kept. Rows used least are dropped when the budget is full, but never one whose last state is not durable.
 *
 * Two generations instead of a list: rows touched since the last turn are young; when the young fill half of the budget they
 * become the old, and the old that nobody touched are dropped. That costs one map operation per touch and no links per row.
 */
export class WorkingSet {
  #young = new Map<string, Entry>()
  #old = new Map<string, Entry>()
  #youngBytes = 0
  #dirty: Entry[] = []
  #dirtyBytes = 0
  /** Rows in a flush that is not durable yet: dropping one would let it be read back as it was before. */
  #inFlight = new Set<Entry>()
  readonly #dropped = new Dropped()
  /** Rows of the sample that were not there yet, until they have been written once. */
  readonly #sample = new Set<Entry>()
  readonly #optional: readonly { readonly name: string; readonly bit: number }[]
  readonly #shape: RowShape
  budget: number

  constructor(shape: RowShape, budget: number) {
    this.#shape = shape
    this.budget = budget
    this.#optional = shape.columns
      .filter(({ optional }) => optional)
      .map(({ name }, index) => ({ name, bit: index < BITS ? 1 << index : 0 }))
  }

  get dirtyRows(): number {
    return this.#dirty.length
  }

  get dirtyBytes(): number {
    return this.#dirtyBytes
  }

  /** May the row have been here before? If not, it was never met. */
  dropped(id: string): boolean {
    return this.#dropped.has(id)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  has(id: string): boolean {
    return this.#young.has(id) || this.#old.has(id)
  }

  get(id: string): Entry | undefined {
    const young = this.#young.get(id)
    if (young) return young
    const old = this.#old.get(id)
    if (!old) return undefined
    this.#old.delete(id)
    this.#keep(old)
    return old
  }

  /** Adds a row as it is stored, or one that is not; `sampled` if it is to be looked at again after its first write. */
  add(id: string, key: AnyRow, stored: StoredRow | undefined, source: string, sampled = false): Entry {
    const entry: Entry = {
      id,
      key,
      row: stored?.row ?? null,
      position: stored?.position ?? -1,
      foreign: stored && stored.source !== source ? stored.source : undefined,
      unsure: false,
      dirty: false,
      set: this.#bits(stored?.row ?? null),
      bytes: OVERHEAD + (stored?.row ? this.#shape.bytes(stored.row) : 0),
    }
    this.#keep(entry)
    if (sampled && !stored) this.#sample.add(entry)
    return entry
  }

  /** The row was read once more. */
  confirm(entry: Entry, stored: StoredRow | undefined, source: string): void {
    entry.unsure = false
    if (stored && stored.source !== source) entry.foreign = stored.source
  }

  /** Forgets everything, changed rows too: they will be folded again. */
  clear(): void {
    this.#young.clear()
    this.#old.clear()
    this.#inFlight.clear()
    this.#sample.clear()
    this.#youngBytes = 0
    this.#dirty = []
    this.#dirtyBytes = 0
    this.#dropped.addAll()
  }

  /** Forgets one row, which must not have changed since it was last written: it is read again when it is needed. */
  forget(id: string): void {
    const young = this.#young.get(id)
    const entry = young ?? this.#old.get(id)
    if (young) this.#youngBytes -= young.bytes
    if (entry) this.#sample.delete(entry)
    this.#young.delete(id)
    this.#old.delete(id)
    this.#dropped.add(id)
  }

  /** The row is now this, by the event at `position`. */
  change(entry: Entry, row: AnyRow | null, position: number, rowBytes = row ? this.#shape.bytes(row) : 0): void {
    const bytes = OVERHEAD + rowBytes
    this.#youngBytes += bytes - entry.bytes
    this.#dirtyBytes += entry.dirty ? bytes - entry.bytes : bytes
    entry.row = row
    entry.position = position
    entry.bytes = bytes
    if (this.#optional.length > 0) entry.set |= this.#bits(row)
    if (entry.dirty) return
    entry.dirty = true
    this.#dirty.push(entry)
  }

  /** Puts a row back as it was before a `change` that turned out impossible. */
  restore(entry: Entry, row: AnyRow | null, position: number): void {
    if (entry.dirty) this.#dirtyBytes -= entry.bytes
    const bytes = OVERHEAD + (row ? this.#shape.bytes(row) : 0)
    if (this.#young.has(entry.id)) this.#youngBytes += bytes - entry.bytes
    entry.bytes = bytes
    entry.row = row
    entry.position = position
    entry.dirty = false
    this.#dirty = this.#dirty.filter((other) => other !== entry)
  }

  /** Takes what has changed since the last call, for writing. Call `written` when it is durable, before taking again. */
  take(source: string): RowWrite[] {
    const entries = this.#dirty
    this.#dirty = []
    this.#dirtyBytes = 0
    const writes = entries.map((entry) => this.#write(entry, source))
    for (const entry of entries) this.#inFlight.add(entry)
    return writes
  }

  /** The row as it is now, as a write of its own; it stays changed. */
  peek(entry: Entry, source: string): RowWrite {
    const { set } = entry
    const write = this.#write(entry, source)
    entry.dirty = true
    entry.set |= set
    return write
  }

  written(): void {
    for (const entry of this.#sample) {
      if (!this.#inFlight.has(entry)) continue
      entry.unsure = true
      this.#sample.delete(entry)
    }
    this.#inFlight.clear()
  }

  /** Drops what the budget has no room for. Called between pieces of work, so that a row found for a piece stays until its end. */
  trim(): void {
    if (this.#youngBytes * 2 <= this.budget) return
    const dropped = this.#old
    this.#old = this.#young
    this.#young = new Map()
    this.#youngBytes = 0
    for (const entry of dropped.values()) {
      if (entry.dirty || this.#inFlight.has(entry)) this.#keep(entry)
      else {
        this.#dropped.add(entry.id)
        this.#sample.delete(entry)
      }
    }
  }

  /** The row as a write; afterwards it counts as clean. */
  #write(entry: Entry, source: string): RowWrite {
    const { id, key, row, position, set } = entry
    const cleared =
      row === null || this.#optional.length === 0
        ? NONE
        : this.#optional
            .filter(({ name, bit }) => row[name] === null && (bit === 0 || (set & bit) !== 0))
            .map(({ name }) => name)
    entry.dirty = false
    entry.set = this.#bits(row)
    return { id, key, row, cleared, position, source }
  }

  #bits(row: AnyRow | null): number {
    let bits = 0
    if (row !== null) for (const { name, bit } of this.#optional) if (row[name] !== null) bits |= bit
    return bits
  }

  #keep(entry: Entry): void {
    this.#young.set(entry.id, entry)
    this.#youngBytes += entry.bytes
  }
}
