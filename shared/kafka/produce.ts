import './version.ts'
import type { Broker } from 'kafkajs/src/cluster/index.js'
import apiKeys from 'kafkajs/src/protocol/requests/apiKeys.js'
import protocol from 'kafkajs/src/protocol/requests/index.js'
import type { OutgoingRecord } from '../events/encode.ts'

/** What Kafka gave a producer to be known by: it drops a batch it has had from it before. One epoch, sequences from 0 per partition. */
export interface ProducerSession {
  readonly producerId: number
  readonly producerEpoch: number
  /** The sequence number of the next record, by partition. */
  readonly sequences: Map<number, number>
}

/** Records of one partition that are appended together, or not at all. Repeating one as it is can't append it twice. */
export interface ProduceBatch {
  readonly partition: number
  readonly session: ProducerSession
  readonly firstSequence: number
  readonly records: readonly OutgoingRecord[]
}

export interface Produced {
  readonly partition: number
  readonly errorCode: number
  readonly baseOffset: number
}

/** One request to the leader of these partitions; acknowledged by all in-sync replicas. Each partition has its own outcome. */
export async function produce(
  broker: Broker,
  topic: string,
  batches: readonly ProduceBatch[],
  timeout: number,
): Promise<readonly Produced[]> {
  const [first] = batches
  if (!first) return []
  const build = broker.lookupRequest(apiKeys.Produce, protocol.requests.Produce)
  const { request, response, requestTimeout } = build({
    acks: -1,
    timeout,
    producerId: first.session.producerId,
    producerEpoch: first.session.producerEpoch,
    topicData: [
      {
        topic,
        partitions: batches.map(({ partition, firstSequence, records }) => ({
          partition,
          firstSequence,
          messages: records,
        })),
      },
    ],
  })
  const { topics } = await broker.connectionPool.send<Answer>({
    request,
    requestTimeout: requestTimeout ?? null,
    // kafkajs makes one error of the whole answer where one partition failed.
    response: { decode: response.decode, parse: async (answer: Answer) => answer },
  })
  return topics.flatMap(({ partitions }) =>
    partitions.map(({ partition, errorCode, baseOffset }) => ({
      partition,
      errorCode,
      baseOffset: Number(baseOffset),
    })),
  )
}

interface Answer {
  readonly topics: readonly {
    readonly partitions: readonly {
      readonly partition: number
      readonly errorCode: number
      readonly baseOffset: string
    }[]
  }[]
}
