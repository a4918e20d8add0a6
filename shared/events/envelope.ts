import { TidemarkError } from '../errors.ts'
import type { LogRecord, RecordHeaders } from './event.ts'

/** A CloudEvent's attributes and its data as it was sent, unchecked. */
export interface Envelope {
  readonly type: string
  readonly data: unknown
  readonly id: string
  readonly source: string
  readonly subject: string | undefined
  readonly time: Date | undefined
  readonly dataschema: string | undefined
}

/**
 * Opens a CloudEvent 1.0: binary mode if there is a `ce_specversion` header, else structured JSON. `at` names the record in
 * errors. Null for a type that is not `relevant`, if headers tell before anything was parsed. Throws `poison` errors.
 */
export function readEnvelope(
  record: LogRecord,
  at: () => string,
  relevant: (type: string) => boolean,
): Envelope | null {
  const version = record.headers.ce_specversion
  return version === undefined || version === null ? structured(record, at) : binary(record, at, relevant)
}

function binary({ headers, value }: LogRecord, at: () => string, relevant: (type: string) => boolean): Envelope | null {
  const attribute = (name: string) => header(headers, `ce_${name}`, at)
  const [type, id, source] = [attribute('type'), attribute('id'), attribute('source')]
  if (attribute('specversion') !== '1.0' || !type || !id || !source) {
    throw new TidemarkError(
      'EVENT_NOT_CLOUDEVENT',
      `record ${at()} has ce_ headers but not specversion 1.0, type, id and source`,
    )
  }
  if (!relevant(type)) return null
  return {
    type,
    id,
    source,
    data: value === null ? undefined : json(value, at),
    subject: filledOrAbsent('subject', attribute('subject'), at),
    time: timeOrAbsent(attribute('time'), at),
    dataschema: attribute('dataschema'),
  }
}

function structured({ value }: LogRecord, at: () => string): Envelope {
  if (value === null) throw new TidemarkError('EVENT_EMPTY', `record ${at()} has no value`)
  const event = json(value, at)
  if (!isObject(event)) throw notCloudEvent(at)
  const { specversion, type, id, source, data, subject, time, dataschema } = event
  if (specversion !== '1.0' || !filled(type) || !filled(id) || !filled(source)) throw notCloudEvent(at)
  return {
    type,
    id,
    source,
    data,
    subject: filledOrAbsent('subject', subject, at),
    time: timeOrAbsent(time, at),
    dataschema: filledOrAbsent('dataschema', dataschema, at),
  }
}

function notCloudEvent(at: () => string): TidemarkError {
  return new TidemarkError(
    'EVENT_NOT_CLOUDEVENT',
    `record ${at()} is JSON but not a CloudEvent: specversion 1.0, type, id and source are required`,
  )
}

function json(value: Buffer, at: () => string): unknown {
  const decoded = text(value)
  if (decoded === undefined) throw new TidemarkError('EVENT_NOT_JSON', `record ${at()} is not UTF-8, hence not JSON`)
  try {
    return JSON.parse(decoded)
  } catch (cause) {
    throw new TidemarkError('EVENT_NOT_JSON', `record ${at()} is not JSON`, { cause })
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function filled(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** CloudEvents has no empty attributes; some producers write null for one they don't give. */
function filledOrAbsent(name: string, value: unknown, at: () => string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (!filled(value))
    throw new TidemarkError(
      'EVENT_NOT_CLOUDEVENT',
      `record ${at()}: ${name} ${JSON.stringify(value)} is not a filled string`,
    )
  return value
}

/** RFC 3339. A date alone, or a number, is not one. */
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ](?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/

function timeOrAbsent(value: unknown, at: () => string): Date | undefined {
  if (value === undefined || value === null) return undefined
  const matched = typeof value === 'string' && RFC3339.test(value) ? value : undefined
  const time = new Date(
    matched === undefined ? Number.NaN : matched[10] === 'T' && !matched.endsWith('z') ? matched : spelt(matched),
  )
  if (matched === undefined || Number.isNaN(time.getTime()) || !dayExists(matched)) {
    throw new TidemarkError(
      'EVENT_NOT_CLOUDEVENT',
      `record ${at()}: time ${JSON.stringify(value)} is not an RFC 3339 time`,
    )
  }
  return time
}

/** RFC 3339 allows small letters and a space where JavaScript wants capitals and a T. */
function spelt(time: string): string {
  return time.toUpperCase().replace(' ', 'T')
}

/** JavaScript takes February 30 for March 2: a time that never was must not become another one. */
function dayExists(time: string): boolean {
  const day = time.slice(8, 10)
  return day <= '28' || new Date(`${time.slice(0, 10)}T00:00:00Z`).getUTCDate() === Number(day)
}

/** The first value of a header. */
function header(headers: RecordHeaders, name: string, at: () => string): string | undefined {
  const value = headers[name]
  const first: Buffer | string | null | undefined = typeof value === 'object' && Array.isArray(value) ? value[0] : value
  if (first === undefined || first === null) return undefined
  const decoded = typeof first === 'string' ? first : text(first)
  if (decoded === undefined)
    throw new TidemarkError('EVENT_NOT_CLOUDEVENT', `record ${at()}: header ${name} is not UTF-8`)
  return decoded
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 as text; undefined for anything else, which must not become a valid event with other letters in it. */
export function text(bytes: Buffer): string | undefined {
  const decoded = bytes.toString('utf8')
  if (!decoded.includes('\ufffd')) return decoded
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}
