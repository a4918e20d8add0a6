import type { Source } from '../events/position.ts'
import { sourceText } from '../events/position.ts'
import type { FlushTrigger, Ports, Progress, Refusal } from './ports.ts'
import { persist } from './recovery.ts'
import type { SetAside } from './set-aside.ts'
import type { EngineSettings } from './settings.ts'
import type { WorkingSet } from './working-set.ts'

/** Up to where a partition has been folded. */
export interface Mark {
  /** Where reading goes on. */
  readonly next: number
  /** The last record folded; -1 if none. */
  readonly position: number
  readonly fingerprint: string | undefined
  /** When the first and the last record since the last mark were produced, milliseconds since 1970; NaN if there was none. */
  readonly oldest: number
  readonly newest: number
}

export interface FlusherParts {
  readonly source: Source
  readonly ports: Ports
  readonly settings: EngineSettings
  readonly rows: WorkingSet
  readonly setAside: SetAside
  readonly signal: AbortSignal
  readonly gaps: Progress['gaps']
  readonly durable: number
  /** Told when committing has become impossible. */
  failed(error: unknown): void
}

/**
 * Makes what was folded durable, one flush at a time: write, then commit (DESIGN §1.2). The rows and the mark are taken together
 * when a flush starts, so folding may go on meanwhile, and the commit says exactly what was written.
 */
export class Flusher {
  /** Everything below is in the view. */
  #durable: number
  #written: Mark | undefined
  /** The position last recorded beside the view. */
  #recorded = -1
  #wanted: { readonly mark: Mark; readonly now: boolean } | undefined
  #committing: Promise<void> | undefined
  #progressAt = Number.NEGATIVE_INFINITY
  readonly #parts: FlusherParts

  constructor(parts: FlusherParts) {
    this.#parts = parts
    this.#durable = parts.durable
  }

  get durable(): number {
    return this.#durable
  }

  /**
   * Writes what has changed and records what was set aside, waiting out a failing world, then commits behind the caller's back
   * (`settled` waits for that). Returns the rows that Cassandra refuses for good: then nothing is committed.
   */
  async flush(trigger: FlushTrigger, mark: Mark): Promise<readonly Refusal[]> {
    const { source, ports, rows, setAside } = this.#parts
    const writes = rows.take(sourceText(source))
    const { letters, events } = setAside.take()
    const startedAt = ports.clock.now()
    const refusals = writes.length === 0 ? [] : await this.#persist(() => ports.view.write(writes))
    rows.written()
    // Which events are dead letters is only known when it is known which rows are refused: their later events wait.
    if (refusals.length > 0) return refusals
    if (letters.length + events.length > 0) {
      await this.#persist(() => ports.deadLetters.record(source, letters, events))
      setAside.recorded(letters)
    }
    this.#durable = mark.next
    this.#written = mark
    this.#commitSoon(mark, trigger === 'drain')
    ports.observer.flushed(source, {
      trigger,
      rows: writes.length,
      seconds: (ports.clock.now() - startedAt) / 1000,
      position: mark.position,
      next: mark.next,
      oldest: mark.oldest,
      newest: mark.newest,
    })
    return []
  }

  /**
   * Kafka knows less than is durable: a commit was lost with the membership that sent it. Sends it again, since no event may
   * come that would.
   */
  recommit(): void {
    if (this.#written) this.#commitSoon(this.#written, false)
  }

  /** Resolves when everything durable is committed and recorded; rejects if that is impossible. */
  async settled(): Promise<void> {
    await this.#committing
    if (!this.#written || this.#written.position <= this.#recorded) return
    this.#commitSoon(this.#written, true)
    await this.#committing
  }

  #commitSoon(mark: Mark, now: boolean): void {
    this.#wanted = { mark, now }
    if (this.#committing) return
    this.#committing = this.#commit()
    this.#committing.catch(this.#parts.failed)
  }

  /**
   * Not awaited by the next flush: a commit that comes late only means more to do again after a crash. One is under way at a
   * time and takes the newest mark, so an older one never overtakes and none pile up. Progress is recorded after the commit,
   * now and then: it may lag, since it only serves to recognise the log.
   */
  async #commit(): Promise<void> {
    const { source, ports, settings, gaps } = this.#parts
    try {
      while (this.#wanted) {
        const { mark, now } = this.#wanted
        this.#wanted = undefined
        await this.#persist(() => ports.source.commit(source, mark.next))
        const due = now || ports.clock.now() - this.#progressAt >= settings.progressIntervalMs
        if (!due || mark.position < 0) continue
        // A little early next time, by chance: partitions that begin together would go on writing all at once.
        this.#progressAt = ports.clock.now() - (Math.random() / 4) * settings.progressIntervalMs
        await this.#persist(() =>
          ports.progress.save(source, { position: mark.position, fingerprint: mark.fingerprint, gaps }),
        )
        this.#recorded = mark.position
      }
    } finally {
      // In the same breath as the last look at `#wanted`, or a mark set in between would wait for the next flush.
      this.#committing = undefined
    }
  }

  #persist<T>(work: () => Promise<T>): Promise<T> {
    const { ports, settings, signal, source } = this.#parts
    return persist(work, {
      clock: ports.clock,
      backoffMs: settings.backoffMs,
      signal,
      held: (error, retryInSeconds) => ports.observer.held(source, error, retryInSeconds),
    })
  }
}
