import type { LogRecord, RecordHeaders } from '../../shared/events/event.ts'

type Bytes = Buffer | string | null | undefined

/** Everything a record says, as one text: two records say the same exactly if their texts are equal. Its timestamp is not in it. */
export function contentOf(
  key: Bytes,
  value: Bytes,
  headers: Readonly<Record<string, Bytes | readonly (Buffer | string)[]>>,
): string {
  const named = Object.entries(headers)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, isMany(value) ? value.map(text) : text(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([text(key), text(value), named])
}

export function contentOfRecord({ key, value, headers }: Pick<LogRecord, 'key' | 'value' | 'headers'>): string {
  return contentOf(key, value, headers)
}

/** The headers of a dead letter as its table has them: pairs as JSON, bytes as `{"base64": …}`. Throws if they are not. */
export function headersIn(stored: string): RecordHeaders {
  const bytes = (value: unknown): Buffer | string => {
    if (typeof value === 'string') return value
    if (typeof value === 'object' && value !== null && 'base64' in value)
      return Buffer.from(String(value.base64), 'base64')
    throw new Error(`a header is ${JSON.stringify(value)}`)
  }
  const pairs: readonly (readonly [string, unknown])[] = JSON.parse(stored)
  return Object.fromEntries(
    pairs.map(([name, value]) => [
      name,
      value === null ? null : Array.isArray(value) ? value.map(bytes) : bytes(value),
    ]),
  )
}

/** Latin-1 keeps every byte apart. */
function text(bytes: Bytes): string | null {
  if (bytes === null || bytes === undefined) return null
  return (typeof bytes === 'string' ? Buffer.from(bytes) : bytes).toString('latin1')
}

function isMany<One>(value: One | readonly One[]): value is readonly One[] {
  return Array.isArray(value)
}
