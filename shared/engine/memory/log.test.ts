import { eventSourceContract, type LogCluster, logContract, publisherContract } from '../contracts/log.ts'
import { memoryLog } from './log.ts'

async function cluster(): Promise<LogCluster> {
  const memory = memoryLog()
  return {
    log: memory.log,
    publisher: memory.publisher,
    createTopic: async (topic, partitions) => memory.createTopic(topic, partitions),
    deleteTopic: async () => {},
    source: (group, topics) => memory.source(group, topics),
    close: async () => {},
  }
}

publisherContract('the in-memory log', cluster)
logContract('the in-memory log', cluster)
eventSourceContract('the in-memory log', cluster)
