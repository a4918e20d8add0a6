import type { KafkaSettings } from './settings.ts'

/** The broker of the tests: the local stack's, or the one that KAFKA_BROKERS names. */
export function testSettings(more: Partial<KafkaSettings> = {}): KafkaSettings {
  const brokers = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9092').split(',')
  return { brokers, clientId: 'tidemark-test', missingTopicMs: 1_000, ...more }
}
