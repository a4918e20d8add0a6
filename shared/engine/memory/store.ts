import { parseSource, type Source, sourceText } from '../../events/position.ts'
import { type Projection, tableName } from '../../projection/projection.ts'
import type { Progress, ProgressStore, Served, TableIds, VersionRecord, VersionStore } from '../ports.ts'
import { slot, stamp } from '../stamp.ts'
import { recordStamp } from '../versions.ts'
import { CellTable } from './cell-table.ts'
import { MemoryDeadLetters } from './dead-letter-store.ts'
import { Faults, type JournalEntry, type StoreFaults } from './store-faults.ts'
import { MemoryView } from './view-store.ts'

export type { MemoryDeadLetters } from './dead-letter-store.ts'
export type { Applied, Gate, HeldCall, JournalEntry, Operation, StoreFaults } from './store-faults.ts'
export type { MemoryView } from './view-store.ts'

/** Everything one version keeps in Cassandra, kept in memory: same stamps, same outcome of late and repeated writes. */
export interface MemoryStores {
  readonly view: MemoryView
  readonly progress: MemoryProgress
  readonly deadLetters: MemoryDeadLetters
  readonly versions: MemoryVersions
  /** Makes calls of any of the stores fail or wait. */
  readonly faults: StoreFaults
  /** Every write that took effect, of all the stores, in order. */
  readonly journal: readonly JournalEntry[]
}

/** Stores for one version, empty. `seed` decides which part of a failing call is applied (`failNext(1, { applied: 'some' })`). */
export function memoryStores(projection: Projection, { seed = 1 }: { seed?: number } = {}): MemoryStores {
  const faults = new Faults(seed)
  return {
    view: new MemoryView(projection, faults),
    progress: new MemoryProgress(faults),
    deadLetters: new MemoryDeadLetters(faults),
    versions: new MemoryVersions(faults),
    faults,
    journal: faults.journal,
  }
}

/** Progress of one version, stamped by position. */
export class MemoryProgress implements ProgressStore {
  readonly #table = new CellTable()
  readonly #faults: Faults

  constructor(faults: Faults) {
    this.#faults = faults
  }

  load(source: Source): Promise<Progress | undefined> {
    return this.#faults.run('progress.load', [], () => this.#read(sourceText(source)))
  }

  save(source: Source, { position, fingerprint, gaps }: Progress): Promise<void> {
    const name = sourceText(source)
    const apply = () =>
      this.#table.insert(
        name,
        { position, fingerprint: fingerprint ?? null, gaps: gaps.flat() },
        stamp(position, slot.write),
      )
    return this.#faults.run(
      'progress.save',
      [{ apply, entry: { operation: 'progress.save', source: name, offset: position, id: '' } }],
      () => undefined,
    )
  }

  async list(): Promise<readonly { readonly source: Source; readonly progress: Progress }[]> {
    return [...this.#table.names()].sort().map((name) => ({ source: parseSource(name)!, progress: this.#read(name)! }))
  }

  #read(name: string): Progress | undefined {
    const cells = this.#table.read(name)
    if (cells === undefined) return undefined
    const flat = (cells.gaps ?? []) as readonly number[]
    const gaps = flat.flatMap((from, index) => (index % 2 === 0 ? [[from, flat[index + 1]!] as const] : []))
    return { position: Number(cells.position), fingerprint: cells.fingerprint as string | undefined, gaps }
  }
}

/** The versions known, each one cell: of two different records of one version, one wins as a whole. */
export class MemoryVersions implements VersionStore {
  readonly #table = new CellTable()
  readonly #readers = new CellTable()
  /** How often each table was made again. */
  readonly #remade = new Map<string, number>()
  readonly #faults: Faults

  constructor(faults: Faults) {
    this.#faults = faults
  }

  load({ name, version }: Pick<Projection, 'name' | 'version'>): Promise<VersionRecord | undefined> {
    return this.#faults.run('versions.load', [], () => this.#read(`${name} ${version}`))
  }

  list(): Promise<readonly VersionRecord[]> {
    return this.#faults.run('versions.list', [], () =>
      [...this.#table.names()].flatMap((name) => this.#read(name) ?? []),
    )
  }

  tables(projection: Pick<Projection, 'view' | 'version'>): Promise<TableIds> {
    const names = [tableName(projection), 'dead_letters']
    return this.#faults.run('versions.tables', [], () =>
      Object.fromEntries(names.map((name) => [name, `${name}#${this.#remade.get(name) ?? 0}`])),
    )
  }

  /** As if somebody had dropped the table, or that of the dead letters (`dead_letters`), and made it again. */
  remake(table: string): void {
    this.#remade.set(table, (this.#remade.get(table) ?? 0) + 1)
  }

  save(record: VersionRecord): Promise<void> {
    const { projection, version } = record
    const apply = () => {
      if (!this.#seen(projection)) this.#show({ projection, version, previous: null, undone: null, turn: 0 })
      this.#table.insert(`${projection} ${version}`, { record: JSON.stringify(record) }, recordStamp(record))
    }
    return this.#faults.run(
      'versions.save',
      [
        {
          apply,
          entry: { operation: 'versions.save', source: '', offset: 0, id: `${projection}.v${version}` },
        },
      ],
      () => undefined,
    )
  }

  served(projection: string): Promise<Served | undefined> {
    return this.#faults.run('versions.served', [], () => this.#seen(projection))
  }

  serve(served: Served): Promise<void> {
    const entry = { operation: 'versions.serve', source: '', offset: served.turn, id: served.projection } as const
    return this.#faults.run('versions.serve', [{ apply: () => this.#show(served), entry }], () => undefined)
  }

  #show(served: Served): void {
    this.#readers.insert(served.projection, { record: JSON.stringify(served) }, stamp(served.turn, slot.write))
  }

  #seen(projection: string): Served | undefined {
    const record = this.#readers.read(projection)?.record
    return typeof record === 'string' ? JSON.parse(record) : undefined
  }

  #read(name: string): VersionRecord | undefined {
    const record = this.#table.read(name)?.record
    return typeof record === 'string' ? JSON.parse(record) : undefined
  }
}
