/**
 * The parts of kafkajs 2.2.4 below its public clients that this room is built on: connections, authentication, metadata and
 * the wire formats. Only what is used is declared. `version.ts` refuses any other version.
 */
declare module 'kafkajs/src/cluster/index.js' {
  import type { ConnectionOptions } from 'node:tls'
  import type { SASLOptions } from 'kafkajs'

  interface ClusterOptions {
    readonly logger: import('kafkajs').Logger
    readonly socketFactory: unknown
    readonly brokers: readonly string[]
    readonly ssl?: ConnectionOptions | boolean | undefined
    readonly sasl?: SASLOptions | undefined
    readonly clientId: string
    readonly connectionTimeout: number
    readonly authenticationTimeout: number
    readonly requestTimeout: number
    readonly enforceRequestTimeout: boolean
    readonly metadataMaxAge: number
    readonly retry: { readonly retries: number; readonly initialRetryTime: number; readonly maxRetryTime: number }
    readonly allowAutoTopicCreation: boolean
  }

  export default class Cluster {
    constructor(options: ClusterOptions)
    targetTopics: Set<string>
    connect(): Promise<void>
    disconnect(): Promise<void>
    isConnected(): boolean
    refreshMetadata(): Promise<void>
    refreshMetadataIfNecessary(): Promise<void>
    addMultipleTargetTopics(topics: readonly string[]): Promise<void>
    findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[]
    findBroker(broker: { readonly nodeId: number }): Promise<Broker>
    findControllerBroker(): Promise<Broker>
    findGroupCoordinator(group: { readonly groupId: string }): Promise<Broker>
  }

  export interface Broker {
    readonly nodeId: number
    readonly connectionPool: {
      send<T>(request: ProtocolRequest<T>): Promise<T>
      readonly pool: readonly { readonly socket?: import('node:net').Socket }[]
    }
    /** The newest version of a request that both sides speak. */
    lookupRequest(apiKey: number, definition: unknown): (fields: object) => ProtocolRequest<unknown>
    disconnect(): Promise<void>
    joinGroup(request: {
      readonly groupId: string
      readonly sessionTimeout: number
      readonly rebalanceTimeout: number
      readonly memberId: string
      readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
    }): Promise<{
      readonly generationId: number
      readonly leaderId: string
      readonly memberId: string
      readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
    }>
    syncGroup(request: {
      readonly groupId: string
      readonly generationId: number
      readonly memberId: string
      readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[]
    }): Promise<{ readonly memberAssignment: Buffer }>
    heartbeat(request: {
      readonly groupId: string
      readonly groupGenerationId: number
      readonly memberId: string
    }): Promise<unknown>
    leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>
    listOffsets(request: {
      readonly isolationLevel: number
      readonly topics: readonly {
        readonly topic: string
        readonly partitions: readonly { readonly partition: number; readonly timestamp: number }[]
      }[]
    }): Promise<{
      readonly responses: readonly {
        readonly topic: string
        readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
      }[]
    }>
    offsetFetch(request: {
      readonly groupId: string
      readonly topics: readonly {
        readonly topic: string
        readonly partitions: readonly { readonly partition: number }[]
      }[]
    }): Promise<{
      readonly responses: readonly {
        readonly topic: string
        readonly partitions: readonly {
          readonly partition: number
          readonly offset: string
          readonly metadata?: string | null
        }[]
      }[]
    }>
    offsetCommit(request: {
      readonly groupId: string
      readonly groupGenerationId: number
      readonly memberId: string
      readonly topics: readonly {
        readonly topic: string
        readonly partitions: readonly {
          readonly partition: number
          readonly offset: string
          readonly metadata: string | null
        }[]
      }[]
    }): Promise<unknown>
    initProducerId(request: {
      readonly transactionTimeout: number
    }): Promise<{ readonly producerId: number; readonly producerEpoch: number }>
  }

  export interface ProtocolRequest<T> {
    readonly request: { readonly apiVersion: number }
    readonly response: {
      readonly decode: (payload: Buffer) => Promise<unknown>
      readonly parse: (decoded: never) => Promise<T>
    }
    readonly requestTimeout?: number | null
    readonly logResponseError?: boolean
  }
}

declare module 'kafkajs/src/loggers/index.js' {
  const loggers: {
    readonly LEVELS: { readonly NOTHING: 0; readonly ERROR: 1; readonly WARN: 2; readonly INFO: 4; readonly DEBUG: 5 }
    createLogger(options: {
      readonly level: number
      readonly logCreator: import('kafkajs').logCreator
    }): import('kafkajs').Logger
  }
  export default loggers
}

declare module 'kafkajs/src/network/socketFactory.js' {
  export default function createSocketFactory(): unknown
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    readonly pending: readonly unknown[]
    readonly throttledUntil: number
    scheduleCheckPendingRequests(): void
  }
}

declare module 'kafkajs/src/network/connection.js' {
  export default class Connection {
    readonly socket?: import('node:net').Socket
    readonly connectionStatus: 'connected' | 'disconnecting' | 'disconnected'
    /** What has come of an answer that is not complete yet, and how many bytes its next step needs. */
    chunks: Buffer[]
    bytesBuffered: number
    bytesNeeded: number
    constructor(options: object)
    processData(bytes: Buffer): void
    connect(): Promise<true>
    disconnect(): Promise<true>
    send<T>(question: object): Promise<T>
  }
}

declare module 'kafkajs/src/protocol/requests/index.js' {
  const protocol: { readonly requests: { readonly Fetch: unknown; readonly Produce: unknown } }
  export default protocol
}

declare module 'kafkajs/src/protocol/requests/apiKeys.js' {
  const apiKeys: { readonly Fetch: number; readonly Produce: number }
  export default apiKeys
}

declare module 'kafkajs/src/protocol/error.js' {
  const errors: { createErrorFromCode(code: number): Error & { readonly type: string; readonly code: number } }
  export default errors
}

/* Codecs that are there where somebody has installed them (codecs.ts): what is used of them. */

declare module 'lz4-napi' {
  const lz4: { decompressFrame(frame: Buffer): Promise<Buffer> }
  export default lz4
}

declare module 'snappy' {
  const snappy: { uncompress(block: Buffer, options: { readonly asBuffer: true }): Promise<Buffer> }
  export default snappy
}

declare module 'kafkajs/src/protocol/encoder.js' {
  export default class Encoder {}
}
