import { flushTrigger, flushWindow, overfull, type Pending } from './flush-policy.ts'
import type { Flusher, Mark } from './flusher.ts'
import type { Clock, FlushTrigger, Refusal } from './ports.ts'
import { Abandoned } from './recovery.ts'
import type { SetAside } from './set-aside.ts'
import type { EngineSettings } from './settings.ts'
import type { WorkingSet } from './working-set.ts'

export interface FlushLoopParts {
  readonly flusher: Flusher
  readonly rows: WorkingSet
  readonly setAside: SetAside
  readonly settings: EngineSettings
  readonly flushBytes: number
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Told, once, that rows were refused in a flush that reached `until`: from then on nothing is flushed until `startOver`. */
  refused(refusals: readonly Refusal[], until: number): void
  failed(error: unknown): void
}

const NOTHING = { position: -1, fingerprint: undefined, oldest: Number.NaN, newest: Number.NaN } as const

/** Decides when a partition flushes, and sees to it that there is one flush at a time. */
export class FlushLoop {
  /** The end of the log when it was last heard of; infinite before that. */
  end = Number.POSITIVE_INFINITY
  /** Bytes of changed rows that are worth a flush. */
  flushBytes: number
  readonly #parts: FlushLoopParts
  #mark: Mark
  #flushing: Promise<void> | undefined
  #refused = false
  #lastFlush: number
  /** How far folding had got when the last flush began. */
  #flushedTo: number
  #timer = false

  /** `start`: the first offset to fold. */
  constructor(parts: FlushLoopParts, start: number) {
    this.#parts = parts
    this.flushBytes = parts.flushBytes
    this.#mark = { next: start, ...NOTHING }
    this.#flushedTo = start
    this.#lastFlush = parts.clock.now()
  }

  /** How far folding has got. */
  get mark(): Mark {
    return this.#mark
  }

  /** The offset folding goes on from. */
  get next(): number {
    return this.#mark.next
  }

  /** Folding has got further; `oldest` is of the first record since the last call. */
  advance(mark: Mark): void {
    const { oldest } = this.#mark
    this.#mark = Number.isNaN(oldest) ? mark : { ...mark, oldest }
  }

  /** Offsets without a record (control records, compaction) lie before `next`. */
  pass(next: number): void {
    this.#mark = { ...this.#mark, next: Math.max(this.#mark.next, next) }
  }

  /** Starts a flush if it is time, and waits for the one under way only if memory would fill up otherwise. */
  async due(): Promise<void> {
    while (overfull(this.#pending(), this.#limits()) && !this.#halted()) {
      await (this.#flushing ?? this.#start(flushTrigger(this.#pending(), this.#limits()) ?? 'rows'))
    }
    this.#startWhenDue()
  }

  /** Everything folded so far is durable when it resolves; rejects if the partition had to be given up or folded again instead. */
  async all(): Promise<void> {
    // The end of one flush may have started the next. Two at a time would commit what the other has not written yet.
    while (this.#flushing) await this.#flushing
    await this.#start('drain')
    if (this.#halted()) throw new Abandoned()
  }

  /** After rows were refused: folding goes on from the last durable offset. */
  startOver(): void {
    this.#refused = false
    this.#mark = { next: this.#parts.flusher.durable, ...NOTHING }
    this.#flushedTo = this.#mark.next
  }

  #halted(): boolean {
    return this.#refused || this.#parts.signal.aborted
  }

  #startWhenDue(): void {
    if (this.#flushing || this.#halted() || this.#clean()) return
    const trigger = flushTrigger(this.#pending(), this.#limits())
    if (trigger) void this.#start(trigger)
    else this.#wake()
  }

  #pending(): Pending {
    const { rows, setAside, clock } = this.#parts
    const waited = clock.now() - this.#lastFlush
    const bytes = rows.dirtyBytes + setAside.pendingBytes
    const { next } = this.#mark
    const progress = { events: next - this.#flushedTo, behind: this.end - next, waited }
    return { rows: rows.dirtyRows, bytes, setAside: setAside.pending, ...progress }
  }

  #limits() {
    return { ...this.#parts.settings, flushBytes: this.flushBytes }
  }

  /** Is everything folded in the view? */
  #clean(): boolean {
    const { rows, setAside, flusher } = this.#parts
    return rows.dirtyRows + setAside.pending === 0 && this.#mark.next === flusher.durable
  }

  /** If no further batch comes to trigger the flush, time does. */
  #wake(): void {
    if (this.#timer) return
    this.#timer = true
    const { clock, signal } = this.#parts
    const pending = this.#pending()
    const due = flushWindow(pending, this.#limits()) - pending.waited
    void clock.sleep(Math.max(1, due), signal).then(() => {
      this.#timer = false
      this.#startWhenDue()
    })
  }

  #start(trigger: FlushTrigger): Promise<void> {
    this.#flushing = this.#flush(trigger)
      .catch((error) => this.#parts.failed(error))
      .finally(() => {
        this.#flushing = undefined
        this.#startWhenDue()
      })
    return this.#flushing
  }

  async #flush(trigger: FlushTrigger): Promise<void> {
    if (this.#halted() || this.#clean()) return
    const mark = this.#mark
    this.#mark = { ...mark, oldest: Number.NaN, newest: Number.NaN }
    this.#flushedTo = mark.next
    this.#lastFlush = this.#parts.clock.now()
    const refusals = await this.#parts.flusher.flush(trigger, mark)
    if (refusals.length === 0) return
    this.#refused = true
    this.#parts.refused(refusals, mark.next)
  }
}
