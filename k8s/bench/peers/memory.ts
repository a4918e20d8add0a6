import { eventId, happenedAt, orderData, unique, zipf } from '../events.ts'
import { handled } from '../handled.ts'
import { cassandra, insert, options, row, work } from './orders.ts'

// The limit of everything that writes a row per event with the Node driver: rows from memory, no Kafka, ten to a batch.
const count = Number(process.env.BENCH_EVENTS)
const orders = work === 'w1' ? unique : zipf(count, Number(process.env.BENCH_ENTITIES))
const client = await cassandra()
await client.execute(insert, params(0), options)
handled()
let next = 0
await Promise.all(Array.from({ length: 64 }, write))
process.stdout.write('bench: done\n')
await client.shutdown()

async function write(): Promise<void> {
  while (next < count) {
    const from = next
    next = Math.min(count, from + 10)
    const rows = Array.from({ length: next - from }, (_, index) => ({ query: insert, params: params(from + index) }))
    await client.batch(rows, { ...options, logged: false })
  }
}

function params(seq: number): unknown[] {
  return row(eventId(seq), new Date(happenedAt(seq)), orderData(orders(seq), seq))
}
