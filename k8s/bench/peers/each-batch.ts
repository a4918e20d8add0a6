import pLimit from 'p-limit'
import { handled } from '../handled.ts'
import { kafka } from '../topic.ts'
import { cassandra, endWith, groupId, insert, options, topic, values } from './orders.ts'

/** Messages between two heartbeats. */
const PIECE = 1_000

// Careful code by hand: all partitions at once, 512 statements in flight, offsets committed when their writes are through. The
// driver's timestamps grow with each statement, so that of two writes to one row the later one wins.
const limit = pLimit(512)
const client = await cassandra()
const consumer = kafka('each-batch').consumer({ groupId, maxWaitTimeInMs: 100 })
await consumer.connect()
await consumer.subscribe({ topics: [topic], fromBeginning: true })
endWith(() => consumer.disconnect())
await consumer.run({
  partitionsConsumedConcurrently: 12,
  eachBatchAutoResolve: false,
  eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
    handled()
    for (let from = 0; from < batch.messages.length; from += PIECE) {
      if (!isRunning() || isStale()) return
      const piece = batch.messages.slice(from, from + PIECE)
      await Promise.all(piece.map(({ value }) => value && limit(() => client.execute(insert, values(value), options))))
      resolveOffset(piece[piece.length - 1]!.offset)
      await heartbeat()
    }
  },
})
