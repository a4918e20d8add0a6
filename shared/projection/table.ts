import { type ColumnType, cqlType, parseType, type Scalar, type ValueOf } from './types.ts'
import { shown } from './values.ts'

export type Columns = Readonly<Record<string, string>>
export type Order = 'asc' | 'desc'

/** What a column's value is when read: `null` only where the type ends in `?`. */
type Read<Type extends string> = Type extends `${infer T}?` ? ValueOf<T> | null : ValueOf<Type>

/** A view's table, and through it the type of its rows. */
export interface Table<C extends Columns = Columns, P extends string = string, K extends string = string> {
  readonly name: string
  readonly columns: C
  readonly partitionKey: readonly P[]
  readonly clusteringKey: Readonly<Record<K, Order>>
}

/** Written out column by column, so that an editor shows the columns instead of how they were computed. */
type WrittenOut<T> = T extends infer O ? { readonly [Name in keyof O]: O[Name] } : never

/** The columns whose type ends in `?`. */
type Optional<C extends Columns> = { [Name in keyof C]: C[Name] extends `${string}?` ? Name : never }[keyof C]

/** One row of a view as handlers and readers see it. */
export type Row<T extends Table> = WrittenOut<{ [Name in keyof T['columns']]: Read<T['columns'][Name]> }>

/** A row as handlers may return it: optional columns may be absent. */
export type Written<T extends Table> = WrittenOut<
  { [Name in Exclude<keyof T['columns'], Optional<T['columns']>>]: Read<T['columns'][Name]> } & {
    [Name in Optional<T['columns']>]?: Read<T['columns'][Name]> | undefined
  }
>

/** What finds one row: its partition key and its clustering key. */
export type Key<T extends Table> = WrittenOut<{
  [Name in (T['partitionKey'][number] | keyof T['clusteringKey']) & keyof T['columns']]: Read<T['columns'][Name]>
}>

/** A column type that exists; anything else is a compile error that names it. */
type Checked<C extends Columns> = {
  readonly [Name in keyof C]: [NonNullable<Read<C[Name]>>] extends [never] ? `${C[Name]} is not a column type` : C[Name]
}

/** Types a key may have. Not `decimal`: to Cassandra `1.5` and `1.50` are one row. */
type KeyType = Exclude<Scalar, 'decimal'>

/** The columns that may be in a key: scalars that are never absent. */
type KeyColumn<C extends Columns> = { [Name in keyof C]: C[Name] extends KeyType ? Name : never }[keyof C] & string

/**
 * Declares the table a projection fills. In Cassandra it is called `<name>_v<version>`, its columns are the same in
 * snake_case, and `tm_` columns keep the books. Faults that types can't show are reported by `defineProjection`.
 */
export function table<const C extends Columns, P extends KeyColumn<C>, K extends KeyColumn<C> = never>(
  name: string,
  definition: {
    columns: C & Checked<C>
    partitionKey: readonly P[]
    /** Orders the rows inside a partition, in the order the columns are written here. */
    clusteringKey?: Readonly<Record<K, Order>>
  },
): Table<C, NoInfer<P>, NoInfer<K>> {
  const { columns, partitionKey, clusteringKey = {} as Record<K, Order> } = definition ?? {}
  return { name, columns, partitionKey, clusteringKey }
}

/** One column as the rest of Tidemark sees it. */
export interface Column {
  /** In TypeScript: `cartId`. */
  readonly name: string
  /** In CQL: `cart_id`. */
  readonly cql: string
  readonly type: ColumnType
  readonly optional: boolean
  readonly role: 'partition' | 'clustering' | 'value'
}

/** The columns in the table's order: partition key, clustering key, values. Throws nothing: call it on a checked table. */
export function columnsOf(table: Table): readonly Column[] {
  const column =
    (role: Column['role']) =>
    (name: string): Column => {
      const text = table.columns[name]!
      const optional = text.endsWith('?')
      return { name, cql: snakeCase(name), type: parseType(optional ? text.slice(0, -1) : text)!, optional, role }
    }
  const keys = new Set([...table.partitionKey, ...Object.keys(table.clusteringKey)])
  return [
    ...table.partitionKey.map(column('partition')),
    ...Object.keys(table.clusteringKey).map(column('clustering')),
    ...Object.keys(table.columns)
      .filter((name) => !keys.has(name))
      .map(column('value')),
  ]
}

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** What is wrong with a table, for people; empty if nothing is. */
export function tableFaults(table: Table): string[] {
  const at = `view ${shown(table?.name)}`
  if (typeof table?.columns !== 'object' || table.columns === null) return [`${at}: make it with table()`]
  const faults: string[] = []
  if (typeof table.name !== 'string' || !/^[a-z][a-z0-9_]{0,39}$/.test(table.name))
    faults.push(`${at}: name must be snake_case, at most 40 letters, digits and _`)
  else if (/_v\d+$/.test(table.name) || /^tm_/.test(table.name))
    faults.push(`${at}: names that start with tm_ or end in _v<number> are Tidemark's own`)
  const seen = new Map<string, string>()
  for (const [name, text] of Object.entries(table.columns)) {
    const cql = snakeCase(name)
    if (!/^[a-z][A-Za-z0-9]{0,39}$/.test(name))
      faults.push(`${at}: column ${shown(name)} must be camelCase letters and digits`)
    if (cql.startsWith('tm_')) faults.push(`${at}: column ${name} would be ${cql}; tm_ is Tidemark's own`)
    if (seen.has(cql)) faults.push(`${at}: columns ${seen.get(cql)} and ${name} are both ${cql} in CQL`)
    seen.set(cql, name)
    if (name in Object.prototype) faults.push(`${at}: column ${name} has a name that every JavaScript object has`)
    if (typeof text !== 'string' || !parseType(text.replace(/\?$/, '')))
      faults.push(`${at}: column ${name} has type ${shown(text)}, which is not a column type`)
  }
  const { partitionKey = [], clusteringKey = {} } = table
  if (!Array.isArray(partitionKey) || partitionKey.some((key) => typeof key !== 'string'))
    return [...faults, `${at}: partitionKey must be a list of column names`]
  if (typeof clusteringKey !== 'object' || clusteringKey === null || Array.isArray(clusteringKey))
    return [...faults, `${at}: clusteringKey must be an object of column names and orders`]
  const keys: string[] = [...partitionKey, ...Object.keys(clusteringKey)]
  if (partitionKey.length === 0) faults.push(`${at}: partitionKey names no column`)
  if (new Set(keys).size < keys.length) faults.push(`${at}: a column is twice in the key`)
  for (const key of keys) {
    const text = Object.hasOwn(table.columns, key) ? table.columns[key] : undefined
    // What is no text is told above.
    if (text !== undefined && typeof text !== 'string') continue
    if (text === undefined) faults.push(`${at}: key column ${key} is not among the columns`)
    else if (text === 'decimal')
      faults.push(`${at}: key column ${key} can't be a decimal: to Cassandra 1.5 and 1.50 are one row`)
    else if (text.endsWith('?')) faults.push(`${at}: key column ${key} can't be optional`)
    else if (/[<]/.test(text)) faults.push(`${at}: key column ${key} can't be a collection`)
  }
  for (const [key, order] of Object.entries(clusteringKey)) {
    if (order !== 'asc' && order !== 'desc') faults.push(`${at}: clusteringKey.${key} must be asc or desc`)
  }
  return faults
}

/**
 * The table as CQL knows it, for comparing definitions: types, keys and orders, nothing else. The order of a key's columns
 * counts, that of the others does not.
 */
export function tableShape(table: Table): string {
  const columns = columnsOf(table).map(({ cql, type, optional, role, name }) => {
    const place = role === 'value' ? '' : ` ${role} ${table.clusteringKey[name] ?? ''}`
    return { role, text: `${cql} ${cqlType(type)}${optional ? '?' : ''}${place}` }
  })
  const keys = columns.filter(({ role }) => role !== 'value').map(({ text }) => text)
  const values = columns.filter(({ role }) => role === 'value').map(({ text }) => text)
  return [...keys, ...values.sort()].join(', ')
}
