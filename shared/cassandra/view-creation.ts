import { TidemarkError } from '../errors.ts'
import { type Projection, versionName } from '../projection/projection.ts'
import { setAsideTables } from './bookkeeping.ts'
import { createTables, tableIds, undeclaredColumns } from './schema.ts'
import type { Session } from './session.ts'
import { CassandraVersions } from './version-store.ts'
import { viewTable } from './view-table.ts'

/**
 * Creates the table of a version that has not begun, and checks it. Throws TABLE_MISMATCH, and VIEW_LOST where the version has begun
 * and its table is gone: an empty one would be taken for it. Safe to run again. Gives the columns that nobody declared.
 */
export async function createView(session: Session, projection: Projection): Promise<readonly string[]> {
  const definition = viewTable(projection)
  // The record first: a version that begins after it was looked for has its table, and then this one creates nothing.
  const record = await new CassandraVersions(session).load(projection)
  if (record && !(await tableIds(session)).has(definition.name))
    throw new TidemarkError(
      'VIEW_LOST',
      `table ${session.table(definition.name)} is not there, though ${versionName(projection)} was kept in it: an empty one is not made in its place.`,
    )
  await createTables(session, [definition])
  return undeclaredColumns(session, definition)
}

/**
 * The versions whose set-aside events are gone, by the table that held them: it was dropped, and made again for versions to come.
 * Their workers refuse to run.
 */
export async function lostVersions(session: Session): Promise<ReadonlyMap<string, readonly string[]>> {
  const [ids, records] = await Promise.all([tableIds(session), new CassandraVersions(session).list()])
  return new Map(
    setAsideTables.map(({ name: table }) => [
      table,
      records
        .filter(({ tables }) => tables && tables[table] !== ids.get(table))
        .map(({ projection: name, version }) => versionName({ name, version })),
    ]),
  )
}
