import type { EventSource, SourceListener } from '../engine/ports.ts'
import type { Source } from '../events/position.ts'
import { KafkaConnection } from './connection.ts'
import { Generation } from './generation.ts'
import { Membership, names } from './membership.ts'
import { persist, within } from './retry.ts'
import { type KafkaLogger, type KafkaSettings, silent } from './settings.ts'

/** Milliseconds for the last words to the coordinator; a member that could not say them times out. */
const FAREWELL = 3_000

/**
 * One member of a consumer group, as the engine wants it (see `EventSource`). Generations follow each other: join, begin, deliver
 * until a sign of the end, drain, join again. It rides out outages of any length; what it can't mend ends `run` with the error.
 *
 * Of a partition that is read to its end nothing is delivered until there are new records, so the `end` of its last batch is
 * where the log ended then; an engine that holds a partition back, or wants fresh ends while idle, asks `Log.bounds`.
 */
export class KafkaSource implements EventSource {
  readonly #connection: KafkaConnection
  readonly #membership: Membership
  readonly #group: string
  readonly #topics: readonly string[]
  readonly #halt = new AbortController()
  readonly #busy = new Map<string, Promise<void>>()
  #generation: Generation | undefined
  #joining: Promise<unknown> = Promise.resolve()
  #finished: Promise<void> | undefined

  /** `view`: names what the group writes into, asked at each joining; `run` rejects with GROUP_SHARED where others write elsewhere. */
  constructor(
    settings: KafkaSettings,
    group: string,
    topics: readonly string[],
    logger: KafkaLogger = silent,
    view?: () => string | undefined,
  ) {
    this.#connection = new KafkaConnection(settings, logger)
    this.#group = group
    this.#topics = topics
    this.#membership = new Membership(this.#connection, group, topics, view)
  }

  run(listener: SourceListener): Promise<void> {
    this.#finished ??= this.#run(listener)
    return this.#finished
  }

  async commit(source: Source, next: number): Promise<void> {
    await this.#generation?.commit(source, next)
  }

  rewind(source: Source, offset: number): void {
    this.#generation?.rewind(source, offset)
  }

  /** 1 nothing more is delivered · 2 the listener drains · 3 what it commits is sent, while the place is still held · 4 the group is left · 5 sockets close, by a timer at the latest. */
  async stop(): Promise<void> {
    this.#halt.abort()
    this.#generation?.end({ why: 'stop' })
    if (this.#finished) await this.#finished.catch(() => {})
    else await this.#connection.close()
  }

  async #run(listener: SourceListener): Promise<void> {
    const { logger } = this.#connection
    try {
      await this.#persist(`group ${this.#group}`, () => this.#connection.know(this.#topics))
      while (!this.#halt.signal.aborted) await this.#live(listener)
    } catch (error) {
      if (!this.#halt.signal.aborted || error !== this.#halt.signal.reason) throw error
    } finally {
      await within(
        FAREWELL,
        this.#joining.then(() => this.#membership.leave()),
      )
      await this.#connection.close()
      logger.info(`group ${this.#group}: left`)
    }
  }

  /** One generation, from joining to having drained. */
  async #live(listener: SourceListener): Promise<void> {
    const { logger, settings } = this.#connection
    const place = await this.#persist(`joining group ${this.#group}`, () => {
      const joined = this.#membership.join()
      this.#joining = joined.catch(() => {})
      return joined
    })
    logger.info(`group ${this.#group}: generation ${place.generation} begins`, {
      memberId: place.memberId,
      partitions: names(place.sources),
    })
    const generation = new Generation(this.#connection, this.#membership, place, listener, this.#busy)
    this.#generation = generation
    if (this.#halt.signal.aborted) generation.end({ why: 'stop' })
    void generation.begin()
    const ending = await generation.ended
    logger.info(`group ${this.#group}: generation ${place.generation} ends (${ending.why})`)
    await generation.close(drainDeadline(settings))
    if (ending.why === 'failed') throw ending.error
  }

  /** A stop waits for nothing: neither for Kafka to come back nor for the other members to join. */
  #persist<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { logger, settings } = this.#connection
    return persist(what, work, { logger, signal: this.#halt.signal, missing: settings.missingTopicMs })
  }
}

/** Milliseconds kept for noticing, with a heartbeat that is answered late. */
const NOTICING = 1_000
/** Milliseconds kept for joining again, with a request that is answered late. */
const REJOINING = 3_000

/**
 * The group waits for the rebalance timeout, counted from before this member noticed, and that includes joining again. So a
 * drain has the timeout less 1 s for noticing and 3 s for joining (of 20 s: 16 s), and at least half of it.
 */
function drainDeadline({ rebalanceTimeoutMs }: { rebalanceTimeoutMs: number }): number {
  return Math.max(rebalanceTimeoutMs / 2, rebalanceTimeoutMs - NOTICING - REJOINING)
}
