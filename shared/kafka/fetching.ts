import { setTimeout as delay } from 'node:timers/promises'
import errors from 'kafkajs/src/protocol/error.js'
import { TidemarkError } from '../errors.ts'
import { sourceText } from '../events/position.ts'
import type { KafkaConnection } from './connection.ts'
import { asTidemark, isTransient, reason } from './failure.ts'
import { type Fetched, type FetchFrom, fetchFrom } from './fetch.ts'
import type { Ending } from './generation.ts'
import type { Lane } from './lane.ts'

const OFFSET_OUT_OF_RANGE = 1
const UNKNOWN_TOPIC_OR_PARTITION = 3
/** Milliseconds a topic may be away (a broker that has just started knows none) before it counts as deleted. */
const TOPIC_PATIENCE = 30_000

/** Asks one broker for records. */
export type Fetch = (node: number, wanted: readonly FetchFrom[]) => Promise<readonly Fetched[]>

/**
 * Fills the lanes of one generation: one loop per broker, which lasts for as long as partitions that broker leads have room. A
 * broker that is away is asked again for as long as the generation lasts.
 *
 * Leaders move at any moment, so no loop owns a partition: whenever one begins to want records (`wake`), and before every fetch,
 * it is seen to that whatever wants records has a loop at its leader of now.
 */
export class Fetching {
  readonly #connection: KafkaConnection
  readonly #lanes: ReadonlyMap<string, Lane>
  readonly #end: (ending: Ending) => void
  readonly #fetchFrom: Fetch
  readonly #over = new AbortController()
  readonly #loops = new Set<number>()
  #searching = false
  #refreshing: Promise<void> | undefined
  #vanishedAt: number | undefined

  constructor(
    connection: KafkaConnection,
    lanes: ReadonlyMap<string, Lane>,
    end: (ending: Ending) => void,
    fetch: Fetch = (node, wanted) => connection.ask(node, (broker) => fetchFrom(broker, wanted, connection.settings)),
  ) {
    this.#connection = connection
    this.#lanes = lanes
    this.#end = end
    this.#fetchFrom = fetch
  }

  end(): void {
    this.#over.abort()
  }

  /** Lanes may want records that did not before: they are there, have room again, or have rested. */
  wake(): void {
    if (this.#over.signal.aborted) return
    for (const lane of this.#lanes.values()) {
      if (!lane.wants) continue
      const node = this.#connection.leader(lane.source)
      if (node === undefined) void this.#search()
      else if (!this.#loops.has(node)) void this.#loop(node)
    }
  }

  /** A partition without a leader is in nobody's loop. */
  async #search(): Promise<void> {
    if (this.#searching) return
    this.#searching = true
    await this.#refreshAfter(500)
    this.#searching = false
    this.wake()
  }

  async #loop(node: number): Promise<void> {
    this.#loops.add(node)
    for (let failures = 0; !this.#over.signal.aborted; ) {
      this.wake()
      const lanes = [...this.#lanes.values()].filter(
        ({ wants, source }) => wants && this.#connection.leader(source) === node,
      )
      if (lanes.length === 0) break
      const well = await this.#fetch(node, lanes)
      failures = well ? 0 : failures + 1
      if (!well) await this.#refreshAfter(backOff(failures))
    }
    this.#loops.delete(node)
  }

  /** False if the broker is not to be had at the moment. */
  async #fetch(node: number, lanes: readonly Lane[]): Promise<boolean> {
    for (const lane of lanes) lane.fetching = true
    const answers = await this.#ask(node, lanes)
    // Before anything else is done: what is taken makes room, and another loop may begin with these lanes at once.
    for (const lane of lanes) lane.fetching = false
    // A topic that is gone is gone with all its partitions, whatever the others seem to hold: that is looked at first.
    const gone = (answers ?? []).filter(({ errorCode }) => errorCode === UNKNOWN_TOPIC_OR_PARTITION)
    for (const { source } of gone)
      for (const lane of this.#lanes.values()) if (lane.source.topic === source.topic) lane.vanished = true
    for (const answer of answers ?? []) this.#take(answer)
    return answers !== undefined
  }

  async #ask(node: number, lanes: readonly Lane[]): Promise<readonly Fetched[] | undefined> {
    const { logger } = this.#connection
    const wanted = lanes.map((lane) => lane.fetch())
    try {
      return await this.#fetchFrom(node, wanted)
    } catch (error) {
      if (!isTransient(error)) this.#end({ why: 'failed', error: asTidemark(error, `fetching from broker ${node}`) })
      else logger.debug(`fetching from broker ${node} failed`, { error: reason(error) })
      return undefined
    }
  }

  #take({ source, offset, errorCode, unreadable, records, next, end, stable }: Fetched): void {
    const lane = this.#lanes.get(sourceText(source))
    if (!lane || this.#over.signal.aborted) return
    if (errorCode === OFFSET_OUT_OF_RANGE) {
      // Retention was faster than the worker, or the log was replaced: a new generation tells the listener where the log is now.
      if (lane.awaits(offset)) this.#end({ why: 'moved' })
      return
    }
    if (errorCode !== 0) this.#refused(lane, errorCode)
    // It may be another topic of the same name: whoever owns it looks at it as at a new assignment.
    else if (lane.vanished) this.#end({ why: 'moved' })
    else if (lane.replaced(offset, records)) this.#end({ why: 'moved' })
    else if (unreadable) this.#hold(lane, unreadable)
    else {
      // What was read before says nothing about what could not be read behind it.
      if (offset === lane.position || (next ?? offset) > lane.position) lane.failures = 0
      // Behind what is decided of transactions nothing is delivered: that is the end for now.
      if (next !== undefined && next > offset)
        lane.push(offset, { source, records, next, end: stable < 0 ? end : Math.min(end, stable) })
    }
  }

  /** A partition that can't be had where it was looked for, while others of the same broker can. */
  #refused(lane: Lane, errorCode: number): void {
    const error = errors.createErrorFromCode(errorCode)
    const name = sourceText(lane.source)
    if (errorCode === UNKNOWN_TOPIC_OR_PARTITION) {
      lane.vanished = true
      this.#vanishedAt ??= performance.now()
      if (performance.now() - this.#vanishedAt > TOPIC_PATIENCE)
        this.#end({
          why: 'failed',
          error: new TidemarkError('TOPIC_MISSING', `partition ${name} is gone while it was read`),
        })
    } else if (!isTransient(error)) this.#end({ why: 'failed', error: asTidemark(error, `fetching ${name}`) })
    void this.#rest(lane, backOff(++lane.failures))
  }

  /** Waiting mends neither a missing codec nor damaged bytes, but a fleet that ended for one partition would stop all the others. */
  #hold(lane: Lane, error: TidemarkError): void {
    const pause = Math.min(1_000 * 2 ** lane.failures++, 30_000)
    this.#connection.logger.warn(
      `partition ${sourceText(lane.source)} is held, the others go on; read again in ${pause / 1_000} s`,
      { error: reason(error) },
    )
    void this.#rest(lane, pause)
  }

  /** Leaves one partition alone for a while. Its leader may be another afterwards. */
  async #rest(lane: Lane, ms: number): Promise<void> {
    lane.resting = true
    await this.#refreshAfter(ms)
    lane.resting = false
    this.wake()
  }

  /** Asks who leads what, once for all who want to know at the same time. */
  async #refreshAfter(ms: number): Promise<void> {
    const { signal } = this.#over
    await delay(ms, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    await this.#refreshing
  }

  async #refresh(): Promise<void> {
    const topics = [...new Set([...this.#lanes.values()].map(({ source }) => source.topic))]
    await this.#connection
      .refresh(topics)
      .catch((error: unknown) =>
        this.#connection.logger.debug("Kafka's metadata can't be had", { error: reason(error) }),
      )
  }
}

/** Milliseconds to wait after so many failures in a row. */
function backOff(failures: number): number {
  return Math.min(50 * 2 ** failures, 2_000)
}
