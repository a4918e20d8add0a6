// kafkajs is CommonJS, and Node finds only some of its names: the whole is imported.
import kafkajs from 'kafkajs'
import './version.ts'
import { TidemarkError } from '../errors.ts'
import { KafkaConnection } from './connection.ts'
import { type KafkaSettings, withDefaults } from './settings.ts'

declare module 'kafkajs/src/cluster/index.js' {
  interface Broker {
    /** The versions of each request, by its key, that the broker speaks. */
    apiVersions(): Promise<Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>>
  }
}

export interface ClusterDescription {
  readonly brokers: number
  /** The release as far as the requests it speaks tell: `4.0 or newer`. */
  readonly release: string
  /** Can everything Tidemark asks of it be done? */
  readonly supported: boolean
  /** What topics get that don't say otherwise; undefined where the brokers don't tell. */
  readonly minInsyncReplicas: number | undefined
}

/** Kafka's key of the fetch request, which changes with nearly every release. */
const FETCH = 1

/** What kind of cluster answers at these brokers. Asks once: throws KAFKA_UNAVAILABLE if none can be reached. */
export async function describeCluster(settings: KafkaSettings): Promise<ClusterDescription> {
  const { brokers, clientId, ssl, sasl, connectionTimeoutMs, requestTimeoutMs } = withDefaults(settings)
  const kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 1, initialRetryTime: 100 },
  })
  const admin = kafka.admin()
  const connection = new KafkaConnection(settings)
  try {
    await admin.connect()
    const cluster = await admin.describeCluster()
    const node = cluster.controller ?? cluster.brokers[0]?.nodeId ?? 0
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        { type: kafkajs.ConfigResourceTypes.BROKER, name: String(node), configNames: ['min.insync.replicas'] },
      ],
    })
    const minimum = Number(
      resources[0]?.configEntries.find(({ configName }) => configName === 'min.insync.replicas')?.configValue,
    )
    const versions = await (await connection.controller()).apiVersions()
    const { minVersion: oldest, maxVersion: newest } = versions[FETCH] ?? { minVersion: 0, maxVersion: 0 }
    return {
      brokers: cluster.brokers.length,
      release: release(oldest, newest),
      supported: newest >= 11,
      minInsyncReplicas: Number.isNaN(minimum) ? undefined : minimum,
    }
  } catch (cause) {
    throw new TidemarkError('KAFKA_UNAVAILABLE', `Kafka at ${brokers.join(', ')} does not answer`, { cause })
  } finally {
    await Promise.allSettled([admin.disconnect(), connection.close()])
  }
}

/** Kafka does not tell its release. Versions of the fetch request that are gone, and others that have come, narrow it down. */
function release(oldest: number, newest: number): string {
  if (oldest >= 4) return '4.0 or newer'
  if (newest >= 15) return '3.5 to 3.9'
  if (newest >= 13) return '3.1 to 3.4'
  if (newest >= 12) return '2.7 to 3.0'
  return newest >= 11 ? '2.3 to 2.6' : 'older than 2.3'
}
