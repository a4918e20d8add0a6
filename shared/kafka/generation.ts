import type { Assignment, RecordBatch, SourceListener } from '../engine/ports.ts'
import { TidemarkError } from '../errors.ts'
import { type Source, sourceText } from '../events/position.ts'
import { type Commit, Commits } from './commits.ts'
import type { KafkaConnection } from './connection.ts'
import { asTidemark, failureType, isLost, reason } from './failure.ts'
import { Fetching } from './fetching.ts'
import { Lane } from './lane.ts'
import type { Membership, Place } from './membership.ts'
import { boundsOf, committedOf } from './offsets.ts'
import { keepAlive, watchTopics } from './presence.ts'
import { persist, unlessAborted, within } from './retry.ts'

/** Why a generation ended. `rebalance` members come or go; `lost` the group goes on without us; `moved` the log is not where it was. */
export type Ending =
  | { readonly why: 'rebalance' | 'lost' | 'moved' | 'stop' }
  | { readonly why: 'failed'; readonly error: unknown }

/**
 * What one member does in one generation: it keeps its place by heartbeats, says what it reads, delivers, commits, and closes
 * when any sign says that the generation ends. A new generation is a new object, so nothing of an old one can be taken for new.
 */
export class Generation {
  /** Resolves once, with the first sign of the end. */
  readonly ended: Promise<Ending>
  readonly #ended = Promise.withResolvers<Ending>()
  /** Aborted with the end: for what is still waiting to begin. */
  readonly #over = new AbortController()
  /** Aborted when the place is given up: heartbeats go on while draining. */
  readonly #given = new AbortController()
  readonly #connection: KafkaConnection
  readonly #membership: Membership
  readonly #place: Place
  readonly #listener: SourceListener
  readonly #busy: Map<string, Promise<void>>
  readonly #lanes = new Map<string, Lane>()
  readonly #commits: Commits
  readonly #fetching: Fetching
  /** The listener was told what it reads. */
  #told = false
  /** Partitions it has anew, with a handler of an earlier time still at work: until that is back, all that is said of them is of that time. */
  readonly #stale = new Set<string>()

  /** `busy` holds the handler at work per partition, of whatever generation: it outlives them. */
  constructor(
    connection: KafkaConnection,
    membership: Membership,
    place: Place,
    listener: SourceListener,
    busy: Map<string, Promise<void>>,
  ) {
    this.#connection = connection
    this.#membership = membership
    this.#place = place
    this.#listener = listener
    this.#busy = busy
    this.ended = this.#ended.promise
    this.#commits = new Commits((commits) => this.#send(commits))
    this.#fetching = new Fetching(connection, this.#lanes, (ending) => this.end(ending))
  }

  end(ending: Ending): void {
    this.#ended.resolve(ending)
    this.#over.abort()
  }

  /** Starts delivering. Resolves when it has, or when the generation ended before it could. */
  async begin(): Promise<void> {
    const presence = {
      connection: this.#connection,
      membership: this.#membership,
      place: this.#place,
      end: (ending: Ending) => this.end(ending),
      lose: (error: unknown) => this.#lose(error),
    }
    void keepAlive(presence, this.#given.signal)
    if (this.#place.leads) void watchTopics(presence, this.#over.signal)
    try {
      const assignments = await this.#assignments()
      if (this.#over.signal.aborted) return
      this.#tell()
      await unlessAborted(this.#over.signal, this.#listener.assigned(assignments))
      if (this.#over.signal.aborted) return
      for (const { source, start } of assignments) {
        this.#lanes.set(
          sourceText(source),
          new Lane(
            source,
            start,
            (batch) => this.#deliver(batch),
            () => this.#fetching.wake(),
          ),
        )
      }
      this.#fetching.wake()
    } catch (error) {
      if (!this.#over.signal.aborted) this.end({ why: 'failed', error })
    }
  }

  /**
   * Drains: see README, "The barrier". Resolves when everything delivered is written and committed, or after `deadline` ms. What
   * still waits to be taken over is not waited for: it has nothing to drain, and the whole group would wait with it.
   */
  async close(deadline: number): Promise<void> {
    this.#fetching.end()
    for (const lane of this.#lanes.values()) lane.close()
    this.#commits.hurry()
    if (this.#told) {
      const drained = Promise.all([this.#drain(), ...this.#busy.values()]).then(() => this.#commits.settled())
      if ((await within(deadline, drained)) === 'late')
        this.#connection.logger.warn(`not drained after ${deadline} ms: what is not committed will be delivered again`)
    }
    this.#lanes.clear()
    this.#given.abort()
  }

  async #drain(): Promise<void> {
    try {
      await this.#listener.drain()
    } catch (error) {
      this.#connection.logger.warn('what could not be drained will be delivered again', { error: reason(error) })
    }
  }

  /** Resolves when the commit is taken, or void. Rejects with KAFKA_UNAVAILABLE after one attempt: whoever commits knows how long to go on. */
  async commit(source: Source, next: number): Promise<void> {
    if (!this.#given.signal.aborted && this.#mayCommit(source)) await this.#commits.add({ source, next })
  }

  rewind(source: Source, offset: number): void {
    const name = sourceText(source)
    if (!this.#stale.has(name)) this.#lanes.get(name)?.rewind(offset)
  }

  #tell(): void {
    this.#told = true
    for (const [name, handled] of this.#busy) {
      if (this.#place.kept.has(name)) continue
      this.#stale.add(name)
      void handled.then(() => this.#stale.delete(name))
    }
  }

  /**
   * Looked at here, because Kafka would take the commit of any member for any partition. Until the listener was told what it
   * reads, what it says may be about an earlier time in which it had the same partition, and others may have got further since;
   * not so where it has had the partition all the while.
   */
  #mayCommit(source: Source): boolean {
    const name = sourceText(source)
    if (this.#place.kept.has(name)) return true
    return this.#told && !this.#stale.has(name) && this.#place.sources.some((own) => sourceText(own) === name)
  }

  async #assignments(): Promise<readonly Assignment[]> {
    const { sources } = this.#place
    const { signal } = this.#over
    return persist(
      'looking up where to start',
      async () => {
        const committed = await committedOf(this.#connection, this.#membership.group, sources)
        const bounds = await boundsOf(this.#connection, sources)
        return bounds.map(({ source, start: logStart, end }) => {
          const { next: own, view } = committed.get(sourceText(source)) ?? {}
          // Somebody who is not here at the moment: what lies before went into that view, and would be lacking in this one.
          if (this.#membership.isOther(view))
            throw new TidemarkError(
              'GROUP_SHARED',
              `consumer group ${this.#membership.group}: ${sourceText(source)} was committed up to ${own} by workers that write into another keyspace or table than this one`,
            )
          // Outside of the log there is nothing to go on from: retention was faster, or it is another log. The listener sees both numbers.
          const start = own !== undefined && own >= logStart && own <= end ? own : logStart
          return { source, kept: this.#place.kept.has(sourceText(source)), start, committed: own, logStart, end }
        })
      },
      { logger: this.#connection.logger, signal, missing: this.#connection.settings.missingTopicMs },
    )
  }

  /** One batch of a partition at a time, also where the handler of an earlier generation has not come back yet. */
  #deliver(batch: RecordBatch): Promise<void> {
    const name = sourceText(batch.source)
    const before = this.#busy.get(name)
    const work = (async () => {
      await before
      if (this.#over.signal.aborted) return
      await this.#listener.records(batch)
    })()
    const settled = work
      .catch((error) => this.end({ why: 'failed', error }))
      .finally(() => {
        if (this.#busy.get(name) === settled) this.#busy.delete(name)
      })
    this.#busy.set(name, settled)
    return settled
  }

  async #send(commits: readonly Commit[]): Promise<void> {
    const { signal } = this.#given
    if (signal.aborted) return
    try {
      await unlessAborted(signal, this.#membership.commit(this.#place, commits))
    } catch (error) {
      // The partitions are, or are about to be, another's, who starts at the commit before this one: nothing is lost.
      if (signal.aborted) return
      if (isLost(error)) this.#lose(error)
      else if (failureType(error) === 'REBALANCE_IN_PROGRESS') this.end({ why: 'rebalance' })
      // Whether a topic is gone for good is found out by fetching.
      else if (failureType(error) === 'UNKNOWN_TOPIC_OR_PARTITION')
        throw new TidemarkError('KAFKA_UNAVAILABLE', 'committing: the coordinator does not know the topic', {
          cause: error,
        })
      else throw asTidemark(error, 'committing')
    }
  }

  #lose(error: unknown): void {
    if (failureType(error) === 'UNKNOWN_MEMBER_ID') this.#membership.forget()
    this.end({ why: 'lost' })
  }
}
