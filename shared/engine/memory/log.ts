import { TidemarkError } from '../../errors.ts'
import type { OutgoingRecord } from '../../events/encode.ts'
import type { LogRecord } from '../../events/event.ts'
import { type Position, type Source, sourceText } from '../../events/position.ts'
import type { Log, Publisher } from '../ports.ts'
import { MemoryGroup } from './group.ts'
import { MemoryMember, type MemorySourceOptions } from './member.ts'
import { MemoryPartition } from './partition.ts'
import { Signal } from './signal.ts'

/** A whole Kafka in memory, for tests: topics, consumer groups, and the faults of both. No timers but the drain deadline. */
export interface MemoryLog {
  readonly log: Log
  readonly publisher: Publisher
  /** Does nothing if the topic exists. */
  createTopic(topic: string, partitions: number): void
  /** Publishes by key, as the `publisher` does. */
  publish(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Position[]>
  /** Puts records into one partition, whatever their keys. */
  append(source: Source, records: readonly Partial<Omit<LogRecord, 'offset'>>[]): readonly Position[]
  /** Uses up offsets without records, as transactions and compaction do. */
  skip(source: Source, count: number): void
  /** A member of `group`, which joins when it is run. */
  source(group: string, topics: readonly string[], options?: MemorySourceOptions): MemoryMember
  /** Retention removes everything below `offset`. */
  truncate(source: Source, offset: number): void
  /** An unclean election loses everything from `offset` on. */
  cut(source: Source, offset: number): void
  /** Deletes a topic with what groups committed on it, and creates it empty. */
  recreateTopic(topic: string, partitions?: number): void
  /** Deletes what a group has committed, as an operator may: it starts over. */
  forget(group: string): void
  /** Adds partitions. Each group begins a generation, its first member without being drained, as kafkajs does. */
  addPartitions(topic: string, count: number): void
  /** Resolves when no group is rebalancing, every member has been delivered everything and no handler is in flight. */
  settled(): Promise<void>
}

/** `now` stamps records that bring no timestamp of their own. */
export function memoryLog({ now = Date.now }: { now?: () => number } = {}): MemoryLog {
  const topics = new Map<string, MemoryPartition[]>()
  const groups = new Map<string, MemoryGroup>()
  const signal = new Signal()

  const partitionsOf = (topic: string) => {
    const partitions = topics.get(topic)
    if (!partitions) throw new TidemarkError('TOPIC_MISSING', `topic ${topic} does not exist`)
    return partitions
  }
  const partition = (source: Source) => {
    const found = partitionsOf(source.topic)[source.partition]
    if (!found) throw new TidemarkError('TOPIC_MISSING', `partition ${sourceText(source)} does not exist`)
    return found
  }
  const extend = (topic: string, partitions: MemoryPartition[], count: number) => {
    for (let number = partitions.length; number < count; number++)
      partitions.push(new MemoryPartition({ topic, partition: number }))
  }
  const groupNamed = (name: string) => {
    const group = groups.get(name) ?? new MemoryGroup(partitionsOf, signal)
    groups.set(name, group)
    return group
  }

  async function publish(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Position[]> {
    const partitions = partitionsOf(topic)
    const timestamp = now()
    const positions = records.map(({ key, value, headers }) => {
      const target = partitions[hash(key) % partitions.length]!
      const offset = target.append({
        timestamp,
        key: Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
      })
      return { ...target.source, offset }
    })
    signal.notify()
    return positions
  }

  return {
    publish,
    publisher: { publish, close: async () => {} },
    log: {
      bounds: async (topic) =>
        new Map(partitionsOf(topic).map(({ source, start, end }) => [source.partition, { start, end }])),
      async *read(source, from, to, limit) {
        for (let position = from; position < to; ) {
          limit?.throwIfAborted()
          const batch = partition(source).fetch(position, 100)
          if (!batch || batch.next <= position) return
          const records = batch.records.filter(({ offset }) => offset < to)
          if (records.length > 0) yield records
          position = batch.next
        }
      },
      committed: async (group, topic) => {
        const committed = groups.get(group)?.committed
        const known = partitionsOf(topic).flatMap(({ source }) => {
          const offset = committed?.get(sourceText(source))
          return offset === undefined ? [] : [[source.partition, offset] as const]
        })
        return new Map(known)
      },
    },
    createTopic(topic, count) {
      if (!topics.has(topic)) topics.set(topic, [])
      extend(topic, partitionsOf(topic), count)
    },
    append(source, records) {
      const target = partition(source)
      const positions = records.map(({ timestamp = now(), key = null, value = null, headers = {} }) => ({
        ...target.source,
        offset: target.append({ timestamp, key, value, headers }),
      }))
      signal.notify()
      return positions
    },
    skip(source, count) {
      partition(source).skip(count)
      signal.notify()
    },
    source: (group, names, options) => new MemoryMember(groupNamed(group), names, options),
    truncate(source, offset) {
      partition(source).truncate(offset)
      signal.notify()
    },
    cut(source, offset) {
      partition(source).cut(offset)
      signal.notify()
    },
    recreateTopic(topic, count = partitionsOf(topic).length) {
      const fresh: MemoryPartition[] = []
      extend(topic, fresh, count)
      topics.set(topic, fresh)
      for (const group of groups.values()) {
        for (const source of group.committed.keys()) if (source.startsWith(`${topic}/`)) group.committed.delete(source)
        const [first] = group.members
        if (first?.topics.includes(topic)) group.rebalance(first)
      }
    },
    forget: (name) => groupNamed(name).committed.clear(),
    addPartitions(topic, count) {
      const partitions = partitionsOf(topic)
      extend(topic, partitions, partitions.length + count)
      for (const group of groups.values()) {
        const [first] = group.members
        if (first?.topics.includes(topic)) group.rebalance(first)
      }
    },
    settled: () =>
      signal.until(() =>
        [...groups.values()].every((group) => group.stable && group.members.every((member) => member.idle)),
      ),
  }
}

/** FNV-1a: the same key goes to the same partition, which is all that a test may rely on. */
function hash(key: string): number {
  let state = 0x811c9dc5
  for (const byte of Buffer.from(key)) state = Math.imul(state ^ byte, 0x01000193)
  return state >>> 0
}
