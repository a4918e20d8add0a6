import { Client, types } from 'cassandra-driver'
import type { OrderData } from '../events.ts'

/** What all Node peers share, so that they differ in nothing but how they consume and write. */
export const work = process.env.BENCH_WORK === 'w1' ? 'w1' : 'w2'
export const topic = process.env.BENCH_TOPIC ?? 'bench'
export const groupId = process.env.BENCH_GROUP ?? 'bench'
const table = `${process.env.CASSANDRA_KEYSPACE ?? 'bench'}.bench_${work}_v1`

const columns = ['order_id', 'seq', 'status', 'amount_cents', 'currency', 'customer', 'updated_at']
const all = work === 'w1' ? ['id', ...columns] : columns
export const insert = `INSERT INTO ${table} (${all.join(', ')}) VALUES (${all.map(() => '?').join(', ')})`
export const options = { prepare: true, isIdempotent: true, consistency: types.consistencies.localQuorum } as const

/** The values of the row that an event states, from a CloudEvent. */
export function values(message: Buffer): unknown[] {
  const { id, time, data } = JSON.parse(message.toString()) as { id: string; time: string; data: OrderData }
  return row(id, new Date(time), data)
}

export function row(id: string, at: Date, data: OrderData): unknown[] {
  const amount = types.Long.fromNumber(data.amountCents)
  const state = [data.orderId, data.seq, data.status, amount, data.currency, data.customer, at]
  return work === 'w1' ? [id, ...state] : state
}

export async function cassandra(): Promise<Client> {
  const client = new Client({
    contactPoints: (process.env.CASSANDRA_CONTACT_POINTS ?? '127.0.0.1:9042').split(','),
    localDataCenter: process.env.CASSANDRA_LOCAL_DATACENTER ?? 'dc1',
  })
  await client.connect()
  return client
}

/** Ends the process as asked to, when what was begun has ended. */
export function endWith(close: () => Promise<unknown>): void {
  process.once('SIGTERM', () => void close().finally(() => process.exit(0)))
}
