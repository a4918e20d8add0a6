import type { types } from 'cassandra-driver'
import { FrozenDate, FrozenMap, FrozenSet } from '../projection/frozen.ts'
import type { ColumnType, Scalar } from '../projection/types.ts'

/** Writes a canonical value as the bytes Cassandra keeps. */
export type Encode = (value: unknown) => Buffer
/** Makes what the driver read canonical again, and as frozen as what a fold gives. */
export type Decode = (value: unknown) => unknown

/**
 * Values are encoded here and not by the driver, which passes buffers through: it would write an empty frozen list or set
 * as null, which is a tombstone and reads back as another value, and it can't encode a `Uint8Array`. The bytes also give
 * the exact size of a row before anything is sent.
 */
export function encoder(type: ColumnType): Encode {
  switch (type.kind) {
    case 'scalar':
      return encoders[type.name]
    case 'list':
    case 'set': {
      const element = encoder(type.of)
      return (value) => encodeElements(Array.from(value as Iterable<unknown>, element), 1)
    }
    case 'map': {
      const [key, of] = [encoder(type.key), encoder(type.of)]
      return (value) =>
        encodeElements(Array.from(value as ReadonlyMap<unknown, unknown>, ([k, v]) => [key(k), of(v)]).flat(), 2)
    }
  }
}

/**
 * The value as it is bound: text and int go as they are, since the driver makes the same bytes of them, and only when it writes to
 * the socket. A buffer for each would be most of what a request holds while it is in flight.
 */
export function binder(type: ColumnType): (value: unknown) => Buffer | string | number {
  if (type.kind === 'scalar' && type.name === 'text') return (value) => value as string
  if (type.kind === 'scalar' && type.name === 'int') return (value) => value as number
  return encoder(type)
}

/** Reads what the driver decodes with `Map`, `Set` and BigInt for their CQL types. */
export function decoder(type: ColumnType): Decode {
  switch (type.kind) {
    case 'scalar':
      return decoders[type.name]
    case 'list': {
      const element = decoder(type.of)
      return (value) => Object.freeze(Array.from(value as Iterable<unknown>, element))
    }
    case 'set': {
      const element = decoder(type.of)
      return (value) => new FrozenSet(Array.from(value as Iterable<unknown>, element))
    }
    case 'map': {
      const [key, of] = [decoder(type.key), decoder(type.of)]
      return (value) =>
        new FrozenMap(Array.from(value as ReadonlyMap<unknown, unknown>, ([k, v]) => [key(k), of(v)] as const))
    }
  }
}

export function encodeText(value: string): Buffer {
  return Buffer.from(value, 'utf8')
}

export function encodeInt(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** A whole number up to 2^53 as a bigint: positions and stamps, which are plain numbers in TypeScript. */
export function encodeWhole(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), 0)
  bytes.writeUInt32BE(value >>> 0, 4)
  return bytes
}

export function encodeWholes(values: readonly number[]): Buffer {
  return encodeElements(values.map(encodeWhole), 1)
}

function encodeBigint(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

/** Collections: a count, then each element behind its length; a map's keys and values alternate. */
function encodeElements(elements: readonly Buffer[], perEntry: number): Buffer {
  const parts: Buffer[] = [encodeInt(elements.length / perEntry)]
  for (const element of elements) parts.push(encodeInt(element.length), element)
  return Buffer.concat(parts)
}

const DAY = 86_400_000
const TRUE = Buffer.from([1])
const FALSE = Buffer.from([0])

const encoders: Record<Scalar, Encode> = {
  text: (value) => encodeText(value as string),
  int: (value) => encodeInt(value as number),
  bigint: (value) => encodeBigint(value as bigint),
  double: (value) => {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeDoubleBE(value as number)
    return bytes
  },
  decimal: (value) => encodeDecimal(value as string),
  boolean: (value) => (value === true ? TRUE : FALSE),
  uuid: (value) => Buffer.from((value as string).replaceAll('-', ''), 'hex'),
  timestamp: (value) => encodeWhole((value as Date).getTime()),
  /** Days around 2^31, so that all four-digit years are the same four bytes. */
  date: (value) => {
    const bytes = Buffer.allocUnsafe(4)
    bytes.writeUInt32BE(Date.parse(`${value as string}T00:00:00Z`) / DAY + 2 ** 31)
    return bytes
  },
  blob: (value) => {
    const { buffer, byteOffset, byteLength } = value as Uint8Array
    return Buffer.from(buffer, byteOffset, byteLength)
  },
}

const decoders: Record<Scalar, Decode> = {
  text: (value) => value,
  int: (value) => value,
  bigint: (value) => value,
  double: (value) => value,
  decimal: (value) => (value as types.BigDecimal).toString(),
  boolean: (value) => value,
  uuid: (value) => (value as types.Uuid).toString(),
  timestamp: (value) => new FrozenDate((value as Date).getTime()),
  date: (value) => (value as types.LocalDate).toString(),
  /** Copied: a blob kept in the working set must not keep alive the whole frame it came in. */
  blob: (value) => Uint8Array.from(value as Buffer),
}

/** The scale, then the digits as one number in the fewest bytes of two's complement. */
function encodeDecimal(text: string): Buffer {
  const dot = text.indexOf('.')
  const scale = dot < 0 ? 0 : text.length - dot - 1
  const unscaled = BigInt(text.replace('.', ''))
  let width = 1
  while (BigInt.asIntN(width * 8, unscaled) !== unscaled) width += 1
  const hex = BigInt.asUintN(width * 8, unscaled)
    .toString(16)
    .padStart(width * 2, '0')
  return Buffer.concat([encodeInt(scale), Buffer.from(hex, 'hex')])
}
