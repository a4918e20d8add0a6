import type { Projection } from '../projection/projection.ts'

/** The versions known beside the views: what each was when it was created. */
export interface VersionRecord {
  readonly projection: string
  readonly version: number
  readonly definition: string
  /** Partition count of each topic when the version was created. */
  readonly partitions: Readonly<Record<string, number>>
  readonly table: string
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
  /** The first version of a projection that is saved is the one that readers see, until `serve` says another. */
  save(record: VersionRecord): Promise<void>
  /** Undefined while no version of the projection was saved. Of one name, whatever the number of its versions. */
  served(projection: string): Promise<Served | undefined>
  /** Durable when it resolves; saying the same again changes nothing, and an earlier turn never replaces a later one. */
  serve(served: Served): Promise<void>
}
