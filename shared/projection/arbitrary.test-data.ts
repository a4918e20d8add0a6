import fc from 'fast-check'
import type { ColumnType, Scalar } from './types.ts'

const scalars: Record<Scalar, fc.Arbitrary<unknown>> = {
  text: fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
  int: fc.integer(),
  bigint: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  double: fc.double(),
  decimal: fc
    .tuple(fc.bigInt(), fc.option(fc.stringMatching(/^\d{1,5}$/)))
    .map(([whole, part]) => (part === null ? `${whole}` : `${whole}.${part}`)),
  boolean: fc.boolean(),
  uuid: fc.uuid(),
  timestamp: fc.date({ noInvalidDate: true }),
  date: fc
    .date({ noInvalidDate: true, min: new Date('0000-01-01'), max: new Date('9999-12-31') })
    .map((date) => date.toISOString().slice(0, 10)),
  blob: fc.oneof(
    fc.uint8Array(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  ),
}

const scalarType: fc.Arbitrary<ColumnType & { kind: 'scalar' }> = fc
  .constantFrom(...(Object.keys(scalars) as Scalar[]))
  .map((name) => ({ kind: 'scalar', name }))

/** Any type a column may have, nested at most three deep. */
export const anyType: fc.Arbitrary<ColumnType> = fc.letrec<{ type: ColumnType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    scalarType,
    fc.record({ kind: fc.constantFrom('list' as const, 'set' as const), of: tie('type') }),
    fc.record({ kind: fc.constant('map' as const), key: scalarType, of: tie('type') }),
  ),
})).type

/** Any value of a type, as an author may write it: sets and maps in any order. */
export function anyValue(type: ColumnType): fc.Arbitrary<unknown> {
  if (type.kind === 'scalar') return scalars[type.name]
  if (type.kind === 'map')
    return fc
      .array(fc.tuple(anyValue(type.key), anyValue(type.of)), { maxLength: 4 })
      .map((entries) => new Map(entries))
  const elements = fc.array(anyValue(type.of), { maxLength: 4 })
  return type.kind === 'list' ? elements : elements.map((given) => new Set(given))
}

/** A type and some values of it. */
export function typed(count: number): fc.Arbitrary<{ type: ColumnType; values: unknown[] }> {
  return anyType.chain((type) =>
    fc.record({ type: fc.constant(type), values: fc.array(anyValue(type), { minLength: count, maxLength: count }) }),
  )
}

/** The type as its declaration spells it. */
export function typeText(type: ColumnType): string {
  if (type.kind === 'scalar') return type.name
  return type.kind === 'map' ? `map<${typeText(type.key)},${typeText(type.of)}>` : `${type.kind}<${typeText(type.of)}>`
}
