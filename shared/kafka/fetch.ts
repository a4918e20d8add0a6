import './version.ts'
import type { Broker } from 'kafkajs/src/cluster/index.js'
import apiKeys from 'kafkajs/src/protocol/requests/apiKeys.js'
import protocol from 'kafkajs/src/protocol/requests/index.js'
import { TidemarkError } from '../errors.ts'
import { type Source, sourceText } from '../events/position.ts'
import { decodeRecordSet, int64, type RecordSet } from './decoder.ts'
import type { FullSettings } from './settings.ts'

export interface FetchFrom {
  readonly source: Source
  readonly offset: number
  /** It begins with what was fetched before: then there must be room for as much again. */
  readonly again?: boolean
}

/** What a broker answered for one partition. */
export interface Fetched extends RecordSet {
  readonly source: Source
  readonly offset: number
  /** Kafka's error code; 0 for none. */
  readonly errorCode: number
  /** The end of the partition. */
  readonly end: number
  /** Up to here transactions are decided; nothing behind it is delivered yet. */
  readonly stable: number
  readonly logStart: number
  /** Why the first record batch can't be read: CODEC_MISSING or LOG_UNREADABLE. What lies before it comes in an answer of its own. */
  readonly unreadable: TidemarkError | undefined
}

const VERSION = 11
const READ_COMMITTED = 1

/**
 * One fetch from one broker. The request is kafkajs', the answer is read here: each partition has its own error, where kafkajs
 * throws the answer away for the first one, and its log start, and records are decoded once, into what the engine wants.
 */
export async function fetchFrom(
  broker: Broker,
  wanted: readonly FetchFrom[],
  settings: FullSettings,
): Promise<readonly Fetched[]> {
  const build = broker.lookupRequest(apiKeys.Fetch, protocol.requests.Fetch)
  const { request, requestTimeout } = build({
    replicaId: -1,
    maxWaitTime: settings.fetchWaitMs,
    minBytes: 1,
    maxBytes: settings.fetchBytes,
    isolationLevel: READ_COMMITTED,
    topics: byTopic(wanted, settings.fetchBytesPerPartition),
  })
  if (request.apiVersion !== VERSION)
    throw new TidemarkError('KAFKA_TOO_OLD', `the broker speaks version ${request.apiVersion} of Fetch, not ${VERSION}`)
  const response = { decode: (payload: Buffer) => decode(payload, wanted), parse: async (answer: Answer) => answer }
  const { partitions } = await broker.connectionPool.send<Answer>({
    request,
    response,
    requestTimeout: requestTimeout ?? null,
  })
  return partitions
}

/** The order is turned with every fetch: a broker fills its answer from the front, and nobody may be last for ever. */
let turn = 0

function byTopic(wanted: readonly FetchFrom[], maxBytes: number) {
  const first = turn++ % wanted.length
  const topics = new Map<string, { partition: number; fetchOffset: number; maxBytes: number }[]>()
  for (const { source, offset, again } of [...wanted.slice(first), ...wanted.slice(0, first)]) {
    const partitions = topics.get(source.topic) ?? []
    topics.set(source.topic, partitions)
    partitions.push({ partition: source.partition, fetchOffset: offset, maxBytes: again ? 2 * maxBytes : maxBytes })
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }))
}

interface Answer {
  /** kafkajs waits this long before it asks again. */
  readonly clientSideThrottleTime: number
  readonly partitions: readonly Fetched[]
}

async function decode(payload: Buffer, wanted: readonly FetchFrom[]): Promise<Answer> {
  const asked = new Map(wanted.map((want) => [sourceText(want.source), want]))
  const reader = new Reader(payload)
  const clientSideThrottleTime = reader.int32()
  const errorCode = reader.int16()
  reader.int32() // session
  const partitions: Fetched[] = []
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topic = reader.string()
    for (let count = reader.int32(); count > 0; count--) {
      const partition = reader.int32()
      const partitionError = reader.int16()
      const [end, stable, logStart] = [reader.int64(), reader.int64(), reader.int64()]
      const aborted = Array.from({ length: Math.max(0, reader.int32()) }, () => ({
        producerId: reader.int64(),
        firstOffset: reader.int64(),
      }))
      reader.int32() // preferred read replica: there is no rack to prefer
      const bytes = reader.bytes()
      const want = asked.get(sourceText({ topic, partition }))
      if (want)
        partitions.push({
          source: want.source,
          offset: want.offset,
          errorCode: partitionError || errorCode,
          end,
          stable,
          logStart,
          ...(await records(bytes, want, aborted)),
        })
    }
  }
  return { clientSideThrottleTime, partitions }
}

async function records(
  bytes: Buffer,
  { source, offset }: FetchFrom,
  aborted: readonly { producerId: number; firstOffset: number }[],
): Promise<RecordSet & Pick<Fetched, 'unreadable'>> {
  try {
    return { ...(await decodeRecordSet(bytes, offset, aborted)), unreadable: undefined }
  } catch (cause) {
    const [code, why] = cause instanceof TidemarkError ? [cause.code, cause.message] : undecodable
    const unreadable = new TidemarkError(code, `${sourceText(source)} from offset ${offset} on: ${why}`, { cause })
    return { records: [], next: undefined, unreadable }
  }
}

const undecodable = ['LOG_UNREADABLE', "the bytes can't be decoded"] as const

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int16(): number {
    this.#at += 2
    return this.#bytes.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }

  int64(): number {
    this.#at += 8
    return int64(this.#bytes, this.#at - 8)
  }

  string(): string {
    const length = this.int16()
    this.#at += length
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }

  bytes(): Buffer {
    const length = Math.max(0, this.int32())
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}
