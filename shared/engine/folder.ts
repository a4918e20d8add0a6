import { TidemarkError } from '../errors.ts'
import type { Decoder } from '../events/decode.ts'
import type { Event, LogRecord } from '../events/event.ts'
import { positionText, type Source, sourceText } from '../events/position.ts'
import type { Fold, RowKey } from '../projection/fold.ts'
import type { FoldedStep, Outcome, Ports } from './ports.ts'
import { persist } from './recovery.ts'
import { KEYLESS, keyScope, rowScope, type SetAside } from './set-aside.ts'
import type { EngineSettings } from './settings.ts'
import type { Entry, WorkingSet } from './working-set.ts'

export interface FolderParts {
  readonly source: Source
  readonly fold: Fold
  readonly ports: Ports
  readonly settings: EngineSettings
  readonly rows: WorkingSet
  readonly setAside: SetAside
  readonly decode: Decoder
  readonly complete: boolean
  /** Another partition of this process that has met the row, if there is one. */
  fedBy(id: string): string | undefined
  readonly signal: AbortSignal
}

/** An event with the rows it goes into, or the reason why it can't be one. */
export type Step =
  | { readonly kind: 'ignored' }
  | { readonly kind: 'poison'; readonly error: unknown }
  | { readonly kind: 'event'; readonly event: Event; readonly keys: readonly RowKey[] }

const IGNORED: Step = { kind: 'ignored' }

/** After so many milliseconds of folding the process looks after everything else: a slow handler must not cost heartbeats and answers. */
const SLICE_MS = 10
/** Records decoded ahead of a read: enough to keep Cassandra busy, few enough that they are not many that wait in memory meanwhile. */
const AHEAD = 250
/** Records between two looks at the clock. */
const LOOK_EVERY = 16

/**
 * Folds records into the rows of one partition: decode, find the rows, apply. What can never succeed is set aside with its rows
 * and everything else goes on (DESIGN §1.4).
 */
export class Folder {
  readonly #parts: FolderParts
  readonly #source: string
  #complete: boolean
  #met = 0
  /** Rows that Cassandra refused in a flush, and up to which offset: folded again, each event of theirs is written alone. */
  readonly #suspects = new Map<string, number>()

  constructor(parts: FolderParts) {
    this.#parts = parts
    this.#source = sourceText(parts.source)
    this.#complete = parts.complete
  }

  /**
   * Folds records in order, at a slice's end no more of them if it is `halted`: says how many. Rejects only with transient errors
   * waited out in vain (abandoned), faults of ours, or `onPoison: stop`.
   */
  async fold(
    records: readonly LogRecord[],
    halted: () => boolean,
  ): Promise<Pick<FoldedStep, 'outcomes' | 'busy' | 'traces'> & { readonly count: number }> {
    const { clock, observer } = this.#parts.ports
    const outcomes: Record<Outcome, number> = { applied: 0, ignored: 0, duplicate: 0, dead: 0, parked: 0 }
    const startedAt = clock.now()
    let [waited, sliceAt] = [0, startedAt]
    /** Decoded ahead, to be applied when the rows of all of them are here. */
    let ahead: readonly Step[] = []
    let aheadFrom = 0
    let count = 0
    for (const record of records) {
      let step = ahead[count - aheadFrom]
      if (!step) {
        step = this.step(record)
        let missing = this.#missing(step)
        if (missing) {
          // Read together with what the next records will ask for.
          aheadFrom = count
          ahead = [step, ...records.slice(count + 1, count + AHEAD).map((later) => this.step(later))]
          for (const later of ahead) missing = this.#missing(later, missing) ?? missing
          const waitAt = clock.now()
          await this.#read(missing)
          waited += clock.now() - waitAt
        }
      }
      const applied = this.apply(record, step)
      outcomes[typeof applied === 'string' ? applied : await applied]++
      count++
      if (count % LOOK_EVERY === 0 && clock.now() - sliceAt > SLICE_MS) {
        const waitAt = clock.now()
        await clock.sleep(0)
        sliceAt = clock.now()
        waited += sliceAt - waitAt
        if (halted()) break
      }
    }
    const busy = (clock.now() - startedAt - waited) / 1000
    return { count, outcomes, busy, traces: observer.tracing ? traces(records.slice(0, count)) : [] }
  }

  /** These rows were refused in a flush that reached `until`; everything since the last durable mark will be folded again. */
  suspect(ids: readonly string[], until: number): void {
    for (const id of ids) this.#suspects.set(id, until)
    this.#complete = false
  }

  step(record: LogRecord): Step {
    const { decode, source, fold } = this.#parts
    try {
      const event = decode(record, source.partition)
      return event === null ? IGNORED : { kind: 'event', event, keys: fold.keys(event) }
    } catch (error) {
      return { kind: 'poison', error }
    }
  }

  /** Brings the rows of one more event into memory. */
  async load(step: Step): Promise<void> {
    const missing = this.#missing(step)
    if (missing) await this.#read(missing)
  }

  /** Applies one event to all its rows, which `fold` or `load` has brought into memory. */
  apply(record: LogRecord, step: Step): Outcome | Promise<Outcome> {
    const { setAside } = this.#parts
    if (!setAside.idle) {
      const key = keyScope(record.key)
      if (key !== KEYLESS && setAside.waits(key, record.offset)) {
        setAside.park(key, record)
        return 'parked'
      }
      if (setAside.skipped(key, record.offset)) return 'ignored'
    }
    if (step.kind === 'ignored') return 'ignored'
    if (step.kind === 'poison') return this.#bury(keyScope(record.key), record, step.error)
    const { event, keys } = step
    if (keys.length === 0) return 'ignored'
    if (this.suspicious(keys)) return this.applyAlone(record, event, keys)
    if (keys.length === 1) return this.applyTo(keys[0]!, record, event)
    return worst(keys.map((key) => this.applyTo(key, record, event)))
  }

  /** Applies an event to one of its rows; a fault there touches no other row. */
  applyTo({ id }: RowKey, record: LogRecord, event: Event): Outcome {
    const { fold, rows, setAside, settings } = this.#parts
    const { offset } = record
    if (!setAside.idle && setAside.waits(rowScope(id), offset)) {
      setAside.park(rowScope(id), record)
      return 'parked'
    }
    const entry = rows.get(id)
    if (!entry)
      throw new Error(`row ${id} of ${fold.projection.name} was not loaded before ${positionText(event.position)}`)
    if (entry.position >= offset && entry.foreign === undefined) return 'duplicate'
    if (!setAside.idle && setAside.skipped(rowScope(id), offset)) return 'ignored'
    try {
      if (entry.foreign !== undefined) throw this.#twoSources(entry, event)
      const row = fold.apply(entry.row, entry.key, event)
      const bytes = row === null ? 0 : fold.shape.bytes(row)
      if (bytes > settings.maxRowBytes) {
        throw new TidemarkError(
          'ROW_TOO_LARGE',
          `row ${JSON.stringify(id)} of ${fold.projection.name} would have about ${bytes} bytes after ${positionText(event.position)}; the limit is ${settings.maxRowBytes}`,
        )
      }
      rows.change(entry, row, offset, bytes)
      return 'applied'
    } catch (error) {
      return this.#bury(rowScope(id), record, error)
    }
  }

  #bury(scope: ReturnType<typeof keyScope>, record: LogRecord, error: unknown): Outcome {
    const { setAside, settings, ports, source } = this.#parts
    if (settings.onPoison === 'stop') throw error
    ports.observer.dead(setAside.bury(scope, record, error, settings.onPoison))
    ports.observer.parked(source, setAside.size)
    return 'dead'
  }

  #twoSources({ id, foreign }: Entry, event: Event): TidemarkError {
    const { projection } = this.#parts.fold
    return new TidemarkError(
      'ROW_TWO_SOURCES',
      `projection ${projection.name}: row ${JSON.stringify(id)} was written from ${foreign} and now gets an event from ${positionText(event.position)}.`,
    )
  }

  /** Has Cassandra refused any of these rows lately? */
  suspicious(keys: readonly RowKey[]): boolean {
    return this.#suspects.size > 0 && keys.some(({ id }) => this.#suspects.has(id))
  }

  /** One event at a time, each durable before the next: finds the event after which Cassandra refuses the row. */
  async applyAlone(record: LogRecord, event: Event, keys: readonly RowKey[]): Promise<Outcome> {
    const { rows, ports } = this.#parts
    const outcomes: Outcome[] = []
    for (const key of keys) {
      const entry = rows.get(key.id)
      const before = entry && { row: entry.row, position: entry.position }
      const outcome = this.applyTo(key, record, event)
      const until = this.#suspects.get(key.id)
      outcomes.push(outcome)
      if (until === undefined || outcome !== 'applied' || !entry || !before) continue
      if (record.offset >= until) this.#suspects.delete(key.id)
      const [refusal] = await this.#persist(() => ports.view.write([rows.peek(entry, this.#source)]))
      if (!refusal) continue
      rows.restore(entry, before.row, before.position)
      const error = new TidemarkError(
        'WRITE_REFUSED',
        `row ${JSON.stringify(key.id)} is refused by Cassandra after ${positionText(event.position)}`,
        { cause: refusal.cause },
      )
      outcomes[outcomes.length - 1] = this.#bury(rowScope(key.id), record, error)
    }
    return worst(outcomes)
  }

  /** The rows of an event that must be read, added to those found before; rows that need no read are in memory afterwards. */
  #missing(step: Step, found?: Map<string, RowKey>): Map<string, RowKey> | undefined {
    if (step.kind !== 'event') return found
    const { rows } = this.#parts
    let missing = found
    for (const key of step.keys) {
      const entry = rows.get(key.id)
      if ((entry && !entry.unsure) || missing?.has(key.id)) continue
      if (!entry && !this.#mustRead(key)) continue
      missing ??= new Map()
      missing.set(key.id, key)
    }
    return missing
  }

  async #read(missing: ReadonlyMap<string, RowKey>): Promise<void> {
    const { rows, ports } = this.#parts
    const stored = await this.#persist(() => ports.view.read([...missing.values()], this.#source))
    for (const { id, key } of missing.values()) {
      const entry = rows.get(id)
      if (entry) rows.confirm(entry, stored.get(id), this.#source)
      else this.#add(rows.add(id, key, stored.get(id), this.#source, this.#complete))
    }
  }

  /** Has another partition of this process met the row, too? */
  #add(entry: Entry): void {
    if (this.#complete && !this.#parts.fold.projection.merge) entry.foreign ??= this.#parts.fedBy(entry.id)
  }

  /**
   * Starting at offset 0 of a complete log, a row never met does not exist for this partition and needs no read: what a later
   * position of ours has left there loses nothing, since folding gets to it again. It is in memory at once, then.
   *
   * A sample is read all the same, to find that a row is fed from a second partition, and again after its first write: partitions
   * that begin together find nothing the first time. What this process feeds itself it knows without reading (`fedBy`).
   */
  #mustRead({ id, key }: RowKey): boolean {
    const { rows, settings } = this.#parts
    if (!this.#complete || rows.dropped(id)) return true
    this.#met++
    const { first, oneIn } = settings.sampleReads
    if (this.#met <= first || this.#met % oneIn === 0) return true
    this.#add(rows.add(id, key, undefined, this.#source))
    return false
  }

  #persist<T>(work: () => Promise<T>): Promise<T> {
    const { ports, settings, signal, source } = this.#parts
    return persist(work, {
      clock: ports.clock,
      backoffMs: settings.backoffMs,
      signal,
      held: (error, seconds) => ports.observer.held(source, error, seconds),
    })
  }
}

/** An event that touches several rows counts once, by the gravest of what happened to it. */
const GRAVITY: readonly Outcome[] = ['ignored', 'duplicate', 'applied', 'parked', 'dead']

function worst(outcomes: readonly Outcome[]): Outcome {
  return outcomes.reduce((a, b) => (GRAVITY.indexOf(b) > GRAVITY.indexOf(a) ? b : a), 'ignored')
}

/** A few trace contexts of a batch: links are samples, not a list. */
function traces(records: readonly LogRecord[]): string[] {
  const found: string[] = []
  for (const { headers } of records) {
    const { traceparent } = headers
    if (traceparent) found.push(String(traceparent))
    if (found.length === 8) break
  }
  return found
}
