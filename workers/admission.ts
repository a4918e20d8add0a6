import { createHash } from 'node:crypto'
import { type ErrorCode, TidemarkError } from '../shared/errors.ts'
import {
  type CloudEvent,
  type Decoder,
  decoder,
  encodeStructured,
  type OutgoingRecord,
  positionText,
  type Topic,
} from '../shared/events/index.ts'
import { nearest } from '../shared/nearest.ts'
import { validTraceparent } from '../shared/observability/index.ts'

/** An event that may be published: what every projection that reads its topic will be able to read. */
export interface Admitted {
  readonly topic: string
  readonly record: OutgoingRecord
  /** Source and id: one event, however often it is sent. */
  readonly identity: string
  /** Equal for the same event sent again, whatever trace it is sent in. */
  readonly digest: string
}

/** Why an event may not be published. */
export interface EventFault {
  readonly index: number
  readonly id: string | undefined
  readonly code: ErrorCode
  readonly message: string
}

export type Admit = (event: unknown, index: number) => Admitted | EventFault

/** Bytes: far above real ids, far below what would fill the window that remembers them, or a Cassandra key. */
const LONGEST = 2_048

/**
 * Decides by the topics' schemas what may be published, through the decoder that projections use: what is admitted is what they
 * can read. An event's type decides its topic.
 */
export function admission(topics: readonly Topic[]): Admit {
  const byType = routes(topics)
  const types = [...byType.keys()]

  return (event, index) => {
    const id =
      typeof event === 'object' && event !== null && 'id' in event && typeof event.id === 'string'
        ? event.id
        : undefined
    const fault = (code: ErrorCode, message: string): EventFault => ({ index, id, code, message })
    const faults = attributeFaults(event)
    if (!isCloudEvent(event, faults)) return fault('EVENT_NOT_CLOUDEVENT', faults.join('; '))

    const route = byType.get(event.type)
    if (!route) {
      const meant = nearest(event.type, types)
      return fault(
        'EVENT_TYPE_UNKNOWN',
        `no topic carries events of type ${JSON.stringify(event.type)}${meant ? `: did you mean ${meant}?` : ''}`,
      )
    }
    const [topic, ...others] = route.keys()
    if (topic === undefined || others.length > 0)
      return fault(
        'EVENT_TYPE_UNKNOWN',
        `type ${event.type} is in several topics (${[...route.keys()].join(', ')}), so it can't be told where it belongs`,
      )

    const { traceparent, tracestate, ...lasting } = event
    const kept = validTraceparent(traceparent)
    const record = encodeStructured({
      ...lasting,
      ...(kept ? { traceparent: kept, ...(tracestate ? { tracestate } : {}) } : {}),
    })
    for (const decode of route.get(topic) ?? []) {
      const refused = unreadable(decode, record, { topic, partition: 0, offset: index })
      if (refused) return fault(refused.code, refused.message)
    }
    const digest = createHash('sha256').update(JSON.stringify(lasting)).digest('base64')
    return { topic, record, identity: `${event.source}\n${event.id}`, digest }
  }
}

/** For each event type the topics that carry it, each with the decoders of all its definitions (projections may declare parts of one). */
function routes(topics: readonly Topic[]): ReadonlyMap<string, ReadonlyMap<string, readonly Decoder[]>> {
  const byType = new Map<string, Map<string, Decoder[]>>()
  for (const topic of new Set(topics)) {
    for (const type of new Set([...Object.keys(topic.events), ...Object.keys(topic.upcast ?? {})])) {
      const ofType = byType.get(type) ?? new Map<string, Decoder[]>()
      ofType.set(topic.name, [
        ...(ofType.get(topic.name) ?? []),
        decoder(topic, (wanted) => Object.hasOwn(topic.events, wanted)),
      ])
      byType.set(type, ofType)
    }
  }
  return byType
}

function unreadable(
  decode: Decoder,
  { key, value, headers }: OutgoingRecord,
  position: { topic: string; partition: number; offset: number },
) {
  const record = {
    offset: position.offset,
    timestamp: 0,
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers,
  }
  try {
    if (decode(record, position.partition) !== null) return undefined
    return {
      code: 'EVENT_NOT_CLOUDEVENT' as const,
      message: `topic ${position.topic} has its own format, and passes this event over`,
    }
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error
    // It has no position yet: the one the decoder was given means nothing to the sender.
    const message = error.message
      .replaceAll(` at ${positionText(position)}`, '')
      .replaceAll(`record ${positionText(position)}`, 'the event')
    return { code: error.code, message: error.cause instanceof Error ? `${message}: ${error.cause.message}` : message }
  }
}

/** `faults` are those of `attributeFaults`: without any, the event is what its type says. */
function isCloudEvent(_event: unknown, faults: readonly string[]): _event is CloudEvent {
  return faults.length === 0
}

/** What CloudEvents and Kafka ask of the envelope; times and data are the decoder's. */
function attributeFaults(event: unknown): string[] {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return ['an event is a JSON object']
  const { specversion, datacontenttype, data, data_base64, ...attributes }: Record<string, unknown> = { ...event }
  const faults: string[] = []
  if (specversion !== '1.0')
    faults.push(`specversion must be "1.0"${specversion === undefined ? ', and is missing' : ''}`)
  for (const name of ['id', 'source', 'type', 'subject']) {
    const value = attributes[name]
    if (value === undefined || value === null)
      faults.push(`${name} is missing${name === 'subject' ? ': it names the entity and becomes the Kafka key' : ''}`)
    else if (typeof value !== 'string' || value === '') faults.push(`${name} must be a filled string`)
    else if (!value.isWellFormed() || Buffer.byteLength(value) > LONGEST)
      faults.push(`${name} must be well-formed text of at most ${LONGEST} bytes`)
  }
  if (data_base64 !== undefined) faults.push('data_base64 is not taken: data is JSON')
  if (
    datacontenttype !== undefined &&
    !(typeof datacontenttype === 'string' && /^application\/([\w.-]+\+)?json\b/i.test(datacontenttype))
  )
    faults.push('datacontenttype must be JSON')
  for (const [name, value] of Object.entries(attributes)) {
    if (!/^[a-z0-9]+$/.test(name))
      faults.push(`attribute ${JSON.stringify(name.slice(0, 60))} must be named with small letters and digits`)
    else if (typeof value === 'object' && value !== null)
      faults.push(`attribute ${name} must not be an object or a list`)
  }
  return faults
}
