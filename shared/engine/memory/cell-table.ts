interface Cell {
  /** Null is a tombstone. */
  readonly value: unknown
  readonly stamp: number
  readonly expiring: boolean
}

interface Kept {
  /** Everything stamped at or below is gone. */
  deleted: number
  readonly cells: Map<string, Cell>
}

/** What INSERT leaves besides its columns, so that a row without values exists. */
const LIVENESS = ''

/**
 * A table that settles conflicts as Cassandra does, cell by cell: the higher stamp wins; at one stamp a tombstone wins, then
 * an expiring cell, then the larger value. So late, repeated and reordered writes end here as they end on a real server.
 */
export class CellTable {
  readonly #rows = new Map<string, Kept>()
  readonly #ranges: { readonly covers: (row: string) => boolean; readonly stamp: number }[] = []

  /** INSERT: null writes a tombstone, undefined leaves the cell as it is. */
  insert(row: string, cells: Readonly<Record<string, unknown>>, stamp: number, expiring = false): void {
    this.#settle(row, LIVENESS, { value: true, stamp, expiring })
    this.update(row, cells, stamp, expiring)
  }

  /** UPDATE: like INSERT, but the row is not kept alive by itself. */
  update(row: string, cells: Readonly<Record<string, unknown>>, stamp: number, expiring = false): void {
    for (const [column, value] of Object.entries(cells))
      if (value !== undefined) this.#settle(row, column, { value, stamp, expiring })
  }

  delete(row: string, stamp: number): void {
    const kept = this.#kept(row)
    kept.deleted = Math.max(kept.deleted, stamp)
  }

  /** Deletes rows by what they are called, those written later with a lower stamp as well. */
  deleteRange(covers: (row: string) => boolean, stamp: number): void {
    this.#ranges.push({ covers, stamp })
    for (const row of this.#rows.keys()) if (covers(row)) this.delete(row, stamp)
  }

  /** The live cells; undefined if the row does not exist. */
  read(row: string): Readonly<Record<string, unknown>> | undefined {
    const kept = this.#rows.get(row)
    if (kept === undefined) return undefined
    const live = [...kept.cells].filter(([, { value, stamp }]) => value !== null && stamp > kept.deleted)
    return live.length === 0
      ? undefined
      : Object.fromEntries(live.filter(([column]) => column !== LIVENESS).map(([column, { value }]) => [column, value]))
  }

  /** WRITETIME of a live cell. */
  writeTime(row: string, column: string): number | undefined {
    const kept = this.#rows.get(row)
    const cell = kept?.cells.get(column)
    return kept && cell && cell.value !== null && cell.stamp > kept.deleted ? cell.stamp : undefined
  }

  /** Whether a live cell was written with a TTL. */
  expires(row: string, column: string): boolean {
    return this.writeTime(row, column) !== undefined && this.#rows.get(row)?.cells.get(column)?.expiring === true
  }

  /** The names of all rows that exist. */
  *names(): Iterable<string> {
    for (const row of this.#rows.keys()) if (this.read(row) !== undefined) yield row
  }

  /** Lets everything written with a TTL expire. */
  expire(): void {
    for (const { cells } of this.#rows.values()) {
      for (const [column, cell] of cells) if (cell.expiring) cells.set(column, { ...cell, value: null })
    }
  }

  #kept(row: string): Kept {
    const known = this.#rows.get(row)
    if (known) return known
    const deleted = this.#ranges.reduce(
      (latest, { covers, stamp }) => (covers(row) ? Math.max(latest, stamp) : latest),
      Number.NEGATIVE_INFINITY,
    )
    const kept: Kept = { deleted, cells: new Map() }
    this.#rows.set(row, kept)
    return kept
  }

  #settle(row: string, column: string, cell: Cell): void {
    const { cells } = this.#kept(row)
    const before = cells.get(column)
    if (before === undefined || wins(cell, before)) cells.set(column, cell)
  }
}

function wins(cell: Cell, before: Cell): boolean {
  if (cell.stamp !== before.stamp) return cell.stamp > before.stamp
  if (rank(cell) !== rank(before)) return rank(cell) > rank(before)
  return larger(cell.value, before.value)
}

function rank({ value, expiring }: Cell): number {
  return value === null ? 2 : expiring ? 1 : 0
}

/** Stands for the comparison of bytes: a list is larger if it has more elements, or larger ones. */
function larger(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return a.length > b.length
    const at = a.findIndex((element, index) => element !== b[index])
    return at >= 0 && a[at] > b[at]
  }
  return typeof a === 'number' && typeof b === 'number' ? a > b : String(a) > String(b)
}
