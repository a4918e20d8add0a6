import { setTimeout as delay } from 'node:timers/promises'
import type { Assignment, RecordBatch, SourceListener } from '../engine/ports.ts'
import { type Source, sourceText } from '../events/position.ts'
import { type Commit, Commits } from './commits.ts'
import type { KafkaConnection } from './connection.ts'
import { asTidemark, failureType, isLost, isTransient, reason } from './failure.ts'
import { Fetching } from './fetching.ts'
import { Lane } from './lane.ts'
import type { Membership, Place } from './membership.ts'
import { boundsOf, committedOf } from './offsets.ts'
import { persist, within } from './retry.ts'

/** Why a generation ended. `rebalance` members come or go; `lost` the group goes on without us; `moved` the log is not where it was. */
export type Ending =
  | { readonly why: 'rebalance' | 'lost' | 'moved' | 'stop' }
  | { readonly why: 'failed'; readonly error: unknown }

/** Milliseconds a commit may take before it is KAFKA_UNAVAILABLE. */
const COMMIT_PATIENCE = 15_000

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
  /** The listener's answer to `assigned`; undefined while it was not asked. */
  #taken: Promise<void> | undefined

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
    void this.#keepAlive()
    try {
      const assignments = await this.#assignments()
      if (this.#over.signal.aborted) return
      this.#taken = this.#listener.assigned(assignments)
      this.#taken.catch((error) => this.end({ why: 'failed', error }))
      await Promise.race([this.#taken, this.ended])
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
      this.#fetching.begin()
    } catch (error) {
      if (!this.#over.signal.aborted) this.end({ why: 'failed', error })
    }
  }

  /** Drains: see README, "The barrier". Resolves when everything delivered is written and committed, or after `deadline` ms. */
  async close(deadline: number): Promise<void> {
    this.#fetching.end()
    for (const lane of this.#lanes.values()) lane.close()
    this.#commits.hurry()
    if (this.#taken) {
      const drained = this.#taken
        .then(() => this.#listener.drain())
        .catch((error) =>
          this.#connection.logger.warn('what could not be drained will be delivered again', { error: reason(error) }),
        )
      const outcome = await within(deadline, Promise.all([drained, ...this.#busy.values()]))
      if (outcome === 'late')
        this.#connection.logger.warn(`not drained after ${deadline} ms: what is not committed will be delivered again`)
      await within(deadline, this.#commits.settled())
    }
    this.#lanes.clear()
    this.#given.abort()
  }

  /** Ownership is looked at here, because Kafka would take the commit of any member for any partition. */
  async commit(source: Source, next: number): Promise<void> {
    if (this.#given.signal.aborted || !this.#owns(source)) return
    await this.#commits.add({ source, next })
  }

  rewind(source: Source, offset: number): void {
    this.#lanes.get(sourceText(source))?.rewind(offset)
  }

  #owns({ topic, partition }: Source): boolean {
    return this.#place.sources.some((own) => own.topic === topic && own.partition === partition)
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
          const own = committed.get(sourceText(source))
          // Outside of the log there is nothing to go on from: retention was faster, or it is another log. The listener sees both numbers.
          const start = own !== undefined && own >= logStart && own <= end ? own : logStart
          return { source, kept: this.#place.kept.has(sourceText(source)), start, committed: own, logStart, end }
        })
      },
      { logger: this.#connection.logger, signal },
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
    const { logger } = this.#connection
    await persist(
      'committing',
      async () => {
        try {
          await this.#membership.commit(this.#place, commits)
        } catch (error) {
          // The partitions are, or are about to be, another's, who starts at the commit before this one: nothing is lost.
          if (isLost(error)) this.#lose(error)
          else if (failureType(error) === 'REBALANCE_IN_PROGRESS') this.end({ why: 'rebalance' })
          else throw error
        }
      },
      { logger, signal: this.#given.signal, deadline: COMMIT_PATIENCE },
    )
  }

  #lose(error: unknown): void {
    if (failureType(error) === 'UNKNOWN_MEMBER_ID') this.#membership.forget()
    this.end({ why: 'lost' })
  }

  /**
   * Heartbeats depend on nothing but time: not on fetching, which stops where all partitions are held, nor on handlers. While the
   * group rebalances they are answered with REBALANCE_IN_PROGRESS and count all the same.
   */
  async #keepAlive(): Promise<void> {
    const { logger, settings } = this.#connection
    const counts = this.#membership.partitionCounts()
    const { signal } = this.#given
    for (let missed = 0; !signal.aborted; ) {
      await delay(heartbeatInterval(settings.sessionTimeoutMs), undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      try {
        await this.#membership.heartbeat(this.#place)
        missed = 0
        if (this.#place.leads && (await this.#membership.grown(counts))) this.end({ why: 'rebalance' })
      } catch (error) {
        if (failureType(error) === 'REBALANCE_IN_PROGRESS') this.end({ why: 'rebalance' })
        else if (isLost(error)) return this.#lose(error)
        else if (!isTransient(error))
          return this.end({ why: 'failed', error: asTidemark(error, `heartbeat of group ${this.#membership.group}`) })
        else if (++missed === 3)
          logger.warn("heartbeats don't reach Kafka: the group may go on without this member", { error: reason(error) })
      }
    }
  }
}

/** Rebalances are noticed by heartbeats, so they are more frequent than staying alive asks for. */
export function heartbeatInterval(sessionTimeoutMs: number): number {
  return Math.min(1_000, sessionTimeoutMs / 4)
}
