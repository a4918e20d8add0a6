import { isKind } from '../errors.ts'
import { type Decoder, decoder } from '../events/decode.ts'
import { type Source, sourceText } from '../events/position.ts'
import type { Fold } from '../projection/fold.ts'
import { fingerprint } from './fingerprint.ts'
import { FlushLoop } from './flush-loop.ts'
import { Flusher, type Mark } from './flusher.ts'
import { Folder } from './folder.ts'
import type { Ports, Progress, RecordBatch, Scope, SetAsideState } from './ports.ts'
import { Abandoned, persist } from './recovery.ts'
import { answerRequests, reconcile } from './requests.ts'
import { SetAside } from './set-aside.ts'
import type { EngineSettings } from './settings.ts'
import { WorkingSet } from './working-set.ts'

export interface PartitionParts {
  readonly source: Source
  readonly fold: Fold
  readonly ports: Ports
  readonly settings: EngineSettings
  /** The first offset to fold. */
  readonly start: number
  /** Does the log still have everything from its first event on, and do we start there? Then a row never met does not exist. */
  readonly complete: boolean
  readonly setAside: SetAsideState
  readonly gaps: Progress['gaps']
  /** Another partition of this process that has met the row, if there is one. */
  fedBy(id: string): string | undefined
  /** Its part of the memory that the projection's partitions share, 0 to 1. */
  readonly share: number
  /** Told of a fault that no waiting mends: the projector must end. */
  failed(error: unknown): void
}

/** Records are folded in pieces, between which the process looks after its heartbeats and its other partitions. */
const PIECE = 1_000

/** Every so many polls it is looked whether another worker has decided about what waits here … */
const RECONCILE = 10
/** … or, where nothing waits, whether one that lost the partition unknowingly has set something aside since. */
const RARELY = 60

/**
 * One assigned partition: folds its events strictly in order and flushes the rows they change. All that follows from the
 * ownership of the partition lives and ends with this object.
 */
export class Partition {
  readonly source: Source
  readonly #rows: WorkingSet
  readonly #parts: PartitionParts
  readonly #decode: Decoder
  readonly #setAside: SetAside
  readonly #flusher: Flusher
  readonly #folder: Folder
  readonly #flushes: FlushLoop
  readonly #abort = new AbortController()
  /** What is done with rows is done one thing after the other: folding, and what people ask for. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Counts the times the partition was folded again from its last durable mark: what was delivered before is void. */
  #round = 0
  /** Asked to make durable what is folded: no more is folded, since whoever owns the partition next is waiting. */
  #draining = false
  #polls = 0
  #refused: { readonly ids: readonly string[]; readonly until: number } | undefined

  constructor(parts: PartitionParts) {
    const { source, fold, ports, settings, start } = parts
    const topic = fold.projection.topics.find(({ name }) => name === source.topic)
    if (!topic)
      throw new Error(`partition ${sourceText(source)} is not of a topic of projection ${fold.projection.name}`)
    this.source = source
    this.#parts = parts
    this.#decode = decoder(topic, fold.wanted)
    this.#rows = new WorkingSet(fold.shape, settings.workingSetBytes * parts.share)
    this.#setAside = new SetAside(source, parts.setAside)
    const { signal } = this.#abort
    this.#flusher = new Flusher({
      source,
      ports,
      settings,
      rows: this.#rows,
      setAside: this.#setAside,
      signal,
      gaps: parts.gaps,
      durable: start,
      failed: (error) => this.#failed(error),
    })
    this.#folder = new Folder({
      source,
      fold,
      ports,
      settings,
      rows: this.#rows,
      setAside: this.#setAside,
      decode: this.#decode,
      complete: parts.complete,
      fedBy: parts.fedBy,
      signal,
    })
    this.#flushes = new FlushLoop(
      {
        flusher: this.#flusher,
        rows: this.#rows,
        setAside: this.#setAside,
        settings,
        flushBytes: settings.flushBytes * parts.share,
        clock: ports.clock,
        signal,
        refused: (refusals, until) => {
          this.#refused = { ids: refusals.map(({ id }) => id), until }
          void this.#inTurn(async () => this.#foldAgain())
        },
        failed: (error) => this.#failed(error),
      },
      start,
    )
  }

  /** How far this partition has been folded. */
  get folded(): Pick<Mark, 'position' | 'fingerprint'> {
    return this.#flushes.mark
  }

  /** Is the row in memory here? */
  holds(id: string): boolean {
    return this.#rows.has(id)
  }

  /** Could folding go on from `start` as if nothing had happened? Only if this state is the fold of everything before it. */
  continues(start: number, parked: ReadonlyMap<Scope, number>): boolean {
    return !this.#abort.signal.aborted && start <= this.#flushes.next && this.#setAside.agrees(parked)
  }

  /** Goes on in a new generation, in which Kafka delivers from `start` on. */
  goOn(start: number, share: number): void {
    const { workingSetBytes, flushBytes } = this.#parts.settings
    this.#rows.budget = workingSetBytes * share
    this.#flushes.flushBytes = flushBytes * share
    if (start < this.#flusher.durable) this.#flusher.recommit()
  }

  /** Folds a batch; resolves when more may come. What was folded before, delivered again, is passed over. */
  records(batch: RecordBatch): Promise<void> {
    const round = this.#round
    return this.#inTurn(async () => {
      if (round !== this.#round || this.#draining) return
      await this.#fold(batch)
      await this.#flushes.due()
    })
  }

  /**
   * Makes everything folded durable and commits it. What has been delivered and is not folded yet, the rest of a batch too, is left
   * to the next generation, in which Kafka delivers from the committed offset on.
   */
  async drain(): Promise<void> {
    this.#draining = true
    await this.#inTurn(async () => {
      await this.#flushes.all()
      await this.#flusher.settled()
    })
    this.#draining = false
  }

  /**
   * Does what people asked for with this partition's dead letters; now and then also looks whether another worker has done so.
   * A failing world is left for the next time.
   */
  async answerRequests(): Promise<void> {
    const { source, fold, ports } = this.#parts
    try {
      const requests = [...(await ports.deadLetters.requests(source))]
      const look = this.#polls++ % (this.#setAside.size > 0 ? RECONCILE : RARELY) === 0
      const decided = look && (await this.#decidedElsewhere())
      if (requests.length === 0 && !decided) return
      const flush = () => this.#flushes.all()
      const { rows, folder, setAside } = { rows: this.#rows, folder: this.#folder, setAside: this.#setAside }
      const parts = { source, fold, ports, rows, setAside, folder, flush, next: () => this.#flushes.next }
      await this.#inTurn(() =>
        this.#persist(async () => {
          if (decided) await reconcile(parts)
          await answerRequests(requests, parts)
        }),
      )
    } catch (error) {
      if (!isKind(error, 'transient')) throw error
    }
  }

  async #decidedElsewhere(): Promise<boolean> {
    const { source, ports } = this.#parts
    const { parked, resolved } = await ports.deadLetters.load(source, this.#flushes.next)
    return resolved.size > 0 || !this.#setAside.agrees(parked)
  }

  /** Ends without another write or commit being started: the partition is no longer ours. */
  abandon(): void {
    this.#abort.abort()
  }

  async #fold(batch: RecordBatch): Promise<void> {
    const { ports } = this.#parts
    const { next } = this.#flushes
    this.#flushes.end = batch.end
    const first = batch.records.findIndex(({ offset }) => offset >= next)
    const fresh = first === 0 ? batch.records : first < 0 ? [] : batch.records.slice(first)
    for (let from = 0; from < fresh.length; from += PIECE) {
      const piece = fresh.length <= PIECE ? fresh : fresh.slice(from, from + PIECE)
      const folded = await this.#folder.fold(piece, () => this.#draining)
      const last = piece[folded.count - 1]!
      this.#flushes.advance({
        next: last.offset + 1,
        position: last.offset,
        fingerprint: fingerprint(last),
        oldest: piece[0]!.timestamp,
        newest: last.timestamp,
      })
      this.#rows.trim()
      ports.observer.folded(this.source, {
        ...folded,
        position: last.offset,
        end: batch.end,
        producedAt: last.timestamp,
      })
      if (this.#draining) return
      if (from + PIECE < fresh.length) {
        await ports.clock.sleep(0)
        await this.#flushes.due()
      }
    }
    this.#flushes.pass(batch.next)
  }

  /**
   * Cassandra refuses rows for good, but which of the events folded since the last flush is to blame is not known: everything
   * since the last durable mark is delivered again, and events of these rows are then written one by one. What other rows have
   * got by now is skipped by their positions.
   */
  #foldAgain(): void {
    if (!this.#refused) return
    const { ids, until } = this.#refused
    const { durable } = this.#flusher
    this.#refused = undefined
    this.#round++
    this.#rows.clear()
    this.#setAside.forget()
    this.#folder.suspect(ids, until)
    this.#flushes.startOver()
    this.#parts.ports.source.rewind(this.source, durable)
  }

  #persist<T>(work: () => Promise<T>): Promise<T> {
    const { ports, settings } = this.#parts
    return persist(work, {
      clock: ports.clock,
      backoffMs: settings.backoffMs,
      signal: this.#abort.signal,
      held: (error, seconds) => ports.observer.held(this.source, error, seconds),
    })
  }

  #failed(error: unknown): void {
    if (error instanceof Abandoned || this.#abort.signal.aborted) return
    this.abandon()
    this.#parts.failed(error)
  }

  /** One thing at a time; an abandoned partition does nothing more and bothers nobody with it. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn
      .then(async () => {
        if (this.#abort.signal.aborted) return
        this.#foldAgain()
        await work()
      })
      .catch((error) => this.#failed(error))
    this.#turn = done
    return done
  }
}
