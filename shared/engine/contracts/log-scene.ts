import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'
import { TidemarkError } from '../../errors.ts'
import type { OutgoingRecord } from '../../events/encode.ts'
import { type Position, type Source, sourceText } from '../../events/position.ts'
import type { EventSource, Log, Publisher } from '../ports.ts'
import { RecordingListener } from './listener.ts'

/** What a suite needs of the log under test. Names are made unique by the suite. */
export interface LogCluster {
  readonly log: Log
  readonly publisher: Publisher
  createTopic(topic: string, partitions: number): Promise<void>
  deleteTopic(topic: string): Promise<void>
  /** A member that is not running yet. */
  source(group: string, topics: readonly string[]): EventSource
  close(): Promise<void>
}

export const unique = (what: string) => `${what}_${crypto.randomUUID().slice(0, 13)}`

/** Declares the tests of one port; the cluster is made before them and closed after. */
export function suite(name: string, makeCluster: () => Promise<LogCluster>, declare: (scene: Scene) => void): void {
  describe(name, () => {
    const scene = new Scene()
    beforeAll(async () => {
      scene.cluster = await makeCluster()
    })
    afterAll(() => scene.cluster.close())
    declare(scene)
  })
}

/** What the tests of a suite share: the cluster, and topics and members that are gone when their test is. */
export class Scene {
  cluster!: LogCluster

  async topic(partitions: number): Promise<string> {
    const topic = unique('contract')
    await this.cluster.createTopic(topic, partitions)
    onTestFinished(() => this.cluster.deleteTopic(topic))
    return topic
  }

  /** A promise that is fulfilled by the test, or by its end. */
  gate(): PromiseWithResolvers<void> {
    const gate = Promise.withResolvers<void>()
    onTestFinished(() => gate.resolve())
    return gate
  }

  /** A running member with its listener. */
  member(group: string, topic: string, prepare: (listener: RecordingListener) => void = () => {}) {
    const source = this.cluster.source(group, [topic])
    const listener = new RecordingListener()
    prepare(listener)
    listener.follow(source)
    onTestFinished(() => source.stop())
    return { source, listener }
  }

  /** `count` events for each partition, in order, numbered from `first` on; each partition has its own keys. */
  async fill(topic: string, partitions: number, count: number, first = 0): Promise<readonly Position[]> {
    const keys = await this.keys(topic, partitions)
    const numbers = Array.from({ length: count }, (_, index) => first + index)
    return this.cluster.publisher.publish(
      topic,
      numbers.flatMap((number) => keys.map((key) => record(key, String(number)))),
    )
  }

  /** One key for each partition, found by publishing until each was met; those records have the value `probe`. */
  async keys(topic: string, partitions: number): Promise<readonly string[]> {
    const known = this.#keys.get(topic) ?? new Map<number, string>()
    this.#keys.set(topic, known)
    for (let number = 0; known.size < partitions; number++) {
      const key = `key-${number}`
      const [position] = await this.cluster.publisher.publish(topic, [record(key, 'probe')])
      if (position && !known.has(position.partition)) known.set(position.partition, key)
    }
    return [...known].sort(([a], [b]) => a - b).map(([, key]) => key)
  }
  readonly #keys = new Map<string, Map<number, string>>()

  async ends(topic: string): Promise<ReadonlyMap<string, number>> {
    const bounds = await this.cluster.log.bounds(topic)
    return new Map([...bounds].map(([partition, { end }]) => [sourceText({ topic, partition }), end]))
  }
}

export const record = (key: string, value: string | null, headers: Record<string, string> = {}): OutgoingRecord => ({
  key,
  value,
  headers,
})
export const sources = (topic: string, count: number): Source[] =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }))
export const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => index + from)
/** The numbers that `fill` published, without its probes. */
export const events = (values: readonly string[]) => values.filter((value) => value !== 'probe').map(Number)

/** The code of the TidemarkError that work rejects with. */
export async function code(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof TidemarkError ? error.code : `no TidemarkError: ${error}`
}
