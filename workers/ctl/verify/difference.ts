import { shown } from '../../../shared/projection/values.ts'

/**
 * What is not as the log says. `missing` a row that should be there; `unexpected` one that should not; `columns` other values;
 * `position` it stands at another offset; `source` it comes from another partition; `deleted` and `alive` the one instead of
 * the other; `two-sources` two partitions feed it; `dead-letter` and `parked` what was set aside; `log` the log is not the one
 * that was folded.
 */
export type DifferenceKind =
  | 'missing'
  | 'unexpected'
  | 'columns'
  | 'position'
  | 'source'
  | 'deleted'
  | 'alive'
  | 'two-sources'
  | 'dead-letter'
  | 'parked'
  | 'log'

export interface Difference {
  readonly kind: DifferenceKind
  /** The row (its key), scope or partition. */
  readonly subject: string
  /** For people, without the subject. */
  readonly message: string
  /** The columns that differ, as text. */
  readonly columns?: readonly ColumnDifference[]
}

export interface ColumnDifference {
  readonly name: string
  readonly expected: string
  readonly stored: string
}

/** Keeps the first differences and counts all. */
export class Differences {
  readonly first: Difference[] = []
  count = 0
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  add(kind: DifferenceKind, subject: string, message: string, columns: readonly ColumnDifference[] = []): void {
    this.count++
    if (this.first.length < this.#limit)
      this.first.push({ kind, subject, message, ...(columns.length > 0 && { columns }) })
  }
}

/** Which columns of a stored row are not as they should be, both values as text. */
export function columnDifferences(
  names: readonly string[],
  expected: Readonly<Record<string, unknown>>,
  stored: Readonly<Record<string, unknown>>,
): readonly ColumnDifference[] {
  return names.map((name) => ({ name, expected: shown(expected[name] ?? null), stored: shown(stored[name] ?? null) }))
}
