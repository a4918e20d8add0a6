import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, types } from 'cassandra-driver'
import { Partitioners } from 'kafkajs'
import { type BenchEvent, orderId } from './events.ts'
import { kafka } from './topic.ts'

/** Events go out in ticks of so many milliseconds. */
const TICK_MS = 5
/** Per second so many events are followed until a reader sees them. */
const FOLLOWED = 100
/** Events per request at most. */
const MOST = 1_000
const PATIENCE_MS = 60_000

export interface Traffic {
  readonly topic: string
  readonly perSecond: number
  readonly seconds: number
  /** The number of the first event. */
  readonly from: number
  /** Which order an event is about; those of neighbouring events must differ. */
  readonly order: (seq: number) => number
  readonly event: (order: number, seq: number) => BenchEvent
  /** `keyspace.table` in which the order's `seq` shows what was applied. */
  readonly table: string
  /** Ends it early. */
  readonly signal?: AbortSignal
}

/**
 * Produces at a steady rate. Gives for a sample of the events the milliseconds from just before they were handed to the producer
 * until a plain CQL read had them; a read follows the last as soon as that is answered, so it is exact to about one read.
 */
export async function produced(client: Client, traffic: Traffic): Promise<number[]> {
  const { topic, perSecond, seconds, from, order, event, table, signal } = traffic
  const producer = kafka('bench-traffic').producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  const every = Math.max(1, Math.round(perSecond / FOLLOWED))
  const select = `SELECT seq FROM ${table} WHERE order_id = ?`
  const failed = new AbortController()
  const over = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal
  const followed: Promise<number>[] = []
  const sends: Promise<void>[] = []
  const begin = performance.now()
  let next = from
  try {
    while (performance.now() - begin < seconds * 1000 && !over.aborted) {
      const due = from + Math.floor(((performance.now() - begin) * perSecond) / 1000)
      // What a stalled moment has left to be sent goes in pieces that Kafka takes.
      while (next < due) {
        const batch = Array.from({ length: Math.min(MOST, due - next) }, (_, index) => next + index)
        next += batch.length
        const at = performance.now()
        sends.push(send(batch))
        for (const seq of batch) if (seq % every === 0) followed.push(readable(seq, at))
      }
      await sleep(TICK_MS)
    }
    await Promise.all(sends)
    const ages = await Promise.all(followed)
    if (failed.signal.aborted) throw failed.signal.reason
    return ages
  } finally {
    failed.abort(new Error('the traffic has ended'))
    await Promise.allSettled(followed)
    await producer.disconnect()
  }

  async function send(batch: readonly number[]): Promise<void> {
    const messages = batch.map((seq) => event(order(seq), seq))
    await producer.send({ topic, messages, acks: -1 }).catch((error) => failed.abort(error))
  }

  async function readable(seq: number, at: number): Promise<number> {
    for (;;) {
      const read = { prepare: true, consistency: types.consistencies.localQuorum }
      const { rows } = await client.execute(select, [orderId(order(seq))], read)
      const age = performance.now() - at
      if ((rows[0]?.seq ?? -1) >= seq || failed.signal.aborted) return age
      if (age > PATIENCE_MS) failed.abort(new Error(`event ${seq} can't be read after ${PATIENCE_MS} ms`))
    }
  }
}

/** The value below which so large a part of the values lies. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}
