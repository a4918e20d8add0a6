import type { types } from 'cassandra-driver'
import type {
  DeadLetter,
  DeadLetterDesk,
  DeadLetterStore,
  ParkedEvent,
  Request,
  RequestOutcome,
  Scope,
  SetAsideState,
} from '../engine/ports.ts'
import { KEYLESS, waitingBehind } from '../engine/set-aside.ts'
import { slot, stamp } from '../engine/stamp.ts'
import { TidemarkError } from '../errors.ts'
import type { LogRecord } from '../events/event.ts'
import type { Source } from '../events/position.ts'
import { bookkeeping, setAsideTables, sourceParams, type Version, WHERE_SOURCE } from './bookkeeping.ts'
import { encodeText, encodeWhole } from './cells.ts'
import { RECORD_COLUMNS, recordBytes, recordOf, recordParams } from './log-record.ts'
import { Requests } from './requests.ts'
import { one, pages, type Session, type Statement } from './session.ts'
import { type TableWatch, tableWatch } from './table-watch.ts'
import { type Mutation, Writer } from './writer.ts'

/** A scope waits behind the dead letter at `since`; said by the event at `offset`. */
interface Hold {
  readonly scope: Scope
  readonly since: number
  readonly offset: number
}

/** Of the events that hold one scope the newest is enough: its stamp is the highest. */
function newest(events: readonly ParkedEvent[]): readonly Hold[] {
  const holds = new Map<string, Hold>()
  for (const { scope, since, record } of events) {
    const name = `${since}/${scope}`
    if (record.offset > (holds.get(name)?.offset ?? -1)) holds.set(name, { scope, since, offset: record.offset })
  }
  return [...holds.values()]
}

/** Records may be a megabyte each, and a page of them is held in memory. */
const RECORDS_PER_PAGE = 20
/**
 * Mostly they are small, and a partition stands still while what waited in it is applied: thousands of events, page by page. So
 * pages grow to about so many bytes, after the largest record so far, and to so many records at most.
 */
const PAGE_BYTES = 4 * 2 ** 20
const MOST_RECORDS_PER_PAGE = 200

/**
 * Dead letters of one version and what waits behind them. How the races are met:
 *
 * - *A zombie parks again what was released*: it parks offset n at `stamp(n, park)`; the release reached `at` ≥ n and left a
 *   range tombstone up to `at` at `stamp(at, release)`, which is higher. The dead letter's `state` likewise.
 * - *A second poison event for a scope after its release*: it lies behind `at`, so its stamp is higher and outside the range.
 * - *A second one before the release* (a retry got past the first and stopped at the next): it is a parked scope row of its
 *   own, `(scope, since)`; `load` gives the first that is left, and releasing the first leaves the second.
 * - *An event that is parked after its scope was released* (its worker had not learned of it): it holds the scope again, at its
 *   own stamp. `load` tells that the dead letter is resolved, and the owner applies what waits.
 * - *Crash while recording*: events and letters are durable before their scope is. So whoever finds a scope finds its events;
 *   whoever finds none folds the event again and records the same.
 * - *Crash between a retry's row write and the release*: the scope is still parked, its events are still there. The next owner
 *   applies them again, which the row's position makes a no-op, and releases.
 * - *Crash inside the release*: events go first, then the scope. A scope without events is released by the next retry; later
 *   events of the scope, behind `at`, are untouched.
 */
export class CassandraDeadLetters implements DeadLetterStore, DeadLetterDesk {
  readonly #session: Session
  readonly #version: Version
  readonly #writer: Writer
  readonly #requests: Requests
  readonly #watch: TableWatch
  readonly #letters: string
  readonly #scopes: string
  readonly #events: string

  constructor(connected: Session, version: Version) {
    const session = connected.of(version)
    this.#session = session
    this.#version = version
    this.#writer = new Writer(session, { partitionsPerBatch: 1 })
    this.#requests = new Requests(session, version)
    this.#watch = tableWatch(session, version, setAsideTables)
    this.#letters = session.table(bookkeeping.deadLetters.name)
    this.#scopes = session.table(bookkeeping.parkedScopes.name)
    this.#events = session.table(bookkeeping.parkedEvents.name)
  }

  /** Letters are kept for ever and decided about mostly long ago: those before `from` and all that waits are not even read. */
  load(source: Source, from = 0): Promise<SetAsideState> {
    return this.#watch.guard(() => this.#load(source, from))
  }

  async #load(source: Source, from: number): Promise<SetAsideState> {
    const at = sourceParams(this.#version, source)
    const held = new Map<Scope, number[]>()
    for await (const rows of pages(
      this.#session,
      `SELECT scope, since FROM ${this.#scopes} WHERE ${WHERE_SOURCE}`,
      at,
      `reading ${this.#scopes}`,
      1000,
    )) {
      for (const row of rows) held.set(row.scope, [...(held.get(row.scope) ?? []), Number(row.since)])
    }
    const skipped = new Set<string>()
    const decided = new Set<string>()
    const first = [...held.values()].reduce((lowest, [since = lowest]) => Math.min(lowest, since), from)
    for await (const rows of pages(
      this.#session,
      `SELECT offset, scope, state FROM ${this.#letters} WHERE ${WHERE_SOURCE} AND offset >= ?`,
      [...at, encodeWhole(first)],
      `reading ${this.#letters}`,
      1000,
    )) {
      for (const { offset, scope, state } of rows) {
        if (state === 'skipped') skipped.add(`${offset}/${scope}`)
        if (state !== 'parked') decided.add(`${offset}/${scope}`)
      }
    }
    return { ...waitingBehind(held, decided), skipped }
  }

  record(source: Source, letters: readonly DeadLetter[], events: readonly ParkedEvent[]): Promise<void> {
    return this.#watch.guard(() => this.#record(source, letters, events))
  }

  async #record(source: Source, letters: readonly DeadLetter[], events: readonly ParkedEvent[]): Promise<void> {
    const waiting = [...letters, ...events].map((event) => this.#event(source, event))
    await Promise.all([
      this.#write(waiting, this.#events),
      this.#write(
        letters.map((letter) => this.#letter(source, letter)),
        this.#letters,
      ),
    ])
    const holding = letters.filter(({ scope, state }) => scope !== KEYLESS && state === 'parked')
    const holds = [
      ...holding.map(({ scope, record }) => ({ scope, since: record.offset, offset: record.offset })),
      ...newest(events),
    ]
    await this.#write(
      holds.map((hold) => this.#hold(source, hold)),
      this.#scopes,
    )
  }

  /** Whoever reads them lets the scope go afterwards: from a table that was made again that would be the end of what waited. */
  async *events(source: Source, scope: Scope, from: number): AsyncIterable<readonly LogRecord[]> {
    await this.#watch.trust()
    const query = `SELECT offset, ${RECORD_COLUMNS} FROM ${this.#events} WHERE ${WHERE_SOURCE} AND scope = ? AND offset >= ?`
    const params = [...sourceParams(this.#version, source), encodeText(scope), encodeWhole(from)]
    let fetchSize = RECORDS_PER_PAGE
    let largest = PAGE_BYTES / MOST_RECORDS_PER_PAGE
    for await (const rows of pages(this.#session, query, params, `reading ${this.#events}`, () => fetchSize)) {
      const records = rows.map(recordOf)
      largest = records.reduce((most, record) => Math.max(most, recordBytes(record)), largest)
      fetchSize = Math.max(RECORDS_PER_PAGE, Math.floor(PAGE_BYTES / largest))
      yield records
    }
  }

  async resolve(source: Source, scope: Scope, offset: number, state: 'applied' | 'skipped', at: number): Promise<void> {
    const query = `UPDATE ${this.#letters} USING TIMESTAMP ? SET state = ? WHERE ${WHERE_SOURCE} AND offset = ? AND scope = ?`
    const params = [
      encodeWhole(stamp(at, slot.release)),
      encodeText(state),
      ...sourceParams(this.#version, source),
      encodeWhole(offset),
      encodeText(scope),
    ]
    await this.#session.write([{ query, params }], `writing to ${this.#letters}`)
  }

  async release(source: Source, scope: Scope, at: number, last: number): Promise<void> {
    await this.#watch.trust()
    const remove = (table: string, column: string, reached: number): Statement => ({
      query: `DELETE FROM ${table} USING TIMESTAMP ? WHERE ${WHERE_SOURCE} AND scope = ? AND ${column} <= ?`,
      params: [
        encodeWhole(stamp(reached, slot.release)),
        ...sourceParams(this.#version, source),
        encodeText(scope),
        encodeWhole(at),
      ],
    })
    await this.#session.write([remove(this.#events, 'offset', at)], `writing to ${this.#events}`)
    await this.#session.write([remove(this.#scopes, 'since', last)], `writing to ${this.#scopes}`)
  }

  /** Asked every second or so even where nothing fails: so tables that were made again are noticed by a worker that sets nothing aside. */
  requests(source: Source): Promise<readonly Request[]> {
    return this.#watch.guard(() => this.#requests.open(source))
  }

  answer(request: Request, outcome: RequestOutcome): Promise<void> {
    return this.#requests.answer(request, outcome)
  }

  async *list(source: Source): AsyncIterable<readonly DeadLetter[]> {
    const query = `SELECT offset, scope, code, reason, state, ${RECORD_COLUMNS} FROM ${this.#letters} WHERE ${WHERE_SOURCE}`
    for await (const rows of pages(
      this.#session,
      query,
      sourceParams(this.#version, source),
      `reading ${this.#letters}`,
      RECORDS_PER_PAGE,
    )) {
      yield rows.flatMap((row) => letterOf(source, row) ?? [])
    }
  }

  async find(source: Source, scope: Scope, offset: number): Promise<DeadLetter | undefined> {
    const query = `SELECT offset, scope, code, reason, state, ${RECORD_COLUMNS} FROM ${this.#letters} WHERE ${WHERE_SOURCE} AND offset = ? AND scope = ?`
    const row = await one(
      this.#session,
      query,
      [...sourceParams(this.#version, source), encodeWhole(offset), encodeText(scope)],
      `reading ${this.#letters}`,
    )
    return row && letterOf(source, row)
  }

  ask(request: Request): Promise<void> {
    return this.#requests.ask(request)
  }

  outcome(source: Source, id: string): Promise<RequestOutcome | undefined> {
    return this.#requests.outcome(source, id)
  }

  #event(source: Source, { scope, record }: Pick<ParkedEvent, 'scope' | 'record'>): Mutation {
    const query = `INSERT INTO ${this.#events} (projection, version, topic, partition, scope, offset, ${RECORD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`
    const params = [
      ...sourceParams(this.#version, source),
      encodeText(scope),
      encodeWhole(record.offset),
      ...recordParams(record),
      encodeWhole(stamp(record.offset, slot.park)),
    ]
    return mutation(scope, { query, params }, recordBytes(record))
  }

  #letter(source: Source, { scope, record, code, reason, state }: DeadLetter): Mutation {
    const query = `INSERT INTO ${this.#letters} (projection, version, topic, partition, offset, scope, ${RECORD_COLUMNS}, code, reason, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`
    const params = [
      ...sourceParams(this.#version, source),
      encodeWhole(record.offset),
      encodeText(scope),
      ...recordParams(record),
      ...[code, reason, state].map(encodeText),
      encodeWhole(stamp(record.offset, slot.park)),
    ]
    return mutation('', { query, params }, recordBytes(record) + reason.length)
  }

  #hold(source: Source, { scope, since, offset }: Hold): Mutation {
    const query = `INSERT INTO ${this.#scopes} (projection, version, topic, partition, scope, since) VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`
    const params = [
      ...sourceParams(this.#version, source),
      encodeText(scope),
      encodeWhole(since),
      encodeWhole(stamp(offset, slot.park)),
    ]
    return mutation('', { query, params }, 100 + scope.length)
  }

  /** What can't even be set aside holds the partition: letting it go would lose the event. */
  async #write(mutations: readonly Mutation[], table: string): Promise<void> {
    const [refused] = await this.#writer.write(mutations, `writing to ${table}`)
    if (refused) {
      const remedy =
        'Raise the limit in Cassandra that the cause names; the worker waits, since without this record the event would be lost.'
      throw new TidemarkError(
        'CASSANDRA_UNAVAILABLE',
        `${table}: Cassandra refuses to keep a dead letter or parked event`,
        { cause: refused.cause, remedy },
      )
    }
  }
}

function mutation(partition: string, statement: Statement, bytes: number): Mutation {
  return { partition, routingKey: () => Buffer.alloc(0), statements: () => [statement], count: 1, bytes }
}

function letterOf(source: Source, row: types.Row): DeadLetter | undefined {
  const { scope, code, reason, state } = row
  // Marked before it was recorded: not here until it is.
  return code === null ? undefined : { source, scope, record: recordOf(row), code, reason, state }
}
