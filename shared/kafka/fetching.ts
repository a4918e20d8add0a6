import { setTimeout as delay } from 'node:timers/promises'
import errors from 'kafkajs/src/protocol/error.js'
import { TidemarkError } from '../errors.ts'
import { sourceText } from '../events/position.ts'
import type { KafkaConnection } from './connection.ts'
import { asTidemark, isTransient, reason } from './failure.ts'
import { type Fetched, fetchFrom } from './fetch.ts'
import type { Ending } from './generation.ts'
import type { Lane } from './lane.ts'
import { Wake } from './wake.ts'

const OFFSET_OUT_OF_RANGE = 1
const UNKNOWN_TOPIC_OR_PARTITION = 3
/** Milliseconds a topic may be away (a broker that has just started knows none) before it counts as deleted. */
const TOPIC_PATIENCE = 30_000

/**
 * Fills the lanes of one generation: one loop per broker, which asks for the partitions that broker leads and whose lanes have
 * room. A broker that is away is asked again for as long as the generation lasts.
 */
export class Fetching {
  readonly #connection: KafkaConnection
  readonly #lanes: ReadonlyMap<string, Lane>
  readonly #end: (ending: Ending) => void
  readonly #over = new AbortController()
  readonly #loops = new Set<number>()
  readonly #room = new Wake()
  #searching = false
  #vanishedAt: number | undefined

  constructor(connection: KafkaConnection, lanes: ReadonlyMap<string, Lane>, end: (ending: Ending) => void) {
    this.#connection = connection
    this.#lanes = lanes
    this.#end = end
  }

  begin(): void {
    this.#spread()
  }

  end(): void {
    this.#over.abort()
    this.#room.wake()
  }

  /** A lane has room again. */
  wake(): void {
    this.#room.wake()
  }

  /** Sees to it that every partition is in the loop of its leader. */
  #spread(): void {
    const sources = [...this.#lanes.values()].map(({ source }) => source)
    const nodes = this.#connection.byLeader(sources)
    for (const node of nodes.keys()) if (!this.#loops.has(node)) void this.#loop(node)
    const led = [...nodes.values()].flat().length
    if (led < sources.length && !this.#searching) void this.#search()
    this.#room.wake()
  }

  /** A partition without a leader is in nobody's loop. */
  async #search(): Promise<void> {
    this.#searching = true
    await this.#refreshAfter(500)
    this.#searching = false
    if (!this.#over.signal.aborted) this.#spread()
  }

  async #loop(node: number): Promise<void> {
    this.#loops.add(node)
    for (let failures = 0; !this.#over.signal.aborted; ) {
      const led = [...this.#lanes.values()].filter(({ source }) => this.#connection.leader(source) === node)
      if (led.length === 0) break
      const lanes = led.filter(({ wants }) => wants)
      if (lanes.length === 0) {
        await this.#room.woken()
        continue
      }
      const well = await this.#fetch(node, lanes)
      failures = well ? 0 : failures + 1
      if (well) continue
      await this.#refreshAfter(Math.min(50 * 2 ** failures, 2_000))
      if (!this.#over.signal.aborted) this.#spread()
    }
    this.#loops.delete(node)
  }

  /** False if the broker, or one of the partitions, is not to be had there at the moment. */
  async #fetch(node: number, lanes: readonly Lane[]): Promise<boolean> {
    const { logger, settings } = this.#connection
    const wanted = lanes.map(({ source, position }) => ({ source, offset: position }))
    for (const lane of lanes) lane.fetching = true
    try {
      const answers = await this.#connection.ask(node, (broker) => fetchFrom(broker, wanted, settings))
      for (const lane of lanes) lane.fetching = false
      return answers.map((answer) => this.#take(answer)).every((taken) => taken)
    } catch (error) {
      if (!isTransient(error)) this.#end({ why: 'failed', error: asTidemark(error, `fetching from broker ${node}`) })
      else logger.debug(`fetching from broker ${node} failed`, { error: reason(error) })
      return false
    } finally {
      for (const lane of lanes) lane.fetching = false
    }
  }

  #take({ source, offset, errorCode, records, next, end }: Fetched): boolean {
    const lane = this.#lanes.get(sourceText(source))
    if (!lane || this.#over.signal.aborted) return true
    if (errorCode === OFFSET_OUT_OF_RANGE) {
      // Retention was faster than the worker, or the log was replaced: a new generation tells the listener where the log is now.
      if (offset === lane.position) this.#end({ why: 'moved' })
      return true
    }
    if (errorCode === UNKNOWN_TOPIC_OR_PARTITION) return this.#vanished(lane)
    if (errorCode !== 0) {
      const error = errors.createErrorFromCode(errorCode)
      if (!isTransient(error)) this.#end({ why: 'failed', error: asTidemark(error, `fetching ${sourceText(source)}`) })
      return false
    }
    if (lane.vanished) {
      // It may be another topic of the same name: whoever owns it looks at it as at a new assignment.
      this.#end({ why: 'moved' })
      return true
    }
    if (next !== undefined && next > offset) lane.push(offset, { source, records, next, end })
    return true
  }

  #vanished(lane: Lane): boolean {
    lane.vanished = true
    this.#vanishedAt ??= performance.now()
    if (performance.now() - this.#vanishedAt > TOPIC_PATIENCE) {
      this.#end({
        why: 'failed',
        error: new TidemarkError('TOPIC_MISSING', `partition ${sourceText(lane.source)} is gone while it was read`),
      })
    }
    return false
  }

  async #refreshAfter(ms: number): Promise<void> {
    const { signal } = this.#over
    await delay(ms, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    const topics = [...new Set([...this.#lanes.values()].map(({ source }) => source.topic))]
    await this.#connection
      .refresh(topics)
      .catch((error: unknown) =>
        this.#connection.logger.debug("Kafka's metadata can't be had", { error: reason(error) }),
      )
  }
}
