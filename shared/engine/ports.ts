import type { OutgoingRecord } from '../events/encode.ts'
import type { LogRecord } from '../events/event.ts'
import type { Position, Source } from '../events/position.ts'
import type { AnyRow } from '../projection/row.ts'
import type { Clock, Observer } from './observer.ts'
import type { VersionStore } from './versions.ts'

export type * from './observer.ts'
export type * from './versions.ts'

/* ── Kafka's side ─────────────────────────────────────────────────────────────────────────────────────────────── */

/** Records of one partition, in order. Offsets may have gaps (control records, compaction). */
export interface RecordBatch {
  readonly source: Source
  readonly records: readonly LogRecord[]
  /** Where reading goes on: the last offset of the batch, counted with what Kafka keeps to itself, plus one. */
  readonly next: number
  /** The end of the partition as it was when the batch was fetched: the offset the next produced record gets. */
  readonly end: number
}

/** A partition this worker now reads. */
export interface Assignment {
  readonly source: Source
  /**
   * Was it this worker's in the generation before, with no generation in between? Then nobody else can have owned it meanwhile,
   * and what is in memory of it still holds.
   */
  readonly kept: boolean
  /** The first offset that will be delivered: the committed one, or the log's start where nothing is committed. */
  readonly start: number
  /** The group's committed offset; undefined where there is none. */
  readonly committed: number | undefined
  /** The first offset the log still has. */
  readonly logStart: number
  /** The end of the partition when it was assigned. */
  readonly end: number
}

/**
 * What the projector does with what it reads. The source calls `records` for one partition at a time, in order, and the next
 * time only when the promise has resolved; meanwhile it keeps the membership alive. Different partitions overlap.
 */
export interface SourceListener {
  /**
   * A generation begins in which this worker reads exactly these partitions: everything about others must be dropped. No batch
   * of the generation is delivered before the promise resolves. A rejection ends the source with that error. From the call on,
   * commits are taken as those of this generation. The call before may still be pending: it is void then.
   */
  assigned(assignments: readonly Assignment[]): Promise<void>
  records(batch: RecordBatch): Promise<void>
  /**
   * The group is about to rebalance, or this worker to stop: write and commit what was delivered. The source waits, up to its
   * deadline. May be called while `assigned` is pending, which then need not become true any more.
   */
  drain(): Promise<void>
}

/** One member of one consumer group. */
export interface EventSource {
  /**
   * Joins the group and delivers until `stop` (resolves) or until it can't go on (rejects: the process must end, so that its
   * supervisor starts a fresh one).
   */
  run(listener: SourceListener): Promise<void>
  /**
   * Tells Kafka "up to `next` is in the view". Resolves when that is so, or when the partition is no longer this worker's in the
   * generation it was asked in (the new owner, or this worker again, starts at the old commit, which is safe). Calls close together are sent as one. Rejects if Kafka can't be reached.
   */
  commit(source: Source, next: number): Promise<void>
  /** Delivers the partition again from `offset` on, after what is being handled now. */
  rewind(source: Source, offset: number): void
  /** Drains through the listener, commits, leaves the group, closes. Resolves within the deadline; safe to call twice. */
  stop(): Promise<void>
}

/** The log itself, outside of any consumer group. */
export interface Log {
  /** First and end offset of each partition, by partition number. Throws TOPIC_MISSING. */
  bounds(topic: string): Promise<ReadonlyMap<number, { readonly start: number; readonly end: number }>>
  /** Records from `from` (inclusive) to `to` (exclusive), in order and in pieces; ends early only where the log itself does. */
  read(source: Source, from: number, to: number, signal?: AbortSignal): AsyncIterable<readonly LogRecord[]>
  /** The offsets a group has committed, by partition number. */
  committed(group: string, topic: string): Promise<ReadonlyMap<number, number>>
}

/** Puts events into the log. */
export interface Publisher {
  /**
   * Resolves with the position of each record, in their order, when all are durable (acks from all in-sync replicas); records
   * of one key keep their order. Rejects if any may be missing: publishing again may then make some of them twice.
   */
  publish(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Position[]>
  close(): Promise<void>
}

/* ── Cassandra's side ─────────────────────────────────────────────────────────────────────────────────────────── */

/** A row as the view holds it. */
export interface StoredRow {
  /** Canonical; null: deleted, only its marker is left. */
  readonly row: AnyRow | null
  /** Offset of the event last folded into it. */
  readonly position: number
  /** `carts/3`. */
  readonly source: string
}

/** A row to be written as it is after the event at `position`. */
export interface RowWrite {
  readonly id: string
  readonly key: AnyRow
  /** Null deletes the row and leaves a marker. */
  readonly row: AnyRow | null
  /** Columns that are null in `row` and were not always: these are written as null, the others that are null stay unset. */
  readonly cleared: readonly string[]
  readonly position: number
  readonly source: string
}

/** A write that Cassandra will never take (too large, invalid): the others of the call are durable. */
export interface Refusal {
  readonly id: string
  readonly cause: Error
}

/** One version's view. All writes carry the stamp of their position, so that any of them may be repeated, late or lost. */
export interface ViewStore {
  /**
   * The rows with these keys at LOCAL_QUORUM, by id; keys without a row are absent. With `merge` the part of `source` is meant.
   * Rejects with a `transient` error.
   */
  read(
    keys: readonly { readonly id: string; readonly key: AnyRow }[],
    source: string,
  ): Promise<ReadonlyMap<string, StoredRow>>
  /** Resolves when all writes are durable at LOCAL_QUORUM, but for those refused for good. Rejects with a `transient` error: then any part may have been written. */
  write(writes: readonly RowWrite[]): Promise<readonly Refusal[]>
}

/** A row as applications see it: of a view with `merge`, every part. */
export interface ReadRow {
  readonly key: AnyRow
  readonly parts: readonly StoredRow[]
}

/** The reading side of a view, for queries and proofs. */
export interface ViewReader {
  /** One row by its whole key; undefined if there is none (a deleted row has a part whose row is null). */
  get(key: AnyRow): Promise<ReadRow | undefined>
  /** The rows of one Cassandra partition in clustering order, deleted ones included; `page` continues where an earlier call stopped. */
  list(
    partitionKey: AnyRow,
    limit: number,
    page?: string,
  ): Promise<{ readonly rows: readonly ReadRow[]; readonly page: string | undefined }>
  /** The whole table, in pieces, each part as it is stored. */
  scan(signal?: AbortSignal): AsyncIterable<readonly (StoredRow & { readonly key: AnyRow })[]>
}

/** What a version has recorded about the partition it folds. */
export interface Progress {
  /** The offset last folded and durable; -1 for none. */
  readonly position: number
  /** What the record there looked like; undefined where there was none to look at. */
  readonly fingerprint: string | undefined
  /** Offsets that retention removed before they were folded, `[from, to)`, newest last. */
  readonly gaps: readonly (readonly [number, number])[]
}

export interface ProgressStore {
  load(source: Source): Promise<Progress | undefined>
  /** Stamped by position: an older record never replaces a newer one. */
  save(source: Source, progress: Progress): Promise<void>
  /** What the version has recorded of every partition. */
  list(): Promise<readonly { readonly source: Source; readonly progress: Progress }[]>
}

/**
 * What is set aside is a scope: `row:<id>` one row, or `key:<base64>` a Kafka key whose event could not be read and which
 * therefore has no rows.
 */
export type Scope = `row:${string}` | `key:${string}`

/** A poison event, kept with its reason. One per scope it failed for; recording it again changes nothing. */
export interface DeadLetter {
  readonly source: Source
  readonly scope: Scope
  readonly record: LogRecord
  readonly code: string
  readonly reason: string
  /** What became of it: still in the way, applied by a retry, or skipped by a person. */
  readonly state: 'parked' | 'applied' | 'skipped'
}

/** A later event of a scope that is set aside, waiting in order. */
export interface ParkedEvent {
  readonly scope: Scope
  /** The offset of the dead letter it waits behind. */
  readonly since: number
  readonly record: LogRecord
}

/** What a person asked to be done with a dead letter: done by the worker that owns the partition. */
export interface Request {
  readonly id: string
  readonly action: 'retry' | 'skip'
  readonly source: Source
  readonly scope: Scope
  /** The dead letter's offset. */
  readonly offset: number
}

/** What is set aside in a partition. */
export interface SetAsideState {
  /** The scopes, each with the offset of the dead letter it waits behind. */
  readonly parked: ReadonlyMap<Scope, number>
  /** Those whose dead letter has been applied or skipped: nobody will decide again, so what waits there is to be applied. */
  readonly resolved: ReadonlySet<Scope>
  /** What a person has decided to leave out, as `<offset>/<scope>`. */
  readonly skipped: ReadonlySet<string>
}

export interface DeadLetterStore {
  /**
   * All that waits; of what was skipped at least what lies at `from` or behind the first that waits (all of it without `from`):
   * before that no event is folded again.
   */
  load(source: Source, from?: number): Promise<SetAsideState>
  /**
   * Durable when it resolves. Dead letters park their scope (not those skipped at once, nor those without a key), and so does each
   * waiting event again: one that is recorded after its scope was released is then still found. All is keyed by position.
   * Rejects with a `transient` error.
   */
  record(source: Source, letters: readonly DeadLetter[], events: readonly ParkedEvent[]): Promise<void>
  /** The events of a scope from `from` on (inclusive), dead letters and parked ones, in log order, in pieces. */
  events(source: Source, scope: Scope, from: number): AsyncIterable<readonly LogRecord[]>
  /** Marks a dead letter. Stamped at `at`, the last offset the decision reaches. */
  resolve(source: Source, scope: Scope, offset: number, state: 'applied' | 'skipped', at: number): Promise<void>
  /**
   * Lets a scope go: everything up to `at` is in the view or skipped, and events up to `last` were known to wait. A dead letter of
   * the scope behind `at`, and an event behind `last`, still hold it.
   */
  release(source: Source, scope: Scope, at: number, last: number): Promise<void>
  requests(source: Source): Promise<readonly Request[]>
  /** Tells the person how it went; the request is gone. */
  answer(request: Request, outcome: RequestOutcome): Promise<void>
}

export interface RequestOutcome {
  readonly done: boolean
  readonly message: string
}

/** The dead letters of one version as a person handles them. Decisions are asked for here and done by the partition's owner. */
export interface DeadLetterDesk {
  /** The dead letters of a partition in log order, in pieces, those applied or skipped included. */
  list(source: Source): AsyncIterable<readonly DeadLetter[]>
  find(source: Source, scope: Scope, offset: number): Promise<DeadLetter | undefined>
  /** Leaves a request for the owner; durable when it resolves. Asking again with the same id changes nothing. */
  ask(request: Request): Promise<void>
  /** How a request went; undefined while nobody has answered, and some days later. */
  outcome(source: Source, id: string): Promise<RequestOutcome | undefined>
}

/** Everything one projection needs to run. */
export interface Ports {
  readonly source: EventSource
  readonly log: Log
  readonly view: ViewStore
  readonly progress: ProgressStore
  readonly deadLetters: DeadLetterStore
  readonly versions: VersionStore
  readonly observer: Observer
  readonly clock: Clock
}
