import type { LogRecord } from '../events/event.ts'
import type { Source } from '../events/position.ts'
import type { Produced } from './produced.ts'

/** A record and where Kafka put it. */
export interface Placed {
  readonly source: Source
  readonly record: LogRecord
}

/** One way in which Kafka may deliver a log: batches, and parts of them again. */
export interface Delivery {
  readonly name: string
  readonly batches: readonly (readonly Placed[])[]
}

/** Puts what was produced into partitions by key, in order, as Kafka does. */
export function placed(produced: readonly Produced[], partitions: (topic: string) => number): Placed[] {
  const ends = new Map<string, number>()
  return produced.map(({ topic, record }, index) => {
    const { key, ...rest } = record(`event-${index + 1}`)
    const partition = key === null ? 0 : hash(key) % partitions(topic)
    const offset = ends.get(`${topic}/${partition}`) ?? 0
    ends.set(`${topic}/${partition}`, offset + 1)
    return { source: { topic, partition }, record: { ...rest, key, offset } }
  })
}

/** FNV-1a: stable and even, which is all that placing needs. */
function hash(key: Buffer): number {
  let hashed = 0x811c9dc5
  for (const byte of key) hashed = Math.imul(hashed ^ byte, 0x01000193) >>> 0
  return hashed
}

/** Several deliveries of one log; after all of them a view must hold the same rows. */
export function deliveries(log: readonly Placed[]): readonly Delivery[] {
  const twice = (batches: readonly (readonly Placed[])[]) => batches.flatMap((batch) => [batch, batch])
  return [
    { name: 'all at once', batches: twice([log]) },
    { name: 'one by one', batches: twice(log.map((one) => [one])) },
    ...[1, 2, 3].map((seed) => ({
      name: `cut and redelivered at random (${seed})`,
      batches: atRandom(log, chance(seed)),
    })),
  ]
}

/** Order holds within a partition only: between partitions batches come as they like, and any may start again further back. */
function atRandom(log: readonly Placed[], below: (limit: number) => number): readonly (readonly Placed[])[] {
  const queues = [...Map.groupBy(log, ({ source }) => `${source.topic}/${source.partition}`).values()].map(
    (records) => ({ records, next: 0 }),
  )
  const batches: Placed[][] = []
  for (let open = queues; open.length > 0; open = open.filter(({ records, next }) => next < records.length)) {
    const queue = open[below(open.length)]!
    const from = below(3) === 0 ? below(queue.next + 1) : queue.next
    queue.next = Math.max(queue.next, Math.min(queue.records.length, from + 1 + below(4)))
    const batch = queue.records.slice(from, queue.next)
    batches.push(batch, batch)
  }
  return batches
}

/** The same "random" numbers every time (mulberry32), so that a spec that fails goes on failing. */
function chance(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}
