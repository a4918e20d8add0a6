import { fingerprint, KEYLESS, keyScope, rowScope, type Scope } from '../../../shared/engine/index.ts'
import { describe } from '../../../shared/errors.ts'
import { type Decoder, decoder } from '../../../shared/events/decode.ts'
import type { Event, LogRecord } from '../../../shared/events/event.ts'
import { positionText, sourceText } from '../../../shared/events/position.ts'
import type { Fold, RowKey } from '../../../shared/projection/fold.ts'
import type { AnyRow } from '../../../shared/projection/row.ts'
import type { Letter, LetterBook } from './letter-book.ts'
import type { Slice } from './slice.ts'
import type { Span } from './span.ts'

/** A row as it should be; with `merge`, one source's part of it. */
export interface Part {
  readonly id: string
  readonly key: AnyRow
  readonly source: string
  row: AnyRow | null
  position: number
  /** Its handler needs what retention has removed: only the position is known. */
  unknown: boolean
  bytes: number
}

/** What should wait behind a dead letter. */
export interface Waiting {
  readonly since: number
  /** Is the dead letter recorded? If not, nothing behind it can be. */
  readonly recorded: boolean
  /** The events met since the fold began, the dead letter first where it is among them. */
  readonly offsets: number[]
  readonly fingerprints: string[]
}

/** One partition as far as it has been folded. */
export interface Reading {
  readonly span: Span
  readonly decode: Decoder
  readonly waiting: Map<Scope, Waiting>
}

/** A poison event whose dead letter is missing, or one that a retry has applied and that fails now. */
export interface LetterFault {
  readonly scope: Scope
  readonly at: string
  readonly message: string
}

/**
 * What a view should hold, found in the plainest way: one event after the other, plain Maps, nothing of the engine that wrote the view.
 * Dead letters are taken as they are recorded, since what a person decided about them can't be derived from the log: what is
 * parked parks, what was skipped is left out, what was applied is applied.
 */
export class PlainFold {
  readonly parts = new Map<string, Part>()
  /** Parts of rows that already have an owner in another partition, without `merge`. */
  readonly intruders = new Map<string, Part>()
  readonly faults = new Map<string, LetterFault>()
  readonly readings = new Map<string, Reading>()
  slice: Slice
  bytes = 0
  /** Set while following rows beyond the end the proof is about: only these are folded, and nothing is noted down. */
  following: { readonly names: ReadonlySet<string>; readonly applied: (name: string, part: Part) => void } | undefined
  readonly #fold: Fold
  #book: LetterBook

  constructor(fold: Fold, book: LetterBook, slice: Slice) {
    this.#fold = fold
    this.#book = book
    this.slice = slice
  }

  /** How the part of a row is called here: without `merge` a row has one. */
  name(id: string, source: string): string {
    return this.#fold.projection.merge ? `${source} ${id}` : id
  }

  /** Begins a partition, or goes on with it. What was set aside before the first event that is left goes on waiting. */
  reading(span: Span): Reading {
    const known = this.readings.get(span.name)
    if (known) return known
    const topic = this.#fold.projection.topics.find(({ name }) => name === span.source.topic)
    if (!topic) throw new Error(`${span.name} is not of a topic of projection ${this.#fold.projection.name}`)
    const waiting = new Map<Scope, Waiting>()
    const reading = { span, decode: decoder(topic, this.#fold.wanted), waiting }
    this.readings.set(span.name, reading)
    for (const { source, scope, offset, state } of this.#book.all) {
      if (state !== 'parked' || scope === KEYLESS || offset >= span.start || sourceText(source) !== span.name) continue
      if (scope.startsWith('row:') && !this.slice.holds(scope.slice(4))) continue
      const since = Math.min(offset, waiting.get(scope)?.since ?? offset)
      waiting.set(scope, { since, recorded: true, offsets: [], fingerprints: [] })
    }
    return reading
  }

  /** From here on the dead letters are those of `book`: the fold goes beyond the end the proof is about. */
  follow(book: LetterBook, following: NonNullable<PlainFold['following']>): void {
    this.#book = book
    this.following = following
  }

  /** Folds one record. */
  record(reading: Reading, record: LogRecord): void {
    const { source } = reading.span
    const scope = keyScope(record.key)
    if (this.#setAside(reading, scope, record)) return
    const { state } = this.#book.meet(source, scope, record) ?? {}
    let event: Event | null
    let keys: readonly RowKey[]
    try {
      event = reading.decode(record, source.partition)
      keys = event === null ? [] : this.#fold.keys(event)
    } catch (error) {
      this.#poison(reading, scope, record, state, error)
      return
    }
    if (event !== null) for (const key of keys) if (this.slice.holds(key.id)) this.#apply(reading, key, record, event)
  }

  #apply(reading: Reading, { id, key }: RowKey, record: LogRecord, event: Event): void {
    const { source, name: from, whole } = reading.span
    const name = this.name(id, from)
    if (this.following && !this.following.names.has(name)) return
    const scope = rowScope(id)
    if (this.#setAside(reading, scope, record)) return
    const part = this.#part(name, id, key, from)
    if (!part.unknown) {
      try {
        part.row = this.#fold.apply(part.row, key, event)
      } catch (error) {
        if (whole) {
          this.#poison(reading, scope, record, this.#book.meet(source, scope, record)?.state, error)
          return
        }
        part.unknown = true
      }
    }
    part.position = record.offset
    this.#keep(name, part)
    this.following?.applied(name, part)
  }

  /** Does the event wait in this scope, begin the waiting, or was it left out by a person? */
  #setAside(reading: Reading, scope: Scope, record: LogRecord): boolean {
    const waiting = reading.waiting.get(scope)
    if (waiting) {
      if (!this.following) this.#hold(waiting, record)
      return true
    }
    const letter = this.#book.meet(reading.span.source, scope, record)
    if (letter?.state === 'parked') this.#park(reading, scope, record, true)
    return letter?.state === 'parked' || letter?.state === 'skipped'
  }

  /** The row before an event; it is only kept once an event has been applied to it. */
  #part(name: string, id: string, key: AnyRow, source: string): Part {
    const part = this.parts.get(name)
    if (part?.source === source) return part
    const intruder = part && this.intruders.get(`${source} ${name}`)
    return intruder ?? { id, key, source, row: null, position: -1, unknown: false, bytes: 0 }
  }

  #keep(name: string, part: Part): void {
    const owner = this.parts.get(name)
    if (!owner) this.parts.set(name, part)
    else if (owner !== part) this.intruders.set(`${part.source} ${name}`, part)
    const bytes = 300 + 2 * part.id.length + (part.row ? 2 * this.#fold.shape.bytes(part.row) : 0)
    this.bytes += bytes - part.bytes
    part.bytes = bytes
  }

  #hold(waiting: Waiting, record: LogRecord): void {
    waiting.offsets.push(record.offset)
    waiting.fingerprints.push(fingerprint(record))
    this.bytes += 150
  }

  #park(reading: Reading, scope: Scope, record: LogRecord, recorded: boolean): void {
    // Records without a key have no order among them, so nothing waits behind one.
    if (scope === KEYLESS) return
    const waiting: Waiting = { since: record.offset, recorded, offsets: [], fingerprints: [] }
    reading.waiting.set(scope, waiting)
    if (!this.following) this.#hold(waiting, record)
  }

  /** An event that fails here: its dead letter is missing, or says that it did not fail. */
  #poison(reading: Reading, scope: Scope, record: LogRecord, state: Letter['state'] | undefined, error: unknown): void {
    const at = positionText({ ...reading.span.source, offset: record.offset })
    if (!this.following) {
      const message =
        state === undefined
          ? 'is poison, but there is no dead letter'
          : state === 'void'
            ? 'is poison, but nothing would wait behind its dead letter'
            : 'was applied by a retry, but fails now'
      this.faults.set(`${at} ${scope}`, { scope, at, message: `${message}: ${describe(error)}` })
    }
    // While following, a dead letter may be recorded a moment before its scope is.
    if (state === undefined || (state === 'void' && this.following)) this.#park(reading, scope, record, false)
  }

  /** Keeps half of the rows; what belongs to the other half is forgotten and folded in another pass. */
  narrow(slice: Slice): void {
    this.slice = slice
    this.bytes = 0
    for (const parts of [this.parts, this.intruders]) {
      for (const [name, { id, bytes }] of parts) {
        if (slice.holds(id)) this.bytes += bytes
        else parts.delete(name)
      }
    }
    const foreign = (scope: Scope) => scope.startsWith('row:') && !slice.holds(scope.slice(4))
    for (const { waiting } of this.readings.values()) {
      for (const [scope, { offsets }] of waiting) {
        if (foreign(scope)) waiting.delete(scope)
        else this.bytes += 150 * offsets.length
      }
    }
    for (const [name, { scope }] of this.faults) if (foreign(scope)) this.faults.delete(name)
  }
}
