/**
 * Column types: how CQL's look from TypeScript. A type that is missing here cannot be used by mistake.
 *
 * | declared | in TypeScript |
 * |---|---|
 * | text | string |
 * | int, double | number |
 * | bigint | bigint |
 * | boolean | boolean |
 * | decimal | string, `-12.50`: every digit is kept |
 * | uuid | string, lower case |
 * | timestamp | Date |
 * | date | string, `2026-01-31` |
 * | blob | Uint8Array |
 * | list<T> | readonly T[] |
 * | set<T> | ReadonlySet<T>, in Cassandra's order |
 * | map<K,V> | ReadonlyMap<K,V>, in Cassandra's order |
 *
 * Collections are frozen and may be nested. `text?` is optional: written `string | null | undefined`, read `string | null`.
 */
export interface ScalarTypes {
  text: string
  int: number
  bigint: bigint
  double: number
  decimal: string
  boolean: boolean
  uuid: string
  timestamp: Date
  date: string
  blob: Uint8Array
}

export type Scalar = keyof ScalarTypes

/** The TypeScript type of a CQL type written as text; `never` if there is no such type. */
export type ValueOf<T extends string> = T extends Scalar
  ? ScalarTypes[T]
  : T extends `list<${infer E}>`
    ? OrNever<ValueOf<E>, readonly ValueOf<E>[]>
    : T extends `set<${infer E}>`
      ? OrNever<ValueOf<E>, ReadonlySet<ValueOf<E>>>
      : T extends `map<${infer K extends Scalar},${infer V}>`
        ? OrNever<ValueOf<Trimmed<V>>, ReadonlyMap<ScalarTypes[K], ValueOf<Trimmed<V>>>>
        : never

/** A collection of something that does not exist does not exist either. */
type OrNever<Element, Collection> = [Element] extends [never] ? never : Collection

type Trimmed<T extends string> = T extends ` ${infer Rest}` ? Trimmed<Rest> : T

/** A parsed type. */
export type ColumnType =
  | { readonly kind: 'scalar'; readonly name: Scalar }
  | { readonly kind: 'list' | 'set'; readonly of: ColumnType }
  | { readonly kind: 'map'; readonly key: ColumnType; readonly of: ColumnType }

const SCALARS: ReadonlySet<string> = new Set<Scalar>([
  'text',
  'int',
  'bigint',
  'double',
  'decimal',
  'boolean',
  'uuid',
  'timestamp',
  'date',
  'blob',
])

/** Reads `map<text,list<int>>`; undefined for what is not a type of ours. */
export function parseType(text: string): ColumnType | undefined {
  const trimmed = text.trim()
  if (SCALARS.has(trimmed)) return { kind: 'scalar', name: trimmed as Scalar }
  const [, kind, inner] = /^(list|set|map)<(.*)>$/.exec(trimmed) ?? []
  if (inner === undefined) return undefined
  if (kind !== 'map') {
    const of = parseType(inner)
    return of && { kind: kind as 'list' | 'set', of }
  }
  const comma = inner.indexOf(',')
  const key = parseType(inner.slice(0, comma))
  const of = parseType(inner.slice(comma + 1))
  return comma > 0 && key?.kind === 'scalar' && of ? { kind: 'map', key, of } : undefined
}

/** How Cassandra writes the type; collections are always frozen. */
export function cqlType(type: ColumnType): string {
  if (type.kind === 'scalar') return type.name
  if (type.kind === 'map') return `frozen<map<${cqlType(type.key)}, ${cqlType(type.of)}>>`
  return `frozen<${type.kind}<${cqlType(type.of)}>>`
}
