import { eventSourceContract, type LogCluster, logContract, publisherContract } from '../engine/contracts/log.ts'
import { KafkaAdmin, KafkaLog, KafkaPublisher, KafkaSource } from './index.ts'
import { testSettings } from './testing.ts'

async function cluster(): Promise<LogCluster> {
  const settings = testSettings()
  const admin = new KafkaAdmin(settings)
  const log = new KafkaLog(settings)
  const publisher = new KafkaPublisher(settings)
  return {
    log,
    publisher,
    createTopic: async (topic, partitions) => {
      await admin.createTopics([{ name: topic, partitions }])
    },
    deleteTopic: (topic) => admin.deleteTopics([topic]),
    source: (group, topics) => new KafkaSource(settings, group, topics),
    close: async () => {
      await Promise.all([admin.close(), log.close(), publisher.close()])
    },
  }
}

publisherContract('Kafka', cluster)
logContract('Kafka', cluster)
eventSourceContract('Kafka', cluster)
