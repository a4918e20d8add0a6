import { type Source, sourceText } from '../../events/position.ts'
import { Signal } from '../memory/signal.ts'
import type { Assignment, EventSource, RecordBatch, SourceListener } from '../ports.ts'

/** A listener that remembers what it was told, for tests that wait for what a source promises. */
export class RecordingListener implements SourceListener {
  /** In order: `assigned`, `carts/3 begin`, `carts/3 end`, `drain`. */
  readonly steps: string[] = []
  readonly generations: (readonly Assignment[])[] = []
  readonly batches: RecordBatch[] = []
  /** Where each partition was last handled up to. */
  readonly handled = new Map<string, number>()
  /** What the test wants done; each is awaited as the listener's own work. */
  readonly on: {
    assigned?: (assignments: readonly Assignment[]) => Promise<void>
    records?: (batch: RecordBatch) => Promise<void>
    drain?: () => Promise<void>
  } = {}
  /** How `run` ended; undefined while it runs. */
  outcome: { readonly error?: unknown } | undefined
  readonly #signal = new Signal()

  /** Runs the source with this listener and keeps how it ended. */
  follow(source: EventSource): this {
    source.run(this).then(
      () => this.#end({}),
      (error: unknown) => this.#end({ error }),
    )
    return this
  }

  #end(outcome: { readonly error?: unknown }): void {
    this.outcome = outcome
    this.#signal.notify()
  }

  async assigned(assignments: readonly Assignment[]): Promise<void> {
    this.#step('assigned')
    this.generations.push(assignments)
    this.#signal.notify()
    await this.on.assigned?.(assignments)
    this.#step('ready')
  }

  async records(batch: RecordBatch): Promise<void> {
    const name = sourceText(batch.source)
    this.#step(`${name} begin`)
    this.batches.push(batch)
    this.#signal.notify()
    await this.on.records?.(batch)
    this.handled.set(name, batch.next)
    this.#step(`${name} end`)
  }

  async drain(): Promise<void> {
    this.#step('drain')
    await this.on.drain?.()
    this.#step('drained')
  }

  #step(step: string): void {
    this.steps.push(step)
    this.#signal.notify()
  }

  /** Resolves when `condition` holds; looked at whenever the listener is told something. */
  until(condition: () => boolean): Promise<void> {
    return this.#signal.until(condition)
  }

  /** Resolves when a generation with these partitions, in any order, was handed over and taken. */
  owns(sources: readonly Source[]): Promise<void> {
    const wanted = sources.map(sourceText).sort().join()
    return this.until(
      () => this.steps.lastIndexOf('ready') > this.steps.lastIndexOf('assigned') && this.owned.sort().join() === wanted,
    )
  }

  /** The partitions of the newest generation, as text. */
  get owned(): string[] {
    return (this.generations.at(-1) ?? []).map(({ source }) => sourceText(source))
  }

  /** Values delivered from one partition, in order of delivery. */
  values(source: Source): string[] {
    const name = sourceText(source)
    return this.batches
      .filter((batch) => sourceText(batch.source) === name)
      .flatMap(({ records }) => records.map(({ value }) => String(value)))
  }

  /** Offsets delivered from one partition, in order of delivery. */
  offsets(source: Source): number[] {
    const name = sourceText(source)
    return this.batches
      .filter((batch) => sourceText(batch.source) === name)
      .flatMap(({ records }) => records.map(({ offset }) => offset))
  }

  /** How many events were delivered, redelivered ones counted each time. */
  get count(): number {
    return this.batches.reduce((sum, { records }) => sum + records.length, 0)
  }
}
