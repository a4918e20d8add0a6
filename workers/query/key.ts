import { isKind } from '../../shared/errors.ts'
import { HttpFault } from '../../shared/http/index.ts'
import type { AnyRow, RowShape } from '../../shared/projection/row.ts'
import type { Column } from '../../shared/projection/table.ts'

/** What the path of a request names: one row, or the rows of a partition. */
export type Wanted =
  | { readonly kind: 'row'; readonly key: AnyRow }
  | { readonly kind: 'partition'; readonly key: AnyRow }

/**
 * Reads the key from path segments, still percent-encoded, in the order of the table's key: all of it for one row, the partition key
 * alone for its rows. Throws 400 that says which columns and types are expected.
 */
export function readKey(view: string, shape: RowShape, segments: readonly string[]): Wanted {
  const partition = shape.keyColumns.filter(({ role }) => role === 'partition')
  const whole = segments.length === shape.keyColumns.length
  const columns = whole ? shape.keyColumns : partition
  if (segments.length !== columns.length) {
    const parts = (some: readonly Column[]) => some.map((column) => `{${column.name}: ${typeName(column)}}`).join('/')
    const listed =
      partition.length < shape.keyColumns.length ? `, or /views/${view}/${parts(partition)} for its rows` : ''
    throw invalid(
      `view ${view} is read as /views/${view}/${parts(shape.keyColumns)}${listed}; the address has ${segments.length} part(s)`,
    )
  }
  const values = Object.fromEntries(columns.map((column, index) => [column.name, value(column, segments[index] ?? '')]))
  if (!whole) return { kind: 'partition', key: values }
  try {
    return { kind: 'row', key: shape.key(values) }
  } catch (error) {
    if (isKind(error, 'poison')) throw invalid(error.message)
    throw error
  }
}

function value(column: Column, segment: string): unknown {
  const wrong = () =>
    invalid(`${column.name} must be ${FORMATS[typeName(column)] ?? typeName(column)}, not ${JSON.stringify(segment)}`)
  let text: string
  try {
    text = decodeURIComponent(segment)
  } catch {
    throw invalid(`${column.name}: ${JSON.stringify(segment)} is not percent-encoded UTF-8`)
  }
  const parsed = parse(typeName(column), text)
  if (parsed === undefined) throw wrong()
  return parsed
}

const FORMATS: Readonly<Record<string, string>> = {
  int: 'a whole number of 32 bits',
  bigint: 'a whole number of 64 bits',
  double: 'a number',
  decimal: 'a decimal like -12.50',
  boolean: 'true or false',
  uuid: 'a UUID',
  timestamp: 'a time like 2026-01-31T12:00:00Z, or milliseconds since 1970',
  date: 'a day like 2026-01-31',
  blob: 'base64url',
}

function parse(type: string, text: string): unknown {
  const whole = /^-?\d{1,19}$/.test(text)
  switch (type) {
    case 'int':
      return whole && Math.abs(Number(text)) <= 2 ** 31 ? Number(text) : undefined
    case 'bigint':
      return whole && BigInt.asIntN(64, BigInt(text)) === BigInt(text) ? BigInt(text) : undefined
    case 'double':
      return text.trim() === '' || (Number.isNaN(Number(text)) && text !== 'NaN') ? undefined : Number(text)
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'timestamp':
      return timeOf(text)
    case 'blob':
      return /^[A-Za-z0-9_-]*$/.test(text) ? Buffer.from(text, 'base64url') : undefined
    case 'uuid':
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? text.toLowerCase() : undefined
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined
    case 'decimal':
      return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) ? text : undefined
    default:
      return text
  }
}

/** A time as clients write it: RFC 3339, or milliseconds since 1970; undefined for anything else. */
export function timeOf(text: string): Date | undefined {
  const time = new Date(
    /^-?\d{1,15}$/.test(text)
      ? Number(text)
      : /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i.test(text)
        ? text
        : Number.NaN,
  )
  return Number.isNaN(time.getTime()) ? undefined : time
}

function typeName({ type }: Column): string {
  return type.kind === 'scalar' ? type.name : type.kind
}

function invalid(message: string): HttpFault {
  return new HttpFault(400, 'REQUEST_INVALID', message)
}
