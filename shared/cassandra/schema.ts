import { catalogue, listed, TidemarkError } from '../errors.ts'
import type { Session } from './session.ts'

export interface ColumnDefinition {
  readonly name: string
  /** As Cassandra writes it: `frozen<list<text>>`. */
  readonly type: string
}

/** A table as we mean it to be. */
export interface TableDefinition {
  readonly name: string
  readonly partitionKey: readonly ColumnDefinition[]
  readonly clusteringKey: readonly (ColumnDefinition & { readonly order: 'asc' | 'desc' })[]
  readonly values: readonly ColumnDefinition[]
}

export interface KeyspaceOptions {
  /** Replicas per data centre. Default: in the local one as many as it has nodes, at most 3. */
  readonly replication?: Readonly<Record<string, number>>
}

/** Creates the keyspace if it is not there; one that is there is left as it is. */
export async function createKeyspace(session: Session, { replication }: KeyspaceOptions = {}): Promise<void> {
  const replicas = Object.entries(
    replication ?? { [session.localDataCenter]: Math.min(3, Math.max(1, session.localNodes)) },
  )
  const options = replicas.map(([dataCenter, count]) => `'${dataCenter.replaceAll("'", "''")}': ${count}`).join(', ')
  await session.define(
    `CREATE KEYSPACE IF NOT EXISTS ${session.keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', ${options}}`,
    `creating keyspace ${session.keyspace}`,
  )
}

/** Creates what is missing, then checks all. Throws TABLE_MISMATCH. Safe to run again; run it from one process at a time. */
export async function createTables(session: Session, tables: readonly TableDefinition[]): Promise<void> {
  for (const table of tables) {
    if ((await existing(session, table.name)) === undefined)
      await session.define(createTable(session, table), `creating ${session.table(table.name)}`)
  }
  await checkTables(session, tables)
}

/** Throws TABLE_MISSING or TABLE_MISMATCH, listing every difference; a column that nobody declared is none, unless it is of the key. */
export async function checkTables(session: Session, tables: readonly TableDefinition[]): Promise<void> {
  for (const table of tables) {
    const found = await existing(session, table.name)
    if (found === undefined)
      throw new TidemarkError('TABLE_MISSING', `table ${session.table(table.name)} does not exist`)
    const faults = [...differences(described(table), found), ...(await droppedColumns(session, table))]
    if (faults.length > 0)
      throw new TidemarkError(
        'TABLE_MISMATCH',
        listed(`table ${session.table(table.name)} has ${faults.length} difference(s)`, faults),
      )
  }
}

/** Columns of a table that nobody declared. */
export async function undeclaredColumns(session: Session, table: TableDefinition): Promise<readonly string[]> {
  const declared = described(table)
  return [...((await existing(session, table.name))?.keys() ?? [])].filter((name) => !declared.has(name))
}

/** What became of a table since somebody looked at it last. */
export interface TableState {
  readonly name: string
  /** The name with its keyspace, for messages. */
  readonly table: string
  /** Another one if it was dropped and made again; undefined if it is not there. */
  readonly id: string | undefined
  /** How it differs from what was declared: columns that nobody declared harm nothing, since every statement names its own. */
  readonly faults: readonly string[]
  /** Columns that Cassandra has hidden for good, see `droppedColumns`. */
  readonly dropped: readonly string[]
}

export async function tableState(session: Session, table: TableDefinition): Promise<TableState> {
  const ids = await tableIds(session)
  const found = await existing(session, table.name)
  return {
    name: table.name,
    table: session.table(table.name),
    id: ids.get(table.name),
    faults: found ? differences(described(table), found) : [],
    dropped: await droppedColumns(session, table),
  }
}

/** The id of every table of the keyspace, by name. */
export async function tableIds(session: Session): Promise<ReadonlyMap<string, string>> {
  const query = `SELECT table_name, id FROM system_schema.tables WHERE keyspace_name = '${session.keyspace}'`
  const { rows } = await session.read(query, [], `looking at the tables of ${session.keyspace}`)
  return new Map(rows.map(({ table_name: name, id }) => [String(name), String(id)]))
}

/** Said while the table may still come back as it was: then work goes on. */
export function missingTable(session: Session, name: string): TidemarkError {
  return new TidemarkError('CASSANDRA_SCHEMA', `table ${session.table(name)} does not exist`, {
    remedy: `The worker waits. ${catalogue.VIEW_LOST.remedy}`,
  })
}

/** Removes a table and all that is in it; nothing happens if it is not there. */
export async function dropTable(session: Session, name: string): Promise<void> {
  await session.define(`DROP TABLE IF EXISTS ${session.table(name)}`, `dropping ${session.table(name)}`)
}

function createTable(session: Session, { name, partitionKey, clusteringKey, values }: TableDefinition): string {
  const columns = [...partitionKey, ...clusteringKey, ...values].map((column) => `${column.name} ${column.type}`)
  const key = [
    `(${partitionKey.map((column) => column.name).join(', ')})`,
    ...clusteringKey.map((column) => column.name),
  ].join(', ')
  const order =
    clusteringKey.length === 0
      ? ''
      : ` WITH CLUSTERING ORDER BY (${clusteringKey.map((column) => `${column.name} ${column.order}`).join(', ')})`
  return `CREATE TABLE IF NOT EXISTS ${session.table(name)} (${columns.join(', ')}, PRIMARY KEY (${key}))${order}`
}

/** Each column as one phrase: its type, and its place in the key. */
type Columns = ReadonlyMap<string, string>

function described({ partitionKey, clusteringKey, values }: TableDefinition): Columns {
  return new Map([
    ...partitionKey.map(({ name, type }, index) => [name, `${type}, partition key ${index + 1}`] as const),
    ...clusteringKey.map(
      ({ name, type, order }, index) => [name, `${type}, clustering key ${index + 1} ${order}`] as const,
    ),
    ...values.map(({ name, type }) => [name, type] as const),
  ])
}

async function existing(session: Session, table: string): Promise<Columns | undefined> {
  const query = `SELECT column_name, type, kind, position, clustering_order FROM system_schema.columns WHERE keyspace_name = '${session.keyspace}' AND table_name = '${table}'`
  const { rows } = await session.read(query, [], `looking at the columns of ${session.table(table)}`)
  if (rows.length === 0) return undefined
  return new Map(
    rows.map((row) => {
      const place =
        row.kind === 'partition_key'
          ? `, partition key ${row.position + 1}`
          : row.kind === 'clustering'
            ? `, clustering key ${row.position + 1} ${row.clustering_order}`
            : row.kind === 'static'
              ? ', static'
              : ''
      return [String(row.column_name), `${row.type}${place}`]
    }),
  )
}

/**
 * Declared columns that were dropped and added again. Of such a column Cassandra hides every cell that is stamped before the drop,
 * also those written later, and ours are stamped with their place in the log: it would read as null for ever.
 */
async function droppedColumns(session: Session, table: TableDefinition): Promise<readonly string[]> {
  const query = `SELECT column_name, dropped_time FROM system_schema.dropped_columns WHERE keyspace_name = '${session.keyspace}' AND table_name = '${table.name}'`
  const { rows } = await session.read(query, [], `looking at the dropped columns of ${session.table(table.name)}`)
  const declared = new Set(table.values.map(({ name }) => name))
  return rows.flatMap(({ column_name: name, dropped_time: at }) =>
    declared.has(name)
      ? [`column ${name} was dropped at ${new Date(at).toISOString()}: Cassandra hides what is written to it since`]
      : [],
  )
}

function differences(declared: Columns, found: Columns): string[] {
  const faults: string[] = []
  for (const [name, phrase] of declared) {
    const other = found.get(name)
    if (other === undefined) faults.push(`column ${name} is missing: declared as ${phrase}`)
    else if (other !== phrase) faults.push(`column ${name} is ${other}: declared as ${phrase}`)
  }
  for (const [name, phrase] of found)
    if (!declared.has(name) && / key \d/.test(phrase)) faults.push(`column ${name} (${phrase}) is not declared`)
  return faults
}
