import type { ReadRow, ViewReader } from '../../shared/engine/ports.ts'
import { type Position, positionText, sourceText } from '../../shared/events/index.ts'
import { type Fold, foldOf } from '../../shared/projection/fold.ts'
import { type Projection, tableName, versionName } from '../../shared/projection/projection.ts'
import type { Durable } from './durable.ts'
import { type Freshness, sourcesOf } from './freshness.ts'
import { rowJson } from './json.ts'

/** One version of a projection's view, as it can be read. */
export interface View {
  readonly projection: Projection
  readonly reader: Pick<ViewReader, 'get' | 'list'>
  readonly durable: Durable
  readonly freshness: Freshness
}

/** A row as it is answered. Of a view with `merge` the row is its parts merged and the position is one for each part. */
export interface RowAnswer {
  readonly row: Record<string, unknown>
  readonly position: string | readonly string[]
}

/** That a view does not hold a position yet, and how far it is. */
export interface Stale {
  readonly wanted: string
  /** The newest position known to be in the view; null if none of the source is. */
  readonly holds: string | null
  /** Offsets between the two. */
  readonly behind: number
}

/** Names that mean a view: the projection or the view, with a version or without. */
export function namesOf(view: Pick<View, 'projection'>): readonly string[] {
  return [view.projection.name, view.projection.view.name, ...versionedNamesOf(view)]
}

/** Names that mean one version of it. */
export function versionedNamesOf({ projection }: Pick<View, 'projection'>): readonly string[] {
  return [versionName(projection), tableName(projection)]
}

/** Undefined if the row is deleted: in a view with `merge`, in all its parts. */
export function answerOf(fold: Fold, { key, parts }: ReadRow): RowAnswer | undefined {
  const live = parts.flatMap(({ row, source, position }) =>
    row === null ? [] : [{ row, position: `${source}/${position}` }],
  )
  const [first] = live
  if (first === undefined) return undefined
  if (!fold.projection.merge) return { row: rowJson(fold.shape, first.row), position: first.position }
  const merged = fold.merge(
    live.map(({ row }) => row),
    key,
  )
  return { row: rowJson(fold.shape, merged), position: parts.map(({ source, position }) => `${source}/${position}`) }
}

/**
 * Does the view hold `after`? Either the row itself was fed by it or a later event of its source, or everything up to it is durable.
 * `durable` must have been read before the row, so that the row is not older than what is said of it.
 */
export function staleness(after: Position, durable: number, rows: readonly ReadRow[]): Stale | false {
  const source = sourceText(after)
  const own = rows.flatMap(({ parts }) =>
    parts.filter((part) => part.source === source).map(({ position }) => position),
  )
  const holds = Math.max(durable, ...own)
  if (holds >= after.offset) return false
  return {
    wanted: positionText(after),
    holds: holds < 0 ? null : positionText({ ...after, offset: holds }),
    behind: after.offset - holds,
  }
}

/** A view with what is made of it once. */
export interface OpenView extends View {
  readonly fold: Fold
}

export function opened(view: View): OpenView {
  return { ...view, fold: foldOf(view.projection) }
}

/** Seconds, or null, for what some rows were made of. */
export function ageOf(view: View, rows: readonly ReadRow[]): Promise<number | null> {
  return view.freshness(sourcesOf(rows.flatMap(({ parts }) => parts)))
}
