import { TidemarkError } from '../errors.ts'
import { type Envelope, readEnvelope, text } from './envelope.ts'
import type { Event, LogRecord } from './event.ts'
import { type Position, positionText } from './position.ts'
import { describeIssues, type Schema } from './schema.ts'
import type { Decoded, Topic } from './topic.ts'

/** Finds the event in a record: `null` if its type is not wanted, a `poison` error if it can never be read. */
export type Decoder = (record: LogRecord, partition: number) => Event | null

/**
 * Reads the records of a topic, in both CloudEvents modes and through the topic's own `decode`. Only wanted types are
 * parsed and checked as far as the envelope allows: a new event type costs old projections next to nothing and can't break them.
 * `place` names a record in errors, for records that Kafka has not given a position yet.
 */
export function decoder(
  topic: Topic,
  wanted: (type: string) => boolean,
  place: (position: Position) => string = positionText,
): Decoder {
  const old = topic.upcast ?? {}
  const current = (type: string) => Object.hasOwn(topic.events, type)
  const relevant = (type: string) => wanted(type) || Object.hasOwn(old, type)

  return (record, partition) => {
    const at = () => place({ topic: topic.name, partition, offset: record.offset })
    const envelope = topic.decode ? foreign(topic, record, at) : readEnvelope(record, at, relevant)
    if (envelope === null || !relevant(envelope.type)) return null
    const { type, data } = Object.hasOwn(old, envelope.type) ? upcast(topic, envelope, at) : envelope
    if (!wanted(type) || !current(type)) return null
    if (record.key === null && !topic.decode)
      throw new TidemarkError('EVENT_KEY_MISSING', `${type} at ${at()} has no key`)
    return {
      type,
      data: checked(topic.events[type]!, data, type, at),
      id: envelope.id ?? at(),
      source: envelope.source ?? topic.name,
      subject: envelope.subject ?? keyText(record.key),
      time: envelope.time ?? new Date(record.timestamp),
      position: { topic: topic.name, partition, offset: record.offset },
    }
  }
}

type At = () => string

/** Through the topic's own `decode`, whose answer is not believed unseen. */
function foreign(topic: Topic, record: LogRecord, at: At): Decoded | null {
  try {
    const { offset, timestamp, key, value, headers } = record
    const decoded = topic.decode!({ offset, timestamp, key, value, headers })
    if (decoded === null) return null
    if (typeof decoded?.type !== 'string')
      throw new TypeError('it returned no event type; return null for what is not an event')
    const { id, source, subject, time } = decoded
    for (const [name, value] of Object.entries({ id, source, subject })) {
      if (value !== undefined && typeof value !== 'string')
        throw new TypeError(`it returned ${name} ${String(value)}, which is not a string`)
    }
    if (time !== undefined && !(time instanceof Date && !Number.isNaN(time.getTime())))
      throw new TypeError('it returned a time that is not a valid Date')
    return decoded
  } catch (cause) {
    throw new TidemarkError('EVENT_DECODE_FAILED', `decode of topic ${topic.name} failed on ${at()}`, { cause })
  }
}

function upcast(topic: Topic, envelope: Envelope | Decoded, at: At): { type: string; data: unknown } {
  const old = topic.upcast!
  const dataschema = 'dataschema' in envelope ? envelope.dataschema : undefined
  let { type, data } = envelope
  try {
    for (let steps = 0; Object.hasOwn(old, type); steps++) {
      if (steps === 100) throw new TypeError(`they go round in circles at ${type}`)
      const next = old[type]!({ type, data, dataschema })
      const same = next.type === type
      ;({ type, data } = next)
      if (same) break
      if (typeof type !== 'string') throw new TypeError('one returned no event type')
    }
    if (!Object.hasOwn(topic.events, type))
      throw new TypeError(`they made ${type} of it, which is not an event of the topic`)
  } catch (cause) {
    throw new TidemarkError(
      'EVENT_DECODE_FAILED',
      `the upcasters of topic ${topic.name} failed on ${envelope.type} at ${at()}`,
      { cause },
    )
  }
  return { type, data }
}

function checked(schema: Schema, data: unknown, type: string, at: At): unknown {
  let result: ReturnType<Schema['~standard']['validate']>
  try {
    result = schema['~standard'].validate(data)
  } catch (cause) {
    throw new TidemarkError('EVENT_SCHEMA_VIOLATION', `the schema of ${type} failed on ${at()}`, { cause })
  }
  if (result instanceof Promise) {
    result.catch(() => {}) // Its failure would end the process, although the event is set aside already.
    throw new TidemarkError(
      'EVENT_SCHEMA_VIOLATION',
      `the schema of ${type} answered with a promise for ${at()}: it is asynchronous, or a function in it threw`,
    )
  }
  if (result.issues)
    throw new TidemarkError(
      'EVENT_SCHEMA_VIOLATION',
      `${type} at ${at()} does not fit its schema: ${describeIssues(result.issues)}`,
    )
  return result.value
}

/** Keys that are not text stay apart from each other: base64 instead of letters that `toString` makes up. */
function keyText(key: Buffer | null): string {
  return key === null ? '' : (text(key) ?? key.toString('base64'))
}
