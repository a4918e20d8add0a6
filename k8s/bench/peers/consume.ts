import { handled } from '../handled.ts'
import { kafka } from '../topic.ts'
import { endWith, groupId, topic } from './orders.ts'

// The limit of everything that reads with kafkajs: consume and do nothing, or nothing but JSON.parse.
const parse = process.argv[2] === 'parse'
const consumer = kafka('consume').consumer({ groupId, maxWaitTimeInMs: 100 })
await consumer.connect()
await consumer.subscribe({ topics: [topic], fromBeginning: true })
endWith(() => consumer.disconnect())
let types = 0
await consumer.run({
  partitionsConsumedConcurrently: 12,
  eachBatch: async ({ batch }) => {
    handled()
    if (parse) for (const { value } of batch.messages) types += JSON.parse(String(value)).type.length
  },
})
process.once('exit', () => process.stdout.write(`bench: ${types} letters of types\n`))
