import type { ColumnType, Scalar } from './types.ts'

/** Cassandra's order of two canonical values: that of sets, map keys and clustering columns. */
export function compare(type: ColumnType, a: unknown, b: unknown): number {
  if (type.kind === 'map') {
    const [left, right] = [[...(a as ReadonlyMap<unknown, unknown>)], [...(b as ReadonlyMap<unknown, unknown>)]]
    for (let i = 0; i < Math.min(left.length, right.length); i++) {
      const order = compare(type.key, left[i]![0], right[i]![0]) || compare(type.of, left[i]![1], right[i]![1])
      if (order !== 0) return order
    }
    return left.length - right.length
  }
  if (type.kind !== 'scalar') {
    const [left, right] = [[...(a as Iterable<unknown>)], [...(b as Iterable<unknown>)]]
    for (let i = 0; i < Math.min(left.length, right.length); i++) {
      const order = compare(type.of, left[i], right[i])
      if (order !== 0) return order
    }
    return left.length - right.length
  }
  return compareScalars(type.name, a, b)
}

function compareScalars(name: Scalar, a: unknown, b: unknown): number {
  switch (name) {
    case 'text':
      return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string))
    case 'blob':
      return Buffer.compare(a as Uint8Array, b as Uint8Array)
    case 'decimal':
      return compareDecimals(a as string, b as string)
    case 'timestamp':
      return (a as Date).getTime() - (b as Date).getTime()
    case 'double':
      return compareDoubles(a as number, b as number)
    case 'uuid':
      return compareUuids(a as string, b as string)
    default:
      return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
  }
}

/** Java's Double.compare: -0 before 0, NaN last. */
function compareDoubles(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : Number(Object.is(b, -0)) - Number(Object.is(a, -0))
}

/** By number: to Cassandra `1.5` and `1.50` are one element. */
function compareDecimals(a: string, b: string): number {
  const digits = Math.max(fraction(a), fraction(b))
  const [left, right] = [scaled(a, digits), scaled(b, digits)]
  return left < right ? -1 : left > right ? 1 : 0
}

function fraction(decimal: string): number {
  const dot = decimal.indexOf('.')
  return dot < 0 ? 0 : decimal.length - dot - 1
}

function scaled(decimal: string, digits: number): bigint {
  return BigInt(decimal.replace('.', '') + '0'.repeat(digits - fraction(decimal)))
}

/** Cassandra orders UUIDs by version, those of version 1 by their time, the others by their bytes. */
function compareUuids(a: string, b: string): number {
  const [versionA, versionB] = [a[14]!, b[14]!]
  if (versionA !== versionB) return versionA < versionB ? -1 : 1
  const time = (uuid: string) => (uuid[14] === '1' ? uuid.slice(15, 18) + uuid.slice(9, 13) + uuid.slice(0, 8) : '')
  const [left, right] = [time(a) + a, time(b) + b]
  return left < right ? -1 : left > right ? 1 : 0
}
