import { handled } from '../handled.ts'
import { kafka } from '../topic.ts'
import { cassandra, endWith, groupId, insert, options, topic, values } from './orders.ts'

// The code most people write: one message, one statement, wait for it.
const client = await cassandra()
const consumer = kafka('each-message').consumer({ groupId })
await consumer.connect()
await consumer.subscribe({ topics: [topic], fromBeginning: true })
endWith(() => consumer.disconnect())
await consumer.run({
  eachMessage: async ({ message }) => {
    handled()
    if (message.value) await client.execute(insert, values(message.value), options)
  },
})
