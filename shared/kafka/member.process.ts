import { KafkaSource } from './index.ts'
import { testSettings } from './testing.ts'

/**
 * One member as a process of its own, for tests that kill it: prints what it is given as lines of JSON, and commits each batch
 * after it was printed. Arguments: group, topic.
 */
const [group = '', topic = ''] = process.argv.slice(2)
const source = new KafkaSource(testSettings({ sessionTimeoutMs: 6_000 }), group, [topic])
const say = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`)

process.on('SIGTERM', () => void source.stop())
await source.run({
  assigned: async (assignments) => say({ assigned: assignments.map(({ source: { partition } }) => partition) }),
  records: async ({ source: own, records, next }) => {
    say({ partition: own.partition, values: records.map(({ value }) => Number(value)) })
    await source.commit(own, next)
  },
  drain: async () => say({ drained: true }),
})
