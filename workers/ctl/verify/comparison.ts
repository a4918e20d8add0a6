import type { StoredRow } from '../../../shared/engine/index.ts'
import { positionText } from '../../../shared/events/position.ts'
import type { AnyRow, RowShape } from '../../../shared/projection/row.ts'
import { shown } from '../../../shared/projection/values.ts'
import { columnDifferences, type Differences } from './difference.ts'
import type { Part, PlainFold } from './plain-fold.ts'
import type { Span } from './span.ts'

export type StoredPart = StoredRow & { readonly key: AnyRow }

/** What a comparison counts. */
export interface Tally {
  /** Rows (of a view with `merge`: parts) that were compared with the fold. */
  rows: number
  /** Rows whose history the log does not have any more. */
  unprovable: number
}

/**
 * Compares the stored rows of a slice with the folded ones, both ways. Rows that live traffic has moved past the end are kept
 * for following: `moved` stand at a later position of their own, `absent` should be there and are not, which a deletion since
 * would explain.
 */
export class Comparison {
  readonly moved = new Map<string, StoredPart & { readonly span: Span }>()
  readonly absent = new Map<string, Part>()
  readonly #shape: RowShape
  readonly #fold: PlainFold
  readonly #spans: ReadonlyMap<string, Span>
  readonly #differences: Differences
  readonly #tally: Tally
  /** Who owns the rows that were compared, by id; kept only while there are rows with two sources. */
  readonly #owners = new Map<string, string>()

  constructor(parts: {
    shape: RowShape
    fold: PlainFold
    spans: readonly Span[]
    differences: Differences
    tally: Tally
  }) {
    this.#shape = parts.shape
    this.#fold = parts.fold
    this.#spans = new Map(parts.spans.map((span) => [span.name, span]))
    this.#differences = parts.differences
    this.#tally = parts.tally
  }

  /** Compares one stored row; what was compared is forgotten, so that what remains in the end is missing from the table. */
  stored(stored: StoredPart): void {
    const id = this.#shape.id(stored.key)
    if (!this.#fold.slice.holds(id)) return
    const name = this.#fold.name(id, stored.source)
    const span = this.#spans.get(stored.source)
    const owner = this.#fold.parts.get(name)
    const part =
      owner === undefined || owner.source === stored.source
        ? owner
        : this.#fold.intruders.get(`${stored.source} ${name}`)
    if (span && stored.position >= span.end && (part || !owner)) {
      this.moved.set(name, { ...stored, span })
      return
    }
    this.#fold.parts.delete(name)
    if (!span)
      this.#tell(stored.key, 'source', `comes from ${stored.source}, which is no partition of the projection's topics`)
    else if (part) this.compare(part, stored, span)
    else if (owner)
      this.#tell(stored.key, 'source', `comes from ${stored.source}, but its events are in ${owner.source}`)
    else if (!span.whole && stored.position < span.start) this.#tally.unprovable++
    else
      this.#tell(
        stored.key,
        'unexpected',
        `is in the table (at ${at(span, stored.position)}), but the log has no event that makes it`,
      )
  }

  /** To be called when the whole table has been seen. */
  ended(): void {
    for (const { key, source, id } of this.#fold.intruders.values()) {
      const stored = this.#owners.get(id)
      const owner = stored === undefined || stored === source ? this.#fold.parts.get(id)?.source : stored
      this.#differences.add(
        'two-sources',
        shown(key),
        `gets events from ${owner ?? 'another partition'} and from ${source}, without \`merge\`: those of one must be dead letters`,
      )
    }
    for (const [name, part] of this.#fold.parts)
      if (part.row !== null && !this.moved.has(name)) this.absent.set(name, part)
  }

  /** A row that should be in the table and is not. */
  missing(part: Part): void {
    if (this.#spans.get(part.source)?.whole === false) this.#tally.unprovable++
    else this.#tell(part.key, 'missing', `is not in the table, but should stand at ${part.source}/${part.position}`)
  }

  /** A row at a position past the end, where the log has no event of it. */
  astray(stored: StoredPart & { readonly span: Span }, part: Part | undefined): void {
    const last = part ? `its last event is ${at(stored.span, part.position)}` : 'the log has no event of it'
    this.#tell(
      stored.key,
      'position',
      `stands at ${at(stored.span, stored.position)}, which is no event of it: ${last}`,
    )
  }

  /** The stored row against the folded one, at the same moment of the log. */
  compare(part: Part, stored: StoredPart, span: Span): void {
    if (this.#fold.intruders.size > 0) this.#owners.set(part.id, stored.source)
    const columns = part.row && stored.row ? this.#shape.differences(part.row, stored.row) : []
    const alike = (part.row === null) === (stored.row === null) && columns.length === 0
    if (part.position === stored.position && !span.whole && (part.unknown || !alike)) {
      this.#tally.unprovable++
      return
    }
    const details = part.unknown ? [] : columnDifferences(columns, part.row ?? {}, stored.row ?? {})
    if (part.position !== stored.position) {
      const how = stored.position < part.position ? 'is stale: it stands' : 'stands'
      this.#tell(
        part.key,
        'position',
        `${how} at ${at(span, stored.position)}, but its last event is ${at(span, part.position)}`,
        details,
      )
    } else if (part.row === null && stored.row)
      this.#tell(part.key, 'alive', `is in the table, but ${at(span, part.position)} deleted it`)
    else if (part.row && stored.row === null)
      this.#tell(part.key, 'deleted', `is deleted in the table, but should be there at ${at(span, part.position)}`)
    else if (columns.length > 0) this.#tell(part.key, 'columns', `differs at ${at(span, part.position)}`, details)
    else this.#tally.rows++
  }

  #tell(
    key: AnyRow,
    ...[kind, message, columns]: [Parameters<Differences['add']>[0], string, Parameters<Differences['add']>[3]?]
  ): void {
    this.#tally.rows++
    this.#differences.add(kind, shown(key), message, columns)
  }
}

function at({ source }: Span, offset: number): string {
  return positionText({ ...source, offset })
}
