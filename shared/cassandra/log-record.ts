import type { types } from 'cassandra-driver'
import type { LogRecord, RecordHeaders } from '../events/event.ts'
import { encodeText, encodeWhole } from './cells.ts'
import { type Bound, unset } from './session.ts'

/** The columns that hold a Kafka record as it was, besides its offset. */
export const RECORD_COLUMNS = 'key, value, headers, timestamp'

export function recordParams({ key, value, headers, timestamp }: LogRecord): Bound[] {
  return [key ?? unset, value ?? unset, encodeText(headersText(headers)), encodeWhole(timestamp)]
}

export function recordOf(row: types.Row): LogRecord {
  const { offset, key, value, headers, timestamp } = row
  return {
    offset: Number(offset),
    timestamp: Number(timestamp),
    key: key ?? null,
    value: value ?? null,
    headers: headersOf(headers),
  }
}

/** About what Cassandra keeps for it. */
export function recordBytes({ key, value, headers }: LogRecord): number {
  return 200 + (key?.length ?? 0) + (value?.length ?? 0) + 2 * headersText(headers).length
}

/** JSON has no bytes: a Buffer is written as `{"base64": …}`, so that bytes stay bytes and text stays text. */
type Written = string | { readonly base64: string }

function headersText(headers: RecordHeaders): string {
  const entries = Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined) return []
    return [[name, value === null ? null : isMany(value) ? value.map(written) : written(value)]]
  })
  return JSON.stringify(entries)
}

function headersOf(text: string | null): RecordHeaders {
  const entries: readonly (readonly [string, Written | readonly Written[] | null])[] = JSON.parse(text ?? '[]')
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value === null ? null : isMany(value) ? value.map(read) : read(value)]),
  )
}

function written(value: Buffer | string): Written {
  return typeof value === 'string' ? value : { base64: value.toString('base64') }
}

function read(value: Written): Buffer | string {
  return typeof value === 'string' ? value : Buffer.from(value.base64, 'base64')
}

function isMany<One>(value: One | readonly One[]): value is readonly One[] {
  return Array.isArray(value)
}
