import { type ErrorCode, TidemarkError } from '../../shared/errors.ts'
import { readEnvelope, text } from '../../shared/events/envelope.ts'
import {
  type CloudEvent,
  encodeBinary,
  encodeStructured,
  type OutgoingRecord,
  type Topic,
} from '../../shared/events/index.ts'
import { admission } from '../admission.ts'

/** How events are put into records, in the words of the CloudEvents Kafka binding. */
export type Mode = 'structured' | 'binary'

/** A line that may be published, and where. */
export interface GoodLine {
  readonly topic: string
  readonly record: OutgoingRecord
}

export interface BadLine {
  /** Counted from 1, empty lines included. */
  readonly line: number
  readonly code: ErrorCode
  readonly reason: string
}

/** Bytes of a line. Kafka takes records of about 1 MB, key and headers included, and refuses the others of a batch with a larger one. */
export const LONGEST_LINE = 990_000
const LONGEST_KEY = 2_048

/**
 * Decides about a line by itself. Without `topic` an event must be what the gateway would take: of a type that exactly one of
 * `topics` carries, with data that fits its schema. With it the event goes there whatever its type and data, as long as it is a
 * CloudEvent with a subject.
 */
export function lineCheck(
  topics: readonly Topic[],
  { topic, mode }: { readonly topic?: string | undefined; readonly mode: Mode },
): (line: Buffer, number: number) => GoodLine | BadLine {
  const admit = admission(topics)

  return (line, number) => {
    const bad = (code: ErrorCode, reason: string): BadLine => ({ line: number, code, reason })
    if (line.length > LONGEST_LINE)
      return bad('EVENT_TOO_LARGE', `it is longer than ${LONGEST_LINE.toLocaleString('en')} bytes`)
    const written = text(line)
    if (written === undefined) return bad('EVENT_NOT_JSON', 'it is not UTF-8')
    let event: unknown
    try {
      event = JSON.parse(written)
    } catch (error) {
      return bad('EVENT_NOT_JSON', error instanceof Error ? error.message : String(error))
    }
    let destination = topic
    if (destination === undefined) {
      const decision = admit(event, number)
      if (!('record' in decision)) return bad(decision.code, decision.message)
      destination = decision.topic
    }
    if (!isCloudEvent(event))
      return bad(
        'EVENT_NOT_CLOUDEVENT',
        'specversion "1.0", id, source, type and subject (the Kafka key) must be filled strings',
      )
    if (Buffer.byteLength(event.subject) > LONGEST_KEY)
      return bad('EVENT_TOO_LARGE', `its subject, the Kafka key, is longer than ${LONGEST_KEY} bytes`)
    const fault = timeFault(event, line)
    if (fault) return bad(fault.code, fault.message)
    if (mode === 'binary' && event.data_base64 !== undefined)
      return bad('EVENT_NOT_CLOUDEVENT', 'data_base64 can only be published in structured mode')
    // Structured, the line itself is the record: no digit of a large number changes on the way.
    const record = mode === 'binary' ? encodeBinary(event) : { ...encodeStructured(event), value: written }
    return { topic: destination, record }
  }
}

function isCloudEvent(event: unknown): event is CloudEvent {
  if (typeof event !== 'object' || event === null) return false
  const { specversion, id, source, type, subject }: Record<string, unknown> = { ...event }
  return (
    specversion === '1.0' && [id, source, type, subject].every((value) => typeof value === 'string' && value !== '')
  )
}

/** What is left of the envelope: a time that is none would make the event a dead letter wherever it is read. */
function timeFault(event: CloudEvent, line: Buffer): TidemarkError | undefined {
  if (event.time === undefined && event.dataschema === undefined) return undefined
  try {
    readEnvelope(
      { offset: 0, timestamp: 0, key: null, value: line, headers: {} },
      () => 'in this line',
      () => true,
    )
    return undefined
  } catch (error) {
    if (error instanceof TidemarkError) return error
    throw error
  }
}
