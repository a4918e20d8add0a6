import type { Projection } from '../projection/projection.ts'
import { slot, stamp } from './stamp.ts'

/** The versions known beside the views: what each was when it was created. */
export interface VersionRecord {
  readonly projection: string
  readonly version: number
  readonly definition: string
  /** Partition count of each topic when the version was created. */
  readonly partitions: Readonly<Record<string, number>>
  readonly table: string
  /**
   * By name, the id of each table whose loss loses events: the view, and those that keep what was set aside. A table that is dropped
   * and made again has another. Absent in records of releases that did not know it.
   */
  readonly tables?: TableIds
}

/** What each table is to Cassandra, by name: whatever is made later under the same name is another one. */
export type TableIds = Readonly<Record<string, string>>

/** The stamp of a record: one that names its tables replaces one that does not, whichever is written last. */
export function recordStamp({ tables }: VersionRecord): number {
  return stamp(0, tables ? slot.release : slot.write)
}

/** The tables that were recorded and are others now. */
export function replacedTables(recorded: TableIds, now: TableIds): readonly string[] {
  return Object.keys(recorded).filter((name) => now[name] !== undefined && now[name] !== recorded[name])
}

/** Which version of a projection readers see. */
export interface Served {
  readonly projection: string
  readonly version: number
  /** What readers saw before: what a rollback goes back to; null where there is nothing to go back to. */
  readonly previous: number | null
  /** What a rollback took readers away from; null unless the last change was one. */
  readonly undone: number | null
  /** Counts the changes from 0: the record of the higher turn holds; of two with one turn, one as a whole. */
  readonly turn: number
}

export interface VersionStore {
  load(projection: Pick<Projection, 'name' | 'version'>): Promise<VersionRecord | undefined>
  list(): Promise<readonly VersionRecord[]>
  /** The tables of a version as they are now. Rejects with CASSANDRA_SCHEMA while one is missing. */
  tables(projection: Pick<Projection, 'view' | 'version'>): Promise<TableIds>
  /** The first version of a projection that is saved is the one that readers see, until `serve` says another. */
  save(record: VersionRecord): Promise<void>
  /** Undefined while no version of the projection was saved. Of one name, whatever the number of its versions. */
  served(projection: string): Promise<Served | undefined>
  /** Durable when it resolves; saying the same again changes nothing, and an earlier turn never replaces a later one. */
  serve(served: Served): Promise<void>
}
